"""The measured gradients equal ones known by calculus, and the report finds a planted mistake."""

import re
from collections import namedtuple

import numpy as np
import pytest

from rnncore import layers
from rnncore.gradcheck import complex_step_gradient, gradient_check, numerical_gradient

rng = np.random.default_rng(0)
A, X = rng.normal(size=(3, 4)), rng.normal(size=(4, 5))


def bowl(arrays):
    """A function of a nest of arrays whose gradient is known, and which accepts complex numbers."""
    return (np.sin(arrays["w"]["a"] @ arrays["x"][0]) ** 2).sum() + (arrays["x"][1] ** 3).sum()


def bowl_gradient(arrays):
    a, (x, b) = arrays["w"]["a"], arrays["x"]
    dz = 2 * np.sin(a @ x) * np.cos(a @ x)
    return {"w": {"a": dz @ x.T}, "x": (a.T @ dz, 3 * b**2)}


@pytest.fixture
def nest():
    return {"w": {"a": A}, "x": (X, np.array([0.5, -2.0]))}


def test_central_differences_equal_calculus():
    measured = numerical_gradient(lambda x: (np.exp(x) * A).sum(), A)
    np.testing.assert_allclose(measured, np.exp(A) * A, rtol=1e-7)
    assert measured.shape == A.shape


def test_central_differences_are_of_second_order():
    errors = [
        abs(numerical_gradient(lambda x: np.exp(x).sum(), A, h) - np.exp(A)).max() for h in (1e-2, 1e-3)
    ]
    assert 80 < errors[0] / errors[1] < 120


def test_the_complex_step_is_exact_to_rounding():
    measured = complex_step_gradient(lambda x: (np.tanh(x) * A).sum(), A)
    np.testing.assert_allclose(measured, A * (1 - np.tanh(A) ** 2), rtol=1e-14)


@pytest.mark.parametrize("gradient", [numerical_gradient, complex_step_gradient])
def test_measuring_changes_nothing_and_takes_numbers_of_any_shape(gradient):
    seen = A.copy()
    gradient(lambda x: (x * x).sum(), seen)
    np.testing.assert_array_equal(seen, A)
    assert gradient(lambda x: x * x, np.array(3.0)) == pytest.approx(6.0)
    assert gradient(lambda x: x.sum(), np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("directions", [False, True])
@pytest.mark.parametrize(
    ("f", "method"),
    [(bowl, "complex step"), (lambda arrays: float(bowl(arrays)), "central differences")],
)
def test_a_right_gradient_is_right_by_the_best_method_that_works(nest, f, method, directions):
    report = gradient_check(f, nest, bowl_gradient(nest), directions=directions)
    assert report.right, report
    assert report.method == method
    assert [d.parameter for d in report.differences] == ["w.a", "x.0", "x.1"]


@pytest.mark.parametrize("directions", [False, True])
def test_a_wrong_gradient_is_found_where_it_is(nest, directions):
    grads = bowl_gradient(nest)
    grads["x"][0][2, 3] += 0.5
    report = gradient_check(bowl, nest, grads, directions=directions)
    assert not report.right
    assert report.worst.parameter == "x.0"
    assert [d.relative_error <= report.limit for d in report.differences] == [True, False, True]
    if not directions:
        assert report.worst.index == (2, 3)
        assert report.worst.received - report.worst.expected == pytest.approx(0.5)
        assert "[2, 3]" in repr(report)
    assert repr(report).startswith("1 of 3 gradients wrong (measured by complex step, limit 1e-09)")
    assert repr(report).count("<- wrong") == 1


def test_functions_that_accept_complex_numbers_but_are_not_analytic_are_measured_by_differences():
    report = gradient_check(lambda x: (abs(x) * x).sum(), A, 2 * abs(A))
    assert report.method == "central differences" and report.right, report


def test_a_gradient_that_is_zero_is_not_judged_on_rounding_noise():
    def f(arrays):
        return float((arrays[0] ** 2).sum() + 1e-14 * arrays[1].sum())

    assert gradient_check(f, [A, X], [2 * A, np.zeros_like(X)]).right
    assert not gradient_check(f, [A, X], [2 * A, np.full_like(X, 1e-3)]).right


def test_nan_is_wrong():
    grads = 2 * A
    grads[1, 2] = np.nan
    report = gradient_check(lambda x: (x * x).sum(), A, grads)
    assert not report.right and report.worst.index == (1, 2)


def test_a_limit_can_be_set():
    grads = 2 * A * (1 + 1e-4)
    assert not gradient_check(lambda x: (x * x).sum(), A, grads).right
    assert gradient_check(lambda x: (x * x).sum(), A, grads, limit=1e-3).right


@pytest.mark.parametrize(
    ("grads", "sentence"),
    [
        ({"a": A}, "the gradient of b is missing, expected shape (4, 5)"),
        ({"a": A, "b": A}, "the gradient of b has shape (3, 4), expected shape (4, 5)"),
    ],
)
def test_a_gradient_that_is_missing_or_misshapen_is_named(grads, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        gradient_check(lambda arrays: arrays["a"].sum() + arrays["b"].sum(), {"a": A, "b": X}, grads)


def test_a_gradient_of_something_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=re.escape("grads holds a.1, and arrays has nothing of that name")):
        gradient_check(lambda arrays: arrays["a"][0].sum(), {"a": [A]}, {"a": [A, A]})


def test_named_tuples_and_plain_numbers_are_arrays_too():
    State = namedtuple("State", ["h", "c"])
    arrays = State(h={"scale": 3.0}, c=[X])

    def f(state):
        return (state.h["scale"] ** 2 * state.c[0] ** 3).sum()

    right = State({"scale": 6.0 * (X**3).sum()}, [27.0 * X**2])
    report = gradient_check(f, arrays, right)
    assert report.right, report
    assert [(d.parameter, d.index == ()) for d in report.differences] == [("0.scale", True), ("1.0", False)]
    wrong = State({"scale": 6.0}, right.c)
    assert gradient_check(f, arrays, wrong).worst.parameter == "0.scale"


@pytest.mark.parametrize("size", [3, 40])
def test_directions_take_two_measurements_an_array_however_large_it_is(size):
    calls = []

    def f(arrays):
        calls.append(1)
        return float((np.sin(arrays["w"]) * arrays["b"]).sum())

    rng = np.random.default_rng(1)
    arrays = {"w": rng.normal(size=(size, size)), "b": rng.normal(size=size)}
    grads = {"w": np.cos(arrays["w"]) * arrays["b"], "b": np.sin(arrays["w"]).sum(axis=0)}
    assert gradient_check(f, arrays, grads, directions=True).right
    assert len(calls) <= 2 * len(arrays) + 3, "three more choose the method"


@pytest.mark.parametrize("directions", [False, True])
@pytest.mark.parametrize("make", [layers.RNN, layers.GRU, layers.LSTM])
def test_a_whole_layer_is_checked_and_a_mistake_in_it_found(make, directions):
    rng = np.random.default_rng(2)
    layer = make(3, 4, 2, bidirectional=True, rng=rng)
    x, dy = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 8))

    def f(arrays):
        layer.params = arrays["params"]
        return (layer.forward(arrays["x"])[0] * dy).sum()

    arrays = {"x": x, "params": layer.params}
    dx, _, grads = layer.backward(dy, layer.forward(x)[2])
    report = gradient_check(f, arrays, {"x": dx, "params": grads}, directions=directions)
    assert report.right, report
    grads["weight_hh_l1_reverse"] = grads["weight_hh_l1_reverse"].copy()
    grads["weight_hh_l1_reverse"][2, 3] *= 1.01
    report = gradient_check(f, arrays, {"x": dx, "params": grads}, directions=directions)
    assert report.worst.parameter == "params.weight_hh_l1_reverse"
    assert sum(d.relative_error > report.limit for d in report.differences) == 1
    assert directions or report.worst.index == (2, 3)


def test_whole_numbers_are_measured_like_any_others():
    for gradient in (numerical_gradient, complex_step_gradient):
        np.testing.assert_allclose(gradient(lambda x: (x * x).sum(), np.array([3, 4])), [6.0, 8.0])


@pytest.mark.parametrize("directions", [False, True])
def test_gradients_in_float32_are_judged_by_the_digits_that_they_have(directions):
    def f(x):
        return (np.tanh(x) * A).sum()

    right = ((1 - np.tanh(A) ** 2) * A).astype(np.float32)
    report = gradient_check(f, A, right, directions=directions)
    assert report.right and "in float32, limit 1e-04" in repr(report)
    assert not gradient_check(f, A, right * np.float32(1.001), directions=directions).right


@pytest.mark.parametrize("directions", [False, True])
def test_at_a_corner_whatever_lies_between_the_two_slopes_is_right(directions):
    x = np.array([-1.0, 0.0, 2.0, 0.0])

    def relu(x):
        return float(np.maximum(x, 0).sum())

    for slope in (0.0, 0.3, 1.0):
        report = gradient_check(relu, x, np.array([0.0, slope, 1.0, slope]), directions=directions)
        assert report.right, report
    assert directions or "2 at a corner, between its two slopes" in repr(report)
    report = gradient_check(relu, x, np.array([0.0, 1.5, 1.0, 0.0]))
    assert not report.right and report.worst.index == (1,)
    assert not gradient_check(relu, x, np.array([0.1, 0.0, 1.0, 0.0])).right


def test_what_is_too_small_to_judge_is_not_called_right():
    def f(x):
        return (1e-18 * x).sum()

    report = gradient_check(f, X, np.full_like(X, 2e-18))
    assert not report.right
    assert repr(report).startswith("0 of 1 gradient right, 1 too small to judge")
    assert "multiply the function by a large number" in repr(report)
    assert gradient_check(f, X, np.full_like(X, 1e-18)).right
    assert gradient_check(lambda x: 1e12 * f(x), X, np.full_like(X, 1e-6)).right
    assert not gradient_check(lambda x: 1e12 * f(x), X, np.full_like(X, 2e-6)).right
    assert gradient_check(lambda x: float(x.sum() * 0.0 + 1.0), X, np.zeros_like(X)).right


def test_a_bend_and_rounding_are_no_corners():
    """At the bottom of a bowl the slopes to both sides differ too, and so do those of a large constant."""
    zeros = np.zeros(3)
    for f in (lambda x: float((x * x).sum()), lambda x: float((x * x).sum() + 1e4)):
        assert gradient_check(f, zeros, zeros).right
        report = gradient_check(f, zeros, np.full(3, 5e-6))
        assert not report.right and report.differences[0].corners == 0, report
