"""The number words of lesson 10 where num2words is not installed, as on a borrowed machine without a network.

``words.num2words(n, lang)`` writes 0 to 9,999 in English ("en") and German ("de"), as that package does.
"""

ENGLISH = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
ENGLISH = f"{ENGLISH} sixteen seventeen eighteen nineteen".split()
ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
GERMAN = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn"
GERMAN = f"{GERMAN} sechzehn siebzehn achtzehn neunzehn".split()
GERMAN_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()


def num2words(n, lang):
    return (_german if lang == "de" else _english)(n)


def _english(n):
    if n < 20:
        return ENGLISH[n]
    if n < 100:
        ones = f"-{ENGLISH[n % 10]}" if n % 10 else ""
        return ENGLISH_TENS[n // 10 - 2] + ones
    unit, name = (1000, "thousand") if n >= 1000 else (100, "hundred")
    rest = n % unit
    joined = f" and {_english(rest)}" if rest < 100 else f", {_english(rest)}"
    return f"{ENGLISH[n // unit]} {name}{joined if rest else ''}"


def _german(n):
    if n < 20:
        return GERMAN[n]
    if n < 100:
        ones = f"{_before(n % 10)}und" if n % 10 else ""
        return ones + GERMAN_TENS[n // 10 - 2]
    unit, name = (1000, "tausend") if n >= 1000 else (100, "hundert")
    rest = n % unit
    return f"{_before(n // unit)}{name}{_german(rest) if rest else ''}"


def _before(digit):
    """A digit in front of another word: "eins" loses its s."""
    return "ein" if digit == 1 else GERMAN[digit]
