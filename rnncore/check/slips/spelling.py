"""A word that there is not, for one that is spelled nearly alike: wherever it stands in a function's text.

In come the tree of a function, its local names and the words of the right function; out come texts, as (line,
kind, the function's whole text). The tree is meanwhile as the change has it, and then as before.
"""

import ast
import builtins
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

SPELLING = "spelling"  # a kind of edit
MOST = 3  # words that one may have been meant for, of those that are
ALIKE = 0.7  # or more, in difflib's measure


def words_of(tree) -> list[str]:
    """The names, attributes and keys that a tree uses, each once."""
    return list(dict.fromkeys(word for node in ast.walk(tree) if (word := _word(node))))


def respelled(tree, function, names: Sequence[str], words: Sequence[str]) -> Iterator[tuple]:
    """Each word that is neither a local name nor one of ``words`` for those that it is nearly."""
    known = {*names, *words, *dir(builtins)}
    used = {}
    for node in ast.walk(function) if words else ():
        if (word := _word(node)) and word not in known:
            used.setdefault((type(node), word), []).append(node)
    for (kind, word), nodes in used.items():
        for other in _spelled_alike(word, [*names, *words] if kind is ast.Name else words):
            try:
                for node in nodes:
                    _put(node, other)
                yield min(node.lineno for node in nodes), SPELLING, ast.unparse(tree)
            finally:
                for node in nodes:
                    _put(node, word)


def _spelled_alike(word: str, words: Sequence[str]) -> list[str]:
    same = [other for other in words if other.lower() == word.lower()]
    return list(dict.fromkeys([*same, *get_close_matches(word, words, MOST, ALIKE)]))


def _word(node) -> str:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
        case ast.Constant(value=str() as word) if word.isidentifier():
            return word
    return ""


def _put(node, word: str) -> None:
    field = {ast.Name: "id", ast.Attribute: "attr", ast.Constant: "value"}[type(node)]
    setattr(node, field, word)
