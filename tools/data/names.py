"""Make names.txt again from an installed Faker: python -m tools.data.names

Faker's first-name lists are public data that its contributors collected; the file and Faker's licence
lie beside this script. Run it only to change the selection: the lessons read names.txt and need no Faker.
"""

import argparse
import importlib
from collections import Counter
from pathlib import Path

from rnncore.data import FILES

LANGUAGES = {
    "dutch": ["nl_NL"],
    "english": ["en_GB", "en_US"],
    "finnish": ["fi_FI"],
    "french": ["fr_FR", "fr_CH"],
    "german": ["de_DE"],
    "icelandic": ["is_IS"],
    "indonesian": ["id_ID"],
    "italian": ["it_IT"],
    "polish": ["pl_PL"],
    "spanish": ["es_ES"],
    "swahili": ["sw"],
    "swedish": ["sv_SE"],
    "turkish": ["tr_TR"],
    "yoruba": ["yo_NG"],
}
MOST = 450  # of one language, so that no language drowns the others
RAREST = 5  # names that a letter must occur in: a model learns little from fewer


def first_names(locale):
    """All first names that Faker has for a locale, lower case, of letters only."""
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    found = set()
    for kind in ("first_names", "first_names_male", "first_names_female", "first_names_unisex"):
        listed = getattr(provider, kind, ())
        found.update(() if isinstance(listed, property) else listed)
    # A capital dotted I becomes two characters in lower case, which isalpha refuses; so write i.
    lower = (name.replace("İ", "i").lower() for name in found)
    return {name for name in lower if name.isalpha() and 3 <= len(name) <= 12}


def spread(names, count):
    """At most count of the names, evenly spread over the alphabet."""
    names = sorted(names)
    if len(names) <= count:
        return names
    return [names[i * len(names) // count] for i in range(count)]


def rows():
    """(name, language) pairs, sorted, without the names that hold a rare letter."""
    pairs = []
    for language, locales in LANGUAGES.items():
        names = set().union(*(first_names(locale) for locale in locales))
        pairs += [(name, language) for name in spread(names, MOST)]
    letters = Counter(letter for name, _ in pairs for letter in set(name))
    return sorted((n, language) for n, language in pairs if all(letters[c] >= RAREST for c in n))


def main():
    parser = argparse.ArgumentParser(description="Make the lessons' list of first names from Faker.")
    parser.add_argument("--to", type=Path, default=FILES / "names.txt", help="the file to write")
    target = parser.parse_args().to
    try:
        pairs = rows()
    except ModuleNotFoundError:
        parser.exit(1, "Faker is not installed; install it with: python -m pip install Faker\n")
    text = "".join(f"{name}\t{language}\n" for name, language in pairs)
    target.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(pairs)} names in {len(LANGUAGES)} languages written to {target}")


if __name__ == "__main__":
    main()
