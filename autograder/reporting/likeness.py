"""How alike two answers are, whatever they call their variables: a number for each pair, and no verdict.

Code is read as its syntax tree, in which chosen names, brackets, comments and docstrings are no words. Every
run of ``RUN`` words inside one statement is a piece, so the order of statements says nothing, nor which side
of a sum comes first; prose is read in runs of words. What the lesson hands out does not count, nor what most
of the class has. What is left in common, as a share of the shorter answer, is how alike two are: a copy that
was renamed, moved about, commented and left half finished is still all there.
"""

import ast
import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations, islice

RUN, SHORTEST = 8, 5  # words in a piece, and in a statement that is a piece as a whole
RUN_OF_PROSE = 4
LEAST = 15  # pieces of its own below which an answer is too short to say anything
LINE = 0.85  # from where on a pair is shown
LEAST_CLASS = 8  # answers from which on something can be what most of the class has
LONGEST = 60_000  # characters of one answer that are read
MOST_LOOKED_AT = 40  # words of a side of a sum, by which the sides are put in order
MOST_BROKEN = 20  # lines of one answer that are left out because they are no Python


@dataclass(frozen=True)
class Pair:
    """Two students' answers to one exercise: the share that they have in common, and the pieces."""

    exercise: str
    students: tuple
    share: float
    common: frozenset


class Text:
    """An answer as pieces, with the lines that each piece stands on."""

    def __init__(self, source, prose=False):
        source = source[:LONGEST]
        groups, length = (_sentences(source), RUN_OF_PROSE) if prose else (_statements(source), RUN)
        self.lines = defaultdict(set)
        for words in groups:
            if len(words) < min(SHORTEST, length):
                continue
            for start in range(max(1, len(words) - length + 1)):
                run = words[start : start + length]
                self.lines[hash(tuple(word for word, _ in run))].update(line for _, line in run)
        self.pieces = frozenset(self.lines)

    def lines_of(self, pieces):
        """The numbers of the lines, from 0, on which these pieces stand."""
        return {line for piece in pieces & self.pieces for line in self.lines[piece]}


def _sentences(source):
    """One list of (word, line): in prose, every word follows the one before."""
    lines = enumerate(source.splitlines())
    return [[(word.casefold(), number) for number, line in lines for word in re.findall(r"\w+", line)]]


def _statements(source):
    """A list of (word, line) for each statement of the code, without the statements inside it."""
    tree = _tree(source)
    groups, stack = [], [(tree, 0, None)] if tree else []
    while stack:
        node, line, group = stack.pop()
        if isinstance(node, ast.expr_context) or _runs_nothing(node):
            continue
        line = node.lineno - 1 if hasattr(node, "lineno") else line
        if isinstance(node, ast.stmt):
            group = []
            groups.append(group)
        if group is not None:
            group.append((_word(node), line))
        stack += [(below, line, group) for below in reversed(_below(node))]
    return groups


def _below(node):
    """What a node consists of; the sides of a sum or a product in an order of their own."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
        return [node.op, *sorted((node.left, node.right), key=_shape)]
    return list(ast.iter_child_nodes(node))


def _shape(node):
    return sorted(map(_word, islice(ast.walk(node), MOST_LOOKED_AT)))


def _tree(source):
    """The syntax tree; lines at which Python stops are left out, one by one."""
    lines = source.splitlines()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a student wrote
        for _ in range(MOST_BROKEN):
            try:
                return ast.parse("\n".join(lines))
            except SyntaxError as error:
                if not lines:
                    break
                lines[max(1, min(error.lineno or 1, len(lines))) - 1] = ""
            except (ValueError, RecursionError, MemoryError):
                break
    return None


def _runs_nothing(node):
    """Docstrings, and other values that stand alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _word(node):
    """What a node says, but for names that its writer chose."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.keyword):
        return f"{node.arg}="
    return type(node).__name__


def of_their_own(texts, given=frozenset()):
    """{student: pieces}: without the lesson's, ``given``, and without those that most of the class has."""
    usual = set(given)
    if len(texts) >= LEAST_CLASS:
        count = Counter(piece for text in texts.values() for piece in text.pieces)
        usual |= {piece for piece, number in count.items() if 2 * number > len(texts)}
    own = {student: text.pieces - usual for student, text in texts.items()}
    return {student: pieces for student, pieces in own.items() if len(pieces) >= LEAST}


def alike(exercise, own, line=LINE):
    """The Pairs of an exercise whose share is ``line`` or more; ``own``: {student: pieces}."""
    pairs = []
    for (one, ones), (other, others) in combinations(sorted(own.items()), 2):
        common = ones & others
        share = len(common) / min(len(ones), len(others))
        if share >= line:
            pairs.append(Pair(exercise, (one, other), share, common))
    return pairs
