"""Markdown for pages that run nothing: formulas become MathML, which browsers draw by themselves."""

import html
import re
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, metadata
from xml.etree import ElementTree

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# Code, in which a dollar is a dollar, or a formula.
MATH = re.compile(
    r"(```.*?```|`[^`]*`)|\$\$(.+?)\$\$|(?<![\\$])\$(?![\s$])([^$\n]+?)(?<![\s\\])\$(?!\d)", re.DOTALL
)
# Code as it is highlighted, or as a block of Markdown; and how many signs of it a telephone has room for.
CODE = re.compile(r'(class="[^"]*\bhighlight\b[^"]*"[^>]*>\s*)?<pre>(.*?)</pre>', re.DOTALL)
NARROW = 30
MATHML_TAGS = set(
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle mpadded mphantom menclose msub msup msubsup "
    "munder mover munderover mmultiscripts mtable mtr mtd".split()
)
MATHML_ATTRIBUTES = set(
    "display displaystyle scriptlevel mathvariant stretchy fence form lspace rspace width height depth "
    "linethickness accent accentunder columnalign rowspacing columnspacing movablelimits minsize maxsize "
    "symmetric separator largeop notation".split()
)


@lru_cache(maxsize=1000)
def typeset(text):
    """Markdown with its formulas as MathML; a formula that cannot be converted stays as it was written."""

    def formula(match):
        code, block, inline = match.groups()
        if code is not None:
            return code
        try:
            mathml = convert(block or inline, display="block" if block else "inline")
            # Html needs no namespace, and nbconvert would write a prefix to each tag in a heading.
            mathml = mathml.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
            if not _only_typesets(ElementTree.fromstring(mathml)):
                return match.group()
        except Exception:  # the converter raises many kinds for TeX that it does not know
            return match.group()
        # Where it is wider than the page it scrolls, for keyboards as well.
        mathml = mathml.replace('<math display="block"', '<math display="block" tabindex="0"', 1)
        # Between tags, what Markdown would take for its own is written as entities.
        return re.sub(r">[^<]+<", lambda words: re.sub(r"[*_|`\[\]\\]", _entity, words.group()), mathml)

    return MATH.sub(formula, text)


def _entity(match):
    return f"&#{ord(match.group())};"


def _only_typesets(element):
    return all(
        part.tag.rpartition("}")[2] in MATHML_TAGS and set(part.attrib) <= MATHML_ATTRIBUTES
        for part in element.iter()
    )


def as_html(text, pictures=None, *, below=1):
    """Cleaned Markdown as html; ``pictures``: its attachments; ``below``: the level its headings stand under.

    What cannot be converted is shown as it was written.
    """
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True, attachments=pictures or {})
    try:
        written = MarkdownWithMath(renderer=renderer).render(typeset(text))
    except Exception:  # converters raise many kinds for what students write
        return f"<pre>{html.escape(text)}</pre>"
    lower = re.sub(r"<(/?)h([1-6])\b[^>]*>", lambda one: f"<{one[1]}h{min(6, int(one[2]) + below)}>", written)
    return for_everybody(lower)


def for_everybody(written):
    """Html made from Markdown, mended for screen readers and keyboards; its links lead somewhere."""
    written = without_empty_headings(led_on(written))
    written = re.sub(r"<table\b", '<div class="wide" tabindex="0"><table', written)
    written = written.replace("</table>", "</table></div>")
    return CODE.sub(_reached, written)


def _reached(match):
    """Code with a line that a telephone has no room for: it scrolls, for keyboards as well."""
    before, code = match.groups("")
    if not before and not code.startswith("<code"):
        return match.group()  # what was printed, which is broken into lines
    longest = max(map(len, html.unescape(re.sub(r"<[^>]*>", "", code)).split("\n")))
    return f'{before}<pre tabindex="0">{code}</pre>' if longest > NARROW else match.group()


def led_on(written):
    """The html in which links to lessons lead to where ours are read, and other relative links are words."""

    def link(match):
        place, inside = match.groups()
        if re.match(r"(https?:|mailto:|#)", place):
            return match.group()
        lesson = re.fullmatch(r"(?:\.\./)?(\d\d-[a-z0-9-]+)/([a-z0-9-]+\.ipynb)", place)
        if lesson and home():
            return f'<a href="{html.escape(home())}/blob/main/lessons/{lesson[1]}/{lesson[2]}">{inside}</a>'
        return inside

    return re.sub(r'<a href="([^"]*)"[^>]*>(.*?)</a>', link, written, flags=re.DOTALL)


@cache
def home():
    """The address of the repository that this package was made in, "" where its metadata name none."""
    try:
        named = metadata("unrolled").get_all("Project-URL", ())
    except PackageNotFoundError:
        return ""
    return next((one.partition(",")[2].strip() for one in named if one.startswith("Repository,")), "")


def without_empty_headings(written):
    """The html without headings in which nothing stands."""
    return re.sub(r"<h([1-6])\b[^>]*>(?:\s|&nbsp;|<a\b[^>]*>[^<]*</a>)*</h\1>", "", written)
