"""Nothing that a student writes runs in an instructor's browser.

A graded notebook is opened by people: in the formgrader, in JupyterLab, as a feedback page. Its code
cells are shown as text, so what needs cleaning is markdown and outputs. Each rule here is one that can be
checked by eye: html that an output shows goes through nh3 (an allow-list, without style, class or id);
of markdown only plain inline tags without attributes stay tags; of outputs only a few kinds of data
stay. The cells of the release and the judge's own verdicts are the instructor's, and are left alone.
"""

import base64
import binascii
import html
import re

import nbformat
import nh3

MAX_OUTPUT_TEXT = 100_000
# Characters of markdown in a cell and in all of them: converters take time that grows with the square.
MAX_TEXT, MAX_ALL_TEXT = 30_000, 200_000
PICTURES = ("image/png", "image/jpeg", "image/gif")
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
PICTURE_LINK = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")
WEB_LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)
PLAIN_TAG = re.compile(r"</?(b|i|u|s|em|strong|sub|sup|code|kbd|br|p)\s*/?>|<https?://[\w./?=&%#~+:-]+>")
TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
LINK_TARGET = re.compile(r"(\]\(|\]:|<|=)<?['\"]?(javascript|vbscript|data|file|blob):", re.IGNORECASE)
ATTACHED = re.compile(r"(\]\(\s*<?|\]:\s*<?)(attachment:)([^\s)>]*)")
# TeX that MathJax turns into links, styles or markup.
TEX = re.compile(r"\\(href|url|style|class|cssId|bbox|require|html\w*|data|unicode|mmlToken|Tip|tooltip)\b")


def sanitise(notebook, spec):
    """Clean a graded notebook in place, and return it; ``spec`` says which cells are the instructor's."""
    released = {cell.grade_id: cell for cell in spec.cells}
    notebook.metadata = nbformat.from_dict(spec.notebook_metadata)
    room = MAX_ALL_TEXT
    for cell in notebook.cells:
        own = released.get(cell.id)
        if cell.cell_type == "code":
            cell.source = nbformat_text(cell.source)
            if own is None or own.kind != "test":
                cell.outputs = [output for output in map(clean_output, cell.outputs) if output]
        else:
            cell.cell_type = "markdown"
            if own is None or own.source != cell.source:
                cell.attachments = clean_attachments(cell.get("attachments", {}))
                text = _shown(cell.source, min(MAX_TEXT, room))
                room = max(0, room - len(text))
                cell.source = clean_markdown(text, cell.attachments)
        if not cell.get("attachments"):
            cell.pop("attachments", None)
    return notebook


def nbformat_text(text):
    """Text without the control characters that no file format wants."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]", "", text)


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
    kept = []
    position = 0
    text = nbformat_text(text)
    for match in PLAIN_TAG.finditer(text):
        kept += [TAG_START.sub("< ", text[position : match.start()]), match.group()]
        position = match.end()
    # A "<" before a blank begins no tag for a browser, whatever a markdown converter does with it.
    text = "".join(kept) + TAG_START.sub("< ", text[position:])
    plain = _unescaped(text)
    text = ATTACHED.sub(lambda found: found[0] if found[3] in attachments else f"{found[1]}missing ", text)
    disguised = len(ATTACHED.findall(_unescaped(text))) > len(ATTACHED.findall(text))
    if LINK_TARGET.search(plain) or disguised:
        # Some link here leads to code, perhaps in disguise: in this answer no link stays a link.
        text = re.sub(r"\](?=[(:\[\s])(?!\s\u200b)", "] \u200b", text).replace("<http", "< http")
        text = text if BLOCKED in text else f"{text}\n\n{BLOCKED}"
    return clean_tex(text)


def _unescaped(text):
    """Text as a converter might read it that is looking for links: without blanks, entities and escapes."""
    return re.sub(r"[\s\x00-\x20\\]", "", html.unescape(html.unescape(text)))


def clean_tex(text):
    """TeX whose commands can only typeset."""
    return TEX.sub(r"\\text{\1}", text)


def clean_attachments(attachments):
    """The pictures among a markdown cell's attachments."""
    kept = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        data = _pictures(bundle)
        if data and re.fullmatch(r"[\w .()-]{1,100}", name):
            kept[name] = data
    return kept


def clean_output(output):
    """One output with only what can be looked at, or None where nothing of it can."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return nbformat.from_dict(
            {"output_type": "stream", "name": name, "text": _shown(_joined(output.get("text", "")))}
        )
    if kind == "error":
        trace = output.get("traceback")
        lines = trace if isinstance(trace, list) else []
        return nbformat.from_dict(
            {
                "output_type": "error",
                "ename": _shown(str(output.get("ename", "")))[:200],
                "evalue": _shown(str(output.get("evalue", "")))[:2000],
                "traceback": [_shown(str(line)) for line in lines[:200]],
            }
        )
    if kind not in ("display_data", "execute_result"):
        return None
    bundle = output.get("data")
    bundle = bundle if isinstance(bundle, dict) else {}
    data = _pictures(bundle)
    for name, clean in TEXTS.items():
        if isinstance(bundle.get(name), str | list):
            data[name] = clean(_shown(_joined(bundle[name])))
    if not data:
        return None
    cleaned = {"output_type": kind, "data": data, "metadata": {}}
    if kind == "execute_result":
        cleaned["execution_count"] = None
    return nbformat.from_dict(cleaned)


TEXTS = {
    "text/plain": str,
    "text/html": clean_html,
    "text/markdown": clean_markdown,
    "text/latex": lambda text: clean_tex(TAG_START.sub("< ", text)),
}


def _pictures(bundle):
    kept = {}
    for name in PICTURES:
        value = bundle.get(name) if isinstance(bundle, dict) else None
        if isinstance(value, str | list):
            try:
                kept[name] = base64.b64encode(base64.b64decode(_joined(value), validate=False)).decode()
            except (binascii.Error, ValueError):
                continue
    return kept


def _joined(value):
    return "".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else str(value)


def _shown(text, most=MAX_OUTPUT_TEXT):
    text = nbformat_text(text)
    if len(text) > most:
        return text[:most] + "\n[... the rest was left out]"
    return text
