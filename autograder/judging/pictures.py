"""Pictures in answers: whatever an editor called them and however it put them in, all are shown.

A picture is known by its first bytes, never by what it is called, so nothing that runs is among them. In the
text each is an attachment with a name that every converter finds.
"""

import base64
import binascii
import html
import re
import unicodedata
from urllib.parse import unquote

MOST_BYTES, MOST_ALL = 10_000_000, 40_000_000
NOT_SHOWN = "*(A picture in this answer could not be shown.)*"
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}")
INLINE = re.compile(
    r"data:image/[\w.+-]{1,40};base64,([A-Za-z0-9+/=%]+(?:\n[ \t]*[A-Za-z0-9+/=%]{16,}(?=[\n\"')>]))*"
    r"(?:\n[ \t]*[A-Za-z0-9+/=%]{1,15}(?=[\"')>]))?)",
    re.IGNORECASE,
)
TAG = re.compile(r"<img\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"\b(src|alt)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
REFERENCE = re.compile(r"attachment:", re.IGNORECASE)
DEFINED = re.compile(r"^ {0,3}\[([^\[\]\n]+)\]:\s*(attachment:[\w.-]+).*$", re.MULTILINE)
BY_NAME = re.compile(r"!\[([^\[\]\n]*)\](?:\[([^\[\]\n]*)\])?(?!\()")
ENDS = re.compile(r"[)>\"'\]\s]|$")
LONGEST_NAME, LONGEST_TEXT = 400, 200_000  # characters that are looked through
MOST_REFERENCES = 1000  # to pictures, in a notebook


def kind_of(raw):
    """The media type of a picture that browsers show, by its first bytes; None for anything else."""
    if raw[:4] == b"\x89PNG":
        return "image/png"
    if raw[:2] == b"\xff\xd8":
        return "image/jpeg"
    if raw[:4] == b"GIF8":
        return "image/gif"
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "image/webp"
    if raw[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return None


def picture(text):
    """{media type: base64} of a picture in base64; {} where it is none, or too large."""
    text = "".join(part for part in text if isinstance(part, str)) if isinstance(text, list) else text
    if not isinstance(text, str) or len(text) > 1.5 * MOST_BYTES:
        return {}
    try:
        raw = base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return {}
    kind = kind_of(raw)
    return {kind: base64.b64encode(raw).decode()} if kind and len(raw) <= MOST_BYTES else {}


def pictures(bundle):
    """The first picture of a bundle {media type: data}, under the media type that it has."""
    for value in bundle.values() if isinstance(bundle, dict) else ():
        if found := picture(value):
            return found
    return {}


class Album:
    """The pictures of one notebook, for as long as there is room for more."""

    def __init__(self):
        self.room, self.references = MOST_ALL, MOST_REFERENCES

    def gather(self, text, attachments):
        """(text, attachments): all pictures of a text cell as attachments, and the text that shows them."""
        kept, names = {}, {}
        for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
            if isinstance(name, str) and (found := self._take(pictures(bundle))):
                names[_canonical(name)] = _add(kept, found, name)

        def inline(match):
            found = self._take(picture(unquote(match[1])))
            return f"attachment:{_add(kept, found)}" if found else "attachment:-"

        text = INLINE.sub(inline, text)[:LONGEST_TEXT]
        text = TAG.sub(_as_markdown, text)
        names = {_canonical(name): name for name in kept} | names
        text, lost = self._renamed(text, names)
        text = _in_line(text)
        unseen = [name for name in kept if f"attachment:{name}" not in text]
        if lost:
            text += "".join(f"\n\n![{name}](attachment:{name})" for name in unseen)
        if lost > len(unseen) and NOT_SHOWN not in text:
            text += f"\n\n{NOT_SHOWN}"
        return text, kept

    def _renamed(self, text, names):
        """(text with the names that the pictures have now, how many references lead to none)."""
        made, position, lost = [], 0, 0
        for match in REFERENCE.finditer(text):
            if match.start() < position:
                continue
            self.references -= 1
            rest = text[match.end() : match.end() + LONGEST_NAME].split("\n")[0]
            ends = [end.start() for end in ENDS.finditer(rest) if not rest[: end.start()][-1:].isspace()][:60]
            ends = ends if names and self.references > 0 else []
            found = next((end for end in reversed(ends) if names.get(_canonical(rest[:end]))), None)
            before = text[max(0, match.start() - 2) : match.start()].replace(" ", "")
            if found is None:
                lost += before[-1:] in ("(", "<")
                continue
            made += [text[position : match.start()], f"attachment:{names[_canonical(rest[:found])]}"]
            position = match.end() + found
        text = "".join([*made, text[position:]])
        return re.sub(rf"<(attachment:{SAFE_NAME.pattern})>", r"\1", text), lost

    def _take(self, found):
        size = sum(map(len, found.values()))
        if size > self.room:
            return {}
        self.room -= size
        return found


def _add(kept, found, name=""):
    """Put a picture among those that are kept, by its own name if that is one that every converter finds."""
    if not SAFE_NAME.fullmatch(name) or name in kept:
        number, ending = len(kept) + 1, next(iter(found)).rpartition("/")[2]
        while f"picture-{number}.{ending}" in kept:
            number += 1
        name = f"picture-{number}.{ending}"
    kept[name] = found
    return name


def _canonical(name):
    """A name as the same picture is called in a link: whatever was encoded, escaped or composed otherwise."""
    name = html.unescape(unquote(re.sub(r"\\([_*()\[\] ])", r"\1", name)))
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _as_markdown(match):
    """An <img> tag of a picture in the notebook, as Markdown; any other stays as it was written."""
    words = {name.lower(): html.unescape(value.strip("\"'")) for name, value in ATTRIBUTE.findall(match[1])}
    if not words.get("src", "").lower().startswith("attachment:"):
        return match[0]
    alt = re.sub(r"[\[\]\\\n]", " ", words.get("alt", "")).strip() or "picture"
    return f"![{alt}]({words['src']})"


def _in_line(text):
    """Pictures that name a link defined elsewhere, as in ![x][y], with the link itself."""
    defined = {_canonical(label): target for label, target in DEFINED.findall(text)}
    if not defined:
        return text

    def link(match):
        target = defined.get(_canonical(match[2] or match[1]))
        return f"![{match[1]}]({target})" if target else match[0]

    return DEFINED.sub("", BY_NAME.sub(link, text)).rstrip("\n")
