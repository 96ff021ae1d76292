"""The bridge's codec: what goes in comes out, and nothing but plain data ever comes out."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox.bridge import (
    DTYPES,
    Malformed,
    TooLarge,
    _call,
    _look,
    crowded,
    decode,
    encode,
    question,
)
from rnncore.observe import Formula, Outcome, Unplain

ARRAYS = hnp.arrays(
    st.sampled_from(sorted(DTYPES.values(), key=str)), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0)
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text())
PLAIN = st.recursive(
    st.one_of(SCALARS, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(), inner, max_size=4),
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal in type, dtype, shape and every bit; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b


@given(PLAIN)
def test_plain_data_comes_back_as_it_was(value):
    assert same(decode(encode(value)), value)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_text_that_came_back_can_be_written(text):
    assert decode(json.dumps(text)).encode() is not None


def test_numpy_scalars_and_array_layouts():
    scalar = decode(encode(np.float32(0.1)))
    assert type(scalar) is np.float32 and scalar == np.float32(0.1)
    array = np.arange(12.0).reshape(3, 4).astype(">f8")[::2].T
    back = decode(encode(array))
    np.testing.assert_array_equal(back, array)
    assert back.flags.writeable and back.dtype == np.float64


@pytest.mark.parametrize(
    "value", [object(), np.array([{}]), np.array(["a"]), {1: 2}, {2}, b"", lambda: 0, np.longdouble(1)]
)
def test_what_is_not_plain_is_not_sent(value):
    with pytest.raises(TypeError):
        encode([value])


@pytest.mark.parametrize("value", [np.zeros(3000), "x" * 3000, [["y" * 900], ["z" * 900]]])
def test_large_data_is_not_sent(value):
    with pytest.raises(TooLarge):
        encode(value, most=1500)


def test_long_numbers_and_many_items_are_not_sent():
    assert decode(encode(-(2**1024))) == -(2**1024)
    for value in (10**5000, [[np.float64(1)] * 190_000] + [{"a": "," * 9}] * 9_000):
        with pytest.raises(TooLarge):
            encode(value)


def test_text_that_would_be_far_larger_as_values_is_not_read(monkeypatch):
    """Thirty megabytes of empty lists would be a gigabyte."""
    monkeypatch.setattr("json.loads", lambda text: pytest.fail("it was read"))
    with pytest.raises(Malformed):
        decode("[],".join("[" * 2 + "]" * 2 for _ in range(500_000)))
    assert not crowded(b"x" * 2**21) and crowded(b"{" * 2**20)


def test_deep_data_is_not_sent():
    value = 1
    for _ in range(40):
        value = [value]
    with pytest.raises(TooLarge):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[1]",
        '{"l": [1], "t": []}',
        '{"q": 1}',
        '{"l": 3}',
        '{"d": {"a": 1}}',
        '{"d": [["a"]]}',
        '{"d": [[1, 2]]}',
        '{"f": "3"}',
        '{"i": 7}',
        '{"c": [1]}',
        '{"u": 5}',
        '{"a": ["|O", [1], "AAAAAAAAAAA="]}',
        '{"a": ["<f8", [2], "AAAAAAAAAAA="]}',
        '{"a": ["<f8", [-1], "AAAAAAAAAAA="]}',
        '{"a": ["<f8", [true], "AAAAAAAAAAA="]}',
        '{"a": ["<f8", [1], "AAAAAA%AAAA="]}',
        '{"a": ["<f8", 1, "AAAAAAAAAAA="]}',
        '{"a": ["<f8", [0, 9223372036854775808], ""]}',
        '{"a": [["<f8"], [1], "AAAAAAAAAAA="]}',
        "[" * 100_000,
        '{"l": [' * 3000 + "1" + "]}" * 3000,
        "1" * 5000,
        '{"l": [' + "1," * 200_000 + "1]}",
        7,
        None,
        str(2**53),
        '{"i": "0x' + "f" * 300 + '"}',
        '{"l": [' + "[]," * 600_000 + "1]}",
        "[" + "{}," * 400_000,
    ],
)
def test_anything_else_is_malformed(text):
    with pytest.raises(Malformed):
        decode(text)


def test_formulas_reach_the_kernel_and_never_the_judge():
    text = encode(Formula("lambda x: 3 * x.sum()"))
    assert decode(text, formulas=True).value(np.ones(4)) == 12
    with pytest.raises(Malformed):
        decode(text)


def test_truth_values_are_zero_or_one():
    array = decode('{"a": ["|b1", [3], "AAH/"]}')
    assert array.tobytes() == b"\0\1\1"


def test_unplain_values_keep_only_a_name():
    assert decode(encode(Unplain("Tensor"))) == Unplain("Tensor")


def test_calls_and_looks_in_the_kernel():
    namespace = {"f": lambda x, k=1: (k * x, [None]), "n": 3, "thing": object()}
    assert [_look(namespace, name) for name in ("f", "n", "z")] == ["function", [3], "missing"]
    assert _look(namespace, "thing") == [Unplain("object")]
    outcome = Outcome.from_plain(decode(_call(namespace, "f", (np.arange(3),), {"k": 2}, 10_000)))
    assert outcome.value[0].tolist() == [0, 2, 4] and outcome.value[1] == [None]
    outcome = Outcome.from_plain(decode(_call(namespace, "f", (np.zeros(5000),), {}, 10_000)))
    assert outcome.error.kind == "TooLarge" and "MiB" in outcome.error.message


def test_question_is_one_expression():
    text = question("m", do="look", names=["a'b\"c\n"], most=5)
    assert compile(text, "", "eval")


@pytest.mark.parametrize("ends", ["returns", "raises"])
def test_a_function_of_ours_stands_in_for_theirs_during_one_call_alone(ends):
    namespace = {}
    exec("def f(x):\n    return g(x)\ndef g(x):\n    return -x", namespace)
    theirs = namespace["g"]
    ours = {"g": Formula("def g(x):\n    return 2 * x" + (" / 0" if ends == "raises" else ""))}
    outcome = Outcome.from_plain(decode(_call(namespace, "f", (3,), {}, 10_000, ours=ours)))
    assert (outcome.value == 6) if ends == "returns" else (outcome.error.kind == "ZeroDivisionError")
    assert namespace["g"] is theirs
    assert Outcome.from_plain(decode(_call(namespace, "f", (3,), {}, 10_000))).value == -3
