"""What passes between the judge and a student's kernel: plain data, read strictly, and nothing else.

The same file is used at both ends. In the kernel ``answer`` looks up a function in the notebook's
namespace, calls it through ``rnncore.observe`` and writes down the outcome. In the judge ``decode``
reads what came back and believes nothing: it builds only numbers, text, lists, tuples, dicts and
arrays of a dtype from a list, within a size. There is no pickle, no object array and no callable, so
the most that a hostile kernel can send is wrong numbers.
"""

import base64
import binascii
import json
import math

import numpy as np

DTYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
}
DEEPEST = 24
LARGEST_PLAIN = 2**53  # from here on JSON numbers mean different things to different readers
MOST_NODES = 200_000
MOST_MARKS = 1_000_000  # brackets, braces and commas: each may become a value, which is far larger
LONGEST_INTEGER = 300  # hexadecimal digits: more bits than the largest float has
MOST_BYTES = 16 * 2**20


class TooLarge(ValueError):
    """Data that is larger, longer or deeper than may pass."""


class Malformed(ValueError):
    """Text that is not an encoding of plain data."""


def encode(value, most=MOST_BYTES):
    """Plain data as JSON text; TooLarge if it would exceed ``most`` bytes, TypeError if it is not plain."""
    text = json.dumps(_Encoder(most).node(value, 0), ensure_ascii=True, allow_nan=False)
    if crowded(text):
        raise TooLarge("more than may be sent: too many items")
    return text


def crowded(text):
    """Whether JSON text might hold more values than are ever read; found out without reading it."""
    marks = "[{," if isinstance(text, str) else (b"[", b"{", b",")
    return len(text) > MOST_MARKS and sum(map(text.count, marks)) > MOST_MARKS


def decode(text, most=MOST_BYTES, formulas=False):
    """The data that ``text`` encodes; Malformed if it is anything but an encoding.

    ``formulas``: whether functions given as source text are made; only the kernel says yes.
    """
    if not isinstance(text, str) or len(text) > most * 2 or crowded(text):
        raise Malformed("too long")
    try:
        return _Decoder(most, formulas).node(json.loads(text), 0)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise Malformed(str(error)[:200]) from None


class _Encoder:
    def __init__(self, most):
        from rnncore.observe import Formula, Unplain

        self.bytes_left, self.nodes_left = most, MOST_NODES
        self.formula, self.unplain = Formula, Unplain

    def node(self, value, depth):
        self.nodes_left -= 1
        if depth > DEEPEST or self.nodes_left < 0:
            raise TooLarge("more than may be sent: too deep or too many items")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return self._text(value)
        if kind is int:
            return value if abs(value) < LARGEST_PLAIN else {"i": self._integer(value)}
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if kind is complex:
            return {"c": [self.node(value.real, depth), self.node(value.imag, depth)]}
        if kind in (list, tuple, dict) and len(value) > self.nodes_left:
            raise TooLarge("more than may be sent: too many items")
        if kind in (list, tuple):
            return {kind.__name__[0]: [self.node(item, depth + 1) for item in value]}
        if kind is dict and all(type(key) is str for key in value):
            return {"d": [[self._text(key), self.node(item, depth + 1)] for key, item in value.items()]}
        if kind is np.ndarray or isinstance(value, np.generic):
            return self._array(value)
        if kind is self.formula:
            return {"x": self._text(value.source)}
        if kind is self.unplain:
            return {"u": self._text(value.type_name)}
        raise TypeError(f"{kind.__name__} is not plain data; arrays, numbers, text and lists of them are")

    def _text(self, text):
        self._charge(len(text))
        return text

    def _integer(self, value):
        if value.bit_length() > 4 * LONGEST_INTEGER - 12:  # with room for the sign and 0x
            raise TooLarge("a whole number with more digits than may be sent")
        return self._text(hex(value))

    def _array(self, value):
        array = np.asarray(value)
        dtype = array.dtype.newbyteorder("=")
        if dtype.str not in DTYPES:
            raise TypeError(f"arrays of dtype {array.dtype} cannot be sent")
        self._charge(array.nbytes)
        data = base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()
        return {"n" if isinstance(value, np.generic) else "a": [dtype.str, list(array.shape), data]}

    def _charge(self, size):
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise TooLarge("more bytes than may be sent")


class _Decoder:
    def __init__(self, most, formulas):
        self.most, self.formulas, self.nodes_left = most, formulas, MOST_NODES

    def node(self, node, depth):
        self.nodes_left -= 1
        if depth > DEEPEST or self.nodes_left < 0:
            raise Malformed("too deep or too many items")
        if node is None or type(node) in (bool, float):
            return node
        if type(node) is int and abs(node) < LARGEST_PLAIN:
            return node
        if type(node) is str:
            return _clean(node)
        if type(node) is not dict or len(node) != 1:
            raise Malformed("not one tagged value")
        ((tag, body),) = node.items()
        if tag in ("l", "t") and type(body) is list:
            items = [self.node(item, depth + 1) for item in body]
            return items if tag == "l" else tuple(items)
        if tag == "d" and type(body) is list:
            return {_clean(key): self.node(item, depth + 1) for key, item in body}
        if tag in ("a", "n"):
            return self._array(tag, *body)
        if tag == "f" and body in ("nan", "inf", "-inf"):
            return float(body)
        if tag == "i" and len(body) <= LONGEST_INTEGER:
            return int(body, 16)
        if tag == "c":
            real, imaginary = body
            return complex(float(self.node(real, depth + 1)), float(self.node(imaginary, depth + 1)))
        return self._special(tag, body)

    def _special(self, tag, body):
        from rnncore.observe import Formula, Unplain

        if tag == "u":
            return Unplain(_clean(body)[:100])
        if tag == "x" and self.formulas:
            return Formula(body)
        raise Malformed("unknown tag")

    def _array(self, tag, dtype, shape, data):
        dtype = DTYPES[dtype]
        if type(shape) is not list or len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
            raise Malformed("not a shape")
        try:
            raw = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise Malformed(str(error)) from None
        if len(raw) != math.prod(shape) * dtype.itemsize or len(raw) > self.most:
            raise Malformed("shape and size differ")
        # A truth value from outside could be a byte that is neither 0 nor 1.
        flat = np.frombuffer(raw, np.uint8) != 0 if dtype.kind == "b" else np.frombuffer(raw, dtype).copy()
        array = flat.reshape(shape)
        return array[()] if tag == "n" else array


def _clean(text):
    """Text that can be written as UTF-8: half of a surrogate pair becomes a question mark."""
    if type(text) is not str:
        raise Malformed("not text")
    return text.encode("utf-8", "replace").decode()


# In the student's kernel ----------------------------------------------------------------------------


class Reply:
    """An answer, given to Jupyter as the text/plain of a value."""

    def __init__(self, text):
        self.text = text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text}


def question(module, **request):
    """The expression that has a kernel, where this file is ``module``, answer ``request``."""
    return f"__import__({module!r}, fromlist=['answer']).answer({encode(request)!r})"


def answer(text):
    """Answer one question about the notebook's namespace; runs in the student's kernel.

    ``do`` is "look" (``names`` -> what each is: "function", "missing", or a list with its value),
    "call" (``name``, ``args``, ``named`` -> an Outcome as plain data), "calls" (``name``, ``groups`` of
    arguments -> the Outcomes of each group, up to one that fails), "source" (``name`` -> its own text and
    first line) or "versions" (``name``, ``sources``, ``calls`` -> Outcomes). For calls ``ours``, functions as
    their text, may take the place of the notebook's own by their names; ``most`` bounds the answer.
    """
    from IPython import get_ipython

    return Reply(respond(get_ipython().user_ns, decode(text, formulas=True)))


def respond(namespace, request):
    """The answer to one question about a namespace, as text."""
    from rnncore.versions import source_of

    if request["do"] == "look":
        return encode({name: _look(namespace, name) for name in request["names"]}, request["most"])
    if request["do"] == "source":
        return encode(list(source_of(namespace.get(request["name"]))), request["most"])
    return {"versions": _versions, "calls": _calls, "call": _call}[request["do"]](namespace, **request)


def _look(namespace, name):
    from rnncore.observe import plain

    if name not in namespace:
        return "missing"
    return "function" if callable(namespace[name]) else [plain(namespace[name])]


def _versions(namespace, name, sources, calls, most, ours=None, do="versions"):
    """The outcomes of other versions of a function as text; none where they are larger than may be sent."""
    from rnncore.versions import run_versions

    helpers = {helper: formula.value for helper, formula in (ours or {}).items()}
    try:
        outcomes = run_versions(namespace[name], sources, calls, helpers)
        return encode([outcome.to_plain() for outcome in outcomes], most)
    except (TooLarge, TypeError):
        return encode([], most)


def _calls(namespace, name, groups, most, do="calls"):
    """The outcomes of groups of calls as text; none where they are larger than may be sent."""
    from rnncore.observe import observe

    found = []
    for calls in groups:
        found.append([])
        for args in calls:
            outcome = observe(namespace[name], args)
            found[-1].append(outcome.to_plain())
            if outcome.error:
                break
    try:
        return encode(found, most)
    except TooLarge:
        return encode([], most)


def _call(namespace, name, args, named, most, ours=None, do="call"):
    """The outcome of one call as text; meanwhile functions of ``ours`` stand where their namesakes did."""
    import functools

    from rnncore.observe import Outcome, StudentError, observe

    function = functools.partial(namespace[name], **named) if named else namespace[name]
    ours = {helper: formula.value for helper, formula in (ours or {}).items()}
    theirs = {helper: namespace[helper] for helper in ours if helper in namespace}
    namespace.update(ours)
    try:
        outcome = observe(function, args)
    finally:
        namespace.update(theirs)
    try:
        return encode(outcome.to_plain(), most)
    except TooLarge:
        error = StudentError("TooLarge", f"The answer is larger than {most / 2**20:g} MiB.")
        return encode(Outcome(error=error).to_plain(), most)
