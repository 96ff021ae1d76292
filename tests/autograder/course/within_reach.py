"""What in a lesson's sandbox computes an answer to one of its exercises, found by running it.

``python -m tests.autograder.course.within_reach LESSON MODULE ...`` imports these modules of rnncore, and no
other, as students' code could: where the lesson has no torch, with one that is pretended, as a few lines in a
notebook can. Every function, class and method is called with an exercise's own arguments in every order that
fits, with sizes, with a time axis added and with a model that hands everything on. Printed, as JSON, is each
{exercise: [function, part]} where what comes out is a part of the right answer, on inputs drawn twice.
"""

import contextlib
import copy
import functools
import importlib.abc
import importlib.machinery
import inspect
import io
import itertools
import json
import os
import signal
import sys
import types
import warnings

import numpy as np

MOST_PLANS = 200  # calls of one function for one exercise
MOST_MADE = 20  # objects that one class made whose methods are called, too
MOST_SECONDS = 0.1  # of the processor, for one call
MOST_SECONDS_IN_USE = 0.25  # where a model is made and used
MOST_ENDLESS = 2  # calls of one function that took longer, after which it is called no more


ENDLESS = Ellipsis


class Tensor(np.ndarray):
    """An array with the methods of a tensor; where two things are wanted, itself and nothing more."""

    def __iter__(self):
        return iter((self, None))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **named: getattr(sys.modules["torch"], name)(self, *args, **named)

    def chunk(self, count, dim):
        return [part.view(Tensor) for part in np.split(np.asarray(self), count, axis=dim)]

    def new_zeros(self, *shape):
        return np.zeros(shape).view(Tensor)


class Anything:
    """Has every attribute, takes every call, and hands on what it is given first."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __call__(self, *args, **named):
        return tensor(args[0]) if args and isinstance(args[0], np.ndarray | np.generic) else Anything()

    def __iter__(self):
        return iter((Anything(), Anything()))


class Module:
    """Stands for torch.nn.Module."""

    def __call__(self, *args):
        return self.forward(*args)

    def parameters(self):
        return []


def tensor(value):
    return np.asarray(value).view(Tensor)


class Pretended(types.ModuleType):
    """A module in which torch's names mean numpy's."""

    __path__ = ()
    Module, Parameter, Tensor = Module, staticmethod(tensor), Tensor
    sigmoid = staticmethod(lambda x: tensor(1 / (1 + np.exp(-x))))
    empty = zeros = staticmethod(lambda *shape: tensor(np.zeros(shape)))
    cat = staticmethod(lambda parts, dim=0: tensor(np.concatenate(parts, axis=dim)))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self.__name__}.{name}" in sys.modules or name in ("nn", "utils", "functional"):
            return importlib.import_module(f"{self.__name__}.{name}")
        if not callable(getattr(np, name, None)):
            return Anything()

        def function(*args, dim=None, **named):
            named |= {} if dim is None else {"axis": dim}
            args = [[np.asarray(one) for one in arg] if isinstance(arg, list) else arg for arg in args]
            return tensor(getattr(np, name)(*args, **named))

        return function


class OnlyThese(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Refuses the modules of rnncore that are not shown, and makes pretended ones."""

    def __init__(self, shown, pretended):
        self.shown, self.pretended = shown, pretended

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.pretended:
            return importlib.machinery.ModuleSpec(name, self)
        if name.split(".")[0] == "rnncore" and name not in self.shown:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def create_module(self, spec):
        return Pretended(spec.name)

    def exec_module(self, module):
        pass


# What is called ---------------------------------------------------------------------------------------


def callables(modules):
    """(name, function or class) of all that these modules define."""
    for module in modules:
        for name, one in list(vars(module).items()):
            if callable(one) and getattr(one, "__module__", None) == module.__name__:
                yield f"{module.__name__}.{name}", one


def plans(function, exercise, case, most=MOST_PLANS):
    """Lists of arguments with which ``function`` may be tried, the likeliest first, at most so many."""
    try:
        words = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    places = [one for one in words if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    least = sum(one.default is one.empty for one in places)
    args = dict(zip(exercise.arguments, map(value_of, case.args), strict=False))
    named = [args[one.name] for one in places if one.name in args]
    if named:
        yield named
    raw = list(args.values())
    arrays = [one for one in raw if isinstance(one, np.ndarray) and one.ndim]
    sizes = [size for size in case.sizes.values() if isinstance(size, int)]
    stretched = [one[:, np.newaxis] for one in arrays]
    for pool in (raw, sizes, [*stretched, *raw, Anything(), *sizes]):
        for number in sorted({least, min(len(places), len(raw))}):
            yield from map(list, itertools.islice(itertools.permutations(pool, number), most))


def value_of(arg):
    return arg.value if hasattr(arg, "defines") else arg


def results(name, function, exercise, case):
    """(what was called and how, what came out) of every call that returned."""
    endless = objects = 0
    for number, plan in enumerate(plans(function, exercise, case)):
        made = attempt(lambda plan=plan: function(*copied(plan), **required_words(function)))
        endless += made is ENDLESS
        if endless > MOST_ENDLESS:
            return
        yield (name, number), made
        if isinstance(made, Anything) or type(made).__module__ in ("builtins", "numpy", "torch", __name__):
            continue
        objects += 1
        if objects > MOST_MADE:
            continue
        attempt(lambda made=made: equip(made, case))
        for method in ("__call__", *(word for word in dir(made) if not word.startswith("_"))):
            bound = attempt(lambda made=made, method=method: getattr(made, method))
            for again, second in enumerate(plans(bound, exercise, case, 60) if callable(bound) else ()):
                out = attempt(lambda bound=bound, second=second: bound(*copied(second)))
                yield (f"{name}(...).{method}", number, again), out


def copied(value):
    """Arguments of their own for each call: half a million copies are made, so those of arrays are cheap."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {name: copied(item) for name, item in value.items()}
    return value if isinstance(value, int | float | str | None | Anything) else copy.deepcopy(value)


@functools.cache
def required_words(function):
    """A generator for each argument that can only be given by its name, and must be."""
    words = inspect.signature(function).parameters.values()
    wanted = [one.name for one in words if one.kind == one.KEYWORD_ONLY and one.default is one.empty]
    return {name: np.random.default_rng(0) for name in wanted}


def equip(made, case):
    """Give an object the exercise's parameters wherever it has some of the same names."""
    for params in (arg for arg in case.args if isinstance(arg, dict)):
        own = getattr(made, "params", None)
        for name, value in params.items():
            if hasattr(made, name):
                setattr(made, name, tensor(value.copy()))
            if isinstance(own, dict):
                own.update({key: value.copy() for key in own if key.removesuffix("_l0") == name})


def attempt(action, most=MOST_SECONDS):
    """What ``action`` returns; None if it fails, ENDLESS if it takes longer than ``most`` seconds of CPU."""
    try:
        signal.setitimer(signal.ITIMER_PROF, most)
        try:
            return action()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except TimeoutError:
        return ENDLESS
    except (Exception, SystemExit):
        return None


# What comes out ---------------------------------------------------------------------------------------


def leaves(value):
    """The arrays and numbers in a value, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)][:200]
    if type(value).__module__ == "torch" and hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray | np.generic | int | float) and not isinstance(value, bool):
        return [np.asarray(value)]
    return []


def telling(exercise, case):
    """{number: array}: the parts of the right answer that nobody has by chance, or was given."""
    outcome = exercise.outcome(exercise.reference, case)
    assert outcome.error is None, outcome.error
    given = [leaf for arg in case.args for leaf in leaves(arg)]
    found = {}
    for number, leaf in enumerate(leaves(outcome.value)):
        plain = leaf.dtype.kind not in "fiu" or leaf.size == 0 or (leaf == leaf.ravel()[0]).all()
        if leaf.size == 1 and leaf.dtype.kind == "f" and float(leaf.ravel()[0]) % 0.125:
            plain = False
        if not plain and not any(same(leaf, one) for one in given):
            found[number] = leaf
    return found


def same(one, other):
    """Equal but for axes of length 1."""
    if one.size != other.size or other.dtype.kind not in "fiu":
        return False
    one, other = np.squeeze(np.asarray(one)), np.squeeze(np.asarray(other))
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-6, atol=1e-9))


def matches(name, function, exercise, case, wanted):
    """{(what was called and how, part)} that gave a part of the right answer."""
    if exercise.use is not None:
        made = attempt(lambda: exercise.outcome(function, case).value, MOST_SECONDS_IN_USE)
        return {((name,), part) for part in parts_in(wanted, leaves(made))}
    found = set()
    for how, made in results(name, function, exercise, case):
        out = leaves(made)
        if exercise.view is not None:
            out += leaves(attempt(lambda made=made: exercise.view(case, made, *[made] * len(case.more))))
        found |= {(how, part) for part in parts_in(wanted, out)}
    return found


def parts_in(wanted, out):
    return [part for part, leaf in wanted.items() if any(same(leaf, one) for one in out)] if out else []


def search(exercise, cases, modules):
    """[function, part] of all in ``modules`` that give a part of the answer to all ``cases``."""
    wanted = [telling(exercise, case) for case in cases]
    found = set()
    for name, function in callables(modules):
        kept = None
        for case, parts in zip(cases, wanted, strict=True):
            now = matches(name, function, exercise, case, parts)
            kept = now if kept is None else kept & now
            if not kept:
                break
        found |= {(how[0], part) for how, part in kept}
    return sorted(found)


def main(lesson, shown):
    from rnncore.exercises import of_lesson

    torch = {"09-pytorch", "10-translation", "12-captions"}
    exercises = [(one, [one.draw(np.random.default_rng(n))[0] for n in (1, 2)]) for one in of_lesson(lesson)]
    for exercise, cases in exercises:
        for case in cases:
            telling(exercise, case)  # imports all that the right answers use
    for name in [name for name in sys.modules if name.split(".")[0] in ("rnncore", "matplotlib")]:
        del sys.modules[name]
    sys.meta_path.insert(0, OnlyThese(set(shown), {"matplotlib"} | (set() if lesson in torch else {"torch"})))
    modules = []
    for name in shown:
        with contextlib.suppress(ImportError):
            modules.append(importlib.import_module(name))
    del os.fork  # what is tried in a copy of this process is no other function, and a copy takes longest
    signal.signal(signal.SIGPROF, lambda *_: (_ for _ in ()).throw(TimeoutError()))
    said, sys.stdout, sys.stderr, sys.argv = sys.stdout, io.StringIO(), io.StringIO(), sys.argv[:1]
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    found = {exercise.name: search(exercise, cases, modules) for exercise, cases in exercises}
    json.dump({"modules": [one.__name__ for one in modules], "found": found}, said)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
