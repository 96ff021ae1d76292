"""The lessons' formulas are what the code computes, and their arithmetic comes out as they say."""

import math
import re

import pytest

from tests.notebooks import reading
from tests.notebooks.equations import TWINS
from tests.notebooks.reading import SOLUTIONS, name_of

DISPLAYED = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
INLINE = re.compile(r"(?<!\$)\$([^$\n]+)\$(?!\$)")
FUNCTIONS = {"tanh": math.tanh, "log": math.log, "sqrt": math.sqrt, "sigma": lambda a: 1 / (1 + math.exp(-a))}
CALLS = "|".join(FUNCTIONS)


def displayed(path):
    cells = reading.markdown(reading.read(path))
    return [" ".join(formula.split()) for cell in cells for formula in DISPLAYED.findall(cell.source)]


@pytest.mark.parametrize("path", SOLUTIONS, ids=name_of)
def test_every_displayed_formula_has_a_twin_in_code(path):
    lesson = path.parent.name
    missing = [formula for formula in displayed(path) if (lesson, formula) not in TWINS]
    assert not missing, f"write their twins in tests/notebooks/equations.py: {missing}"


def test_no_twin_stands_for_a_formula_that_is_gone():
    there = {(path.parent.name, formula) for path in SOLUTIONS for formula in displayed(path)}
    assert not TWINS.keys() - there


@pytest.mark.parametrize("twin", dict.fromkeys(TWINS.values()), ids=lambda twin: twin.__name__)
def test_formulas_are_what_torch_and_rnncore_compute(twin):
    twin()


# Arithmetic in the text --------------------------------------------------------------------------------


def value(side):
    """What one side of an equation comes to; None where it is no plain arithmetic."""
    text = re.sub(r"\\[,;!]|\\left|\\right|\\ ", " ", side)
    text = text.replace(r"\cdot", "*").replace(r"\times", "*").replace("−", "-")
    while (simpler := re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)) != text:
        text = simpler
    text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)
    text = re.sub(r"\^(\d)", r"**\1", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
    text = re.sub(r"\\tanh\^2", "", text)
    text = re.sub(rf"\\({CALLS})\s*(-?[\d.]+)", r"\1(\2)", text)
    text = re.sub(rf"\\({CALLS})", r"\1", text)
    rest = re.sub(rf"\b({CALLS})\(", "(", text)
    if not re.search(r"\d", rest) or re.search(r"[^\d\s.()+*/,-]", rest) or "," in rest:
        return None
    return eval(text, {"__builtins__": {}}, FUNCTIONS)


def arithmetic(path):
    """(formula, its numeric sides) for every inline formula that says that numbers are equal."""
    for cell in reading.markdown(reading.read(path)):
        for formula in INLINE.findall(DISPLAYED.sub("", cell.source)):
            sides = re.split(r"(?<![<>!\\])=|\\approx", formula)
            numbers = [(side, number) for side in sides if (number := value(side)) is not None]
            if len(numbers) > 1:
                yield formula, numbers


def half_a_digit(number):
    """How far a written number may be from the one that was rounded to it."""
    _, point, digits = number.partition(".")
    return 0.5 * 10.0 ** -len(digits) if point else 0.0


def rounding(side):
    """How much of a side's value the rounding of the numbers written in it may be."""
    total = 0.0
    for found in re.finditer(r"\d+\.\d+", side):
        moved = f"{float(found[0]) + half_a_digit(found[0]):.12f}"
        total += abs(value(side[: found.start()] + moved + side[found.end() :]) - value(side))
    return total


def disagreements(path):
    """Formulas whose sides differ by more than the rounding of the numbers shown in them."""
    wrong = []
    for formula, ((first, number), *others) in arithmetic(path):
        for side, other in others:
            if r"\approx 10^" in formula:  # an order of magnitude
                agrees = abs(math.log10(number / other)) < 0.5
            else:
                agrees = abs(number - other) <= rounding(first) + rounding(side) + 1e-9
            if not agrees:
                wrong.append(f"{formula}: {number:g} is not {other:g}")
    return wrong


@pytest.mark.parametrize("path", SOLUTIONS, ids=name_of)
def test_arithmetic_in_the_text_comes_out(path):
    assert disagreements(path) == []


def test_the_arithmetic_is_really_read():
    assert sum(1 for path in SOLUTIONS for _ in arithmetic(path)) >= 25
    assert value(r"0.6 \cdot \tanh(0.52)") == pytest.approx(0.6 * math.tanh(0.52))
    assert value(r"-\log 0.2447") == pytest.approx(-math.log(0.2447))
    assert value(r"h_1") is None
    assert value(r"\sqrt{9 + 16 + 144}") == 13
    assert rounding("0.5") == pytest.approx(0.05) and rounding("13") == 0
