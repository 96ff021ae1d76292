"""Nothing that a student writes runs in an instructor's browser.

A graded notebook is opened by people: in the formgrader, in JupyterLab, as a feedback page. Its code
cells are shown as text, so what needs cleaning is markdown and outputs. Each rule here is one that can be
checked by eye: html that an output shows goes through nh3 (an allow-list, without style, class or id);
of markdown only plain inline tags without attributes stay tags; of outputs only a few kinds of data
stay. The cells of the release and the judge's own verdicts are the instructor's, and are left alone.
"""

import html
import re
import textwrap

import nbformat
import nh3

from autograder.intake.plain import TEX, plain
from autograder.judging.pictures import Album, pictures

# Characters of one output's text, and of all: a page has up to twenty times as many as what it shows.
MAX_OUTPUT_TEXT, MAX_ALL_OUTPUT = 100_000, 1_000_000
MAX_CODE, MAX_ALL_CODE = 60_000, 300_000
# Characters of markdown in a cell and in all of them: converters take time that grows with the square, so
# what is beyond the first is shown as it was written.
MAX_TEXT, MAX_AS_WRITTEN, MAX_ALL_TEXT = 30_000, 60_000, 200_000
LINE = 100
BLOCKED = "*(A part of this answer was not shown, because it could run in a browser.)*"

TAGS = set(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img "
    "kbd li mark ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul "
    "var".split()
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
PICTURE_LINK = re.compile(r"data:image/(png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=\s]*")
WEB_LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)
# This begins no tag for a browser, whatever a markdown converter does with it, and reads as a "<".
NO_TAG = "<\u200b"
PLAIN_TAG = re.compile(r"</?(b|i|u|s|em|strong|sub|sup|code|kbd|br|p)\s*/?>|<https?://[\w./?=&%#~+:-]+>")
TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
LINK_TARGET = re.compile(r"\]\(<?['\"]?(javascript|vbscript|data|file|blob):", re.IGNORECASE)
DEFINED_TARGET = re.compile(r"\]:\n?<?['\"]?(javascript|vbscript|data|file|blob):", re.IGNORECASE)
INDEX = re.compile(r"\w\[[^\[\]]*$")
ATTACHED = re.compile(r"(\]\(\s*<?|\]:\s*<?)(attachment:)([^\s)>]*)")
PICTURE = re.compile(r"!(?=\[)(?=\[[^\[\]\n]*\]\(attachment:([\w.-]+)|)")


def sanitise(notebook, spec):
    """Clean a graded notebook in place, and return it; ``spec`` says which cells are the instructor's."""
    released = {cell.grade_id: cell for cell in spec.cells}
    notebook.metadata = nbformat.from_dict(spec.notebook_metadata)
    album, text_room, code_room, output_room = Album(), MAX_ALL_TEXT, MAX_ALL_CODE, MAX_ALL_OUTPUT
    for cell in notebook.cells:
        own = released.get(cell.id)
        ours = own is not None and own.source == cell.source
        if cell.cell_type == "code":
            if not ours:
                cell.source = plain(cell.source, min(MAX_CODE, code_room), lines=True, tex=True)
                code_room = max(0, code_room - len(cell.source))
            outputs = []
            for output in cell.outputs:
                most = min(MAX_OUTPUT_TEXT, output_room)
                is_verdict = own is not None and own.kind == "test" and output.output_type == "execute_result"
                output = output if is_verdict else clean_output(output, most)
                output_room = max(0, output_room - _text_size(output or {}))
                outputs += [output] if output else []
            cell.outputs = outputs
        else:
            cell.cell_type = "markdown"
            if not ours:
                text, cell.attachments = album.gather(cell.source, cell.get("attachments", {}))
                cell.source = _shown_text(text, text_room, cell.attachments)
                text_room = max(0, text_room - len(cell.source))
        if not cell.get("attachments"):
            cell.pop("attachments", None)
    return notebook


def _shown_text(text, room, attachments):
    """Markdown, cleaned; of a very long text what is beyond the first part as it was written."""
    end = min(MAX_TEXT, room)
    if len(text) > end:
        end = max(text.rfind(sign, end // 2, end) for sign in ("\n\n", "\n", " ")) if end else 0
        end = end if end > 0 else min(MAX_TEXT, room)
    rest = plain(text[end:], min(MAX_AS_WRITTEN, max(0, room - end)), lines=True, tex=True)
    shown = clean_markdown(text[:end], attachments)
    if not rest:
        return shown
    lines = [part for line in rest.split("\n") for part in textwrap.wrap(line, LINE) or [""]]
    written = "\n".join(lines).replace("~~~", "~ ~ ~")  # nothing in it ends the fence
    return f"{shown}\n\n~~~~~~\n{written}\n~~~~~~"


def clean_html(text):
    """Html that can only be looked at: no script, style, link to code, form, frame or drawing."""
    cleaned = nh3.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
    )
    return clean_tex(cleaned)


def _attribute(tag, name, value):
    if name == "src":
        return value if PICTURE_LINK.fullmatch(value) else None
    if name == "href":
        return value if WEB_LINK.match(value) else None
    if name in ("width", "height", "colspan", "rowspan", "start"):
        return value if value.isdecimal() and len(value) < 5 else None
    return value


def clean_markdown(text, attachments=()):
    """Markdown in which raw html is text, but for plain inline tags, and no link leads to code.

    ``attachments``: the names of pictures that there are; nbconvert gives up on a page that wants another.
    """

    def unlinked(found):
        return found[0] if found[2] in attachments else f"] \u200b{found[1] or ''}"

    kept = []
    position = 0
    text = plain(text, len(text), lines=True, tex=True)
    # What is elsewhere may be followed, and is not fetched.
    text = PICTURE.sub(lambda found: found[0] if found[1] in attachments else "", text)
    for match in PLAIN_TAG.finditer(text):
        kept += [TAG_START.sub(NO_TAG, text[position : match.start()]), match.group()]
        position = match.end()
    text = "".join(kept) + TAG_START.sub(NO_TAG, text[position:])
    squeezed = _unescaped(text)
    text = ATTACHED.sub(lambda found: found[0] if found[3] in attachments else _missing(found), text)
    disguised = len(ATTACHED.findall(_unescaped(text))) > len(ATTACHED.findall(text))
    if LINK_TARGET.search(squeezed.replace("\n", "")) or _defines_target(text, squeezed) or disguised:
        # Some link here leads to code, perhaps in disguise: in this answer no link stays a link.
        text = re.sub(r"\](?=[(:\[\s])(?!\s\u200b)(\(attachment:([\w.-]+)\))?", unlinked, text)
        text = text.replace("<http", f"{NO_TAG}http")
        text = text if BLOCKED in text else f"{text}\n\n{BLOCKED}"
    return clean_tex(text)


def _missing(found):
    """A link to an attachment that is not there, as text: nbconvert gives up on a page that wants it."""
    return f"{found[1].replace(']', '] ' + chr(0x200B))}missing: {found[3]}"


def _defines_target(text, squeezed):
    """Does a link defined by its name, as in "[y]: target", lead to code? In "x[0]: data" there is none."""
    escaped = "\\[" in text or "\\]" in text
    return any(
        escaped or not INDEX.search(squeezed[max(0, found.start() - 200) : found.start()])
        for found in DEFINED_TARGET.finditer(squeezed)
    )


def _unescaped(text):
    """Text as a converter might read it that is looking for links: without blanks, entities and escapes."""
    return re.sub(r"[^\S\n]|[\x00-\x09\x0b-\x20\\\u200b]", "", html.unescape(html.unescape(text)))


def clean_tex(text):
    """TeX whose commands can only typeset."""
    return TEX.sub(r"\\text{\1}", text)


def clean_output(output, most=MAX_OUTPUT_TEXT):
    """One output with only what can be looked at, or None where nothing of it can.

    ``most``: characters of text in it.
    """
    kind = output.get("output_type")
    if most <= 0:
        return None
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        text = _shown(_joined(output.get("text", "")), most)
        return nbformat.from_dict({"output_type": "stream", "name": name, "text": text})
    if kind == "error":
        trace, lines = output.get("traceback"), []
        for line in trace[:200] if isinstance(trace, list) else ():
            if most <= 0:
                break
            lines.append(_shown(str(line), min(most, 5000)))
            most -= len(lines[-1])
        return nbformat.from_dict(
            {
                "output_type": "error",
                "ename": plain(output.get("ename", ""), 200),
                "evalue": plain(output.get("evalue", ""), 2000, lines=True),
                "traceback": lines,
            }
        )
    if kind not in ("display_data", "execute_result"):
        return None
    bundle = output.get("data")
    bundle = bundle if isinstance(bundle, dict) else {}
    data = pictures(bundle)
    for name, clean in TEXTS.items():
        if isinstance(bundle.get(name), str | list):
            text = _joined(bundle[name])
            data[name] = clean(plain(text, most, lines=True, colours=name == "text/plain", tex=True))
    if not data:
        return None
    cleaned = {"output_type": kind, "data": data, "metadata": _alt_texts(output, data)}
    if kind == "execute_result":
        cleaned["execution_count"] = None
    return nbformat.from_dict(cleaned)


def _alt_texts(output, data):
    """{media type: {"alt": text}}: what the output's pictures say to who cannot see them."""
    told, found = output.get("metadata"), {}
    for name in data if isinstance(told, dict) else ():
        about = told.get(name) if name.startswith("image/") else None
        if isinstance(about, dict) and isinstance(about.get("alt"), str):
            found[name] = {"alt": plain(about["alt"], tex=True)}
    return found


TEXTS = {
    "text/plain": str,
    "text/html": clean_html,
    "text/markdown": clean_markdown,
    "text/latex": lambda text: clean_tex(TAG_START.sub(NO_TAG, text)),
}


def _joined(value):
    return "".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else str(value)


def _shown(text, most=MAX_OUTPUT_TEXT):
    return plain(text, most, lines=True, colours=True, tex=True)


def _text_size(output):
    """How many characters of text an output shows, pictures aside."""
    data = {key: value for key, value in output.get("data", {}).items() if not key.startswith("image/")}
    return len(str(output.get("text", ""))) + len(str(output.get("traceback", ""))) + len(str(data))
