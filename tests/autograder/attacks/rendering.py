"""Rendering: what a notebook would do in the browser of the instructor who looks at it.

Every answer is right, and nothing in what is stored or shown may run, load or cover anything. ``active``
reads a page and names what in it would; whatever harms has the word ``MARK`` in it.
"""

from html.parser import HTMLParser

from nbformat.v4 import new_raw_cell

from autograder.classroom.demo import filled
from tests.autograder.attacks.core import LOSS, MARK, SOLVED, Attack, add_markdown, hand_in

SCRIPTS = [
    f"<script>{MARK}()</script>",
    f"<ScRiPt src=//{MARK}.example></sCrIpT>",
    f"<<script>{MARK}()//<</script>",
    f"</div></div></body><script>{MARK}()</script>",
    f"<!--><script>{MARK}()</script>-->",
    f"```html\n<b>\n```\n<script>{MARK}()</script>",
]
HANDLERS = [
    f"<img src=x onerror={MARK}()>",
    f"<img/src='x'/onerror={MARK}()>",
    f"<details open ontoggle={MARK}()>x</details>",
    f"<input autofocus onfocus={MARK}()>",
    f"<p onclick={MARK}()>x",
    f"<video><source onerror={MARK}()></video>",
    f"<noscript><p title='</noscript><img src=x onerror={MARK}()>'>",
]
FRAMES = [
    f"<iframe src='javascript:{MARK}()'></iframe>",
    f"<iframe srcdoc='<script>{MARK}()</script>'></iframe>",
    f"<form action=//{MARK}.example><button>Next submission</button></form>",
    f"<object data='data:text/html,<script>{MARK}()</script>'></object>",
    f"<embed src=//{MARK}.example>",
    f"<base href=//{MARK}.example>",
    f"<meta http-equiv=refresh content='0;url=//{MARK}.example'>",
    f"<link rel=stylesheet href=//{MARK}.example>",
]
LINKS = [
    f"<a href='javascript:{MARK}()'>x</a>",
    f"<a href='java\tscript:{MARK}()'>x</a>",
    f"[x](javascript:{MARK}())",
    f"[x](java&#115;cript:{MARK}())",
    f"[x][y]\n\n[y]: javascript:{MARK}()",
    f"<a href='data:text/html,<script>{MARK}()</script>'>x</a>",
    f"![x](data:image/svg+xml,<svg/onload={MARK}()>)",
    f"$\\href{{javascript:{MARK}()}}{{x}}$",
]
DRAWINGS = [
    f"<svg onload={MARK}()><script>{MARK}()</script></svg>",
    f"<svg><a xlink:href='javascript:{MARK}()'><rect width=9 height=9 /></a></svg>",
    f"<svg><foreignObject><iframe src='javascript:{MARK}()'></iframe></foreignObject></svg>",
    f"<math><mi xlink:href='javascript:{MARK}()'>x</mi></math>",
]
COVERS = [
    f"<style>body{{background:url(//{MARK}.example)}}</style>",
    f"<div style='position:fixed;inset:0;background:url(//{MARK}.example)'>You passed</div>",
    f"<img src='//{MARK}.example/pixel.png'>",
]
EVERYTHING = [*SCRIPTS, *HANDLERS, *FRAMES, *LINKS, *DRAWINGS, *COVERS]

OUTPUTS = f"""
from IPython.display import HTML, Markdown, SVG, Javascript, Latex, display
for text in {EVERYTHING!r}:
    display(HTML(text)); display(Markdown(text)); display(Latex(text))
"""
SCRIPT_OUTPUTS = f"""
from IPython.display import Javascript, display, publish_display_data
display(Javascript("{MARK}()"))
for kind in ("application/javascript", "text/javascript", "application/vnd.jupyter.widget-view+json",
             "application/x-{MARK}", "text/html", "image/svg+xml"):
    publish_display_data({{kind: "<script>{MARK}()</script>", "text/plain": "<script>{MARK}()</script>"}},
                         metadata={{kind: {{"isolated": True, "width": "1 onload={MARK}()"}}}})
"""
DRAWN = f"""
from IPython.display import display, publish_display_data
for text in {DRAWINGS!r}:
    publish_display_data({{"image/svg+xml": text}})
publish_display_data({{"image/png": "x' onerror='{MARK}()", "image/jpeg": '"><script>{MARK}()</script>'}})
"""
PRINTED = f"""
import sys
for text in {EVERYTHING!r}:
    print(text); print(text, file=sys.stderr)
    print("\\x1b[31m" + text + "\\x1b]8;;javascript:{MARK}()\\x07x")
"""
RAISED = f"""
kind = type("<script>{MARK}()</script>", (Exception,), {{}})
kind.__module__ = "<img src=x onerror={MARK}()>"
raise kind("<script>{MARK}()</script>")
"""
RAISES = (
    f"def {LOSS}(logits, targets):\n"
    f"    raise ValueError('<script>{MARK}()</script>')  # <img onerror={MARK}()>\n"
)


def attach_drawings(notebook):
    add_markdown("![x](attachment:x.svg) ![y](attachment:y.png)")(notebook)
    notebook.cells[2]["attachments"] = {
        "x.svg": {"image/svg+xml": f"<svg onload={MARK}()></svg>", "text/html": f"<script>{MARK}()</script>"},
        "y.png": {"image/png": f"x' onerror='{MARK}()"},
    }


def raw_cells(notebook):
    for number, text in enumerate(EVERYTHING):
        cell = new_raw_cell(
            text, id=f"raw-{number}", metadata={"raw_mimetype": "text/html", "format": "text/html"}
        )
        notebook.cells.append(cell)


def written(folder, released):
    (folder / "bptt.ipynb").write_bytes(filled(SOLVED, written="\n\n".join(EVERYTHING))(released))


def rendering(id, tries, put, loses=(), **words):
    return Attack(id, tries, put, loses, family="rendering", **words)


ATTACKS = [
    rendering("script-in-text", "Scripts in markdown.", hand_in(change=add_markdown(*SCRIPTS))),
    rendering("handlers-in-text", "Event handlers in markdown.", hand_in(change=add_markdown(*HANDLERS))),
    rendering(
        "frames-in-text", "Frames, forms and objects in markdown.", hand_in(change=add_markdown(*FRAMES))
    ),
    rendering(
        "links-in-text", "javascript: and data: links in markdown.", hand_in(change=add_markdown(*LINKS))
    ),
    rendering(
        "drawings-in-text",
        "SVG and MathML with scripts in markdown.",
        hand_in(change=add_markdown(*DRAWINGS)),
    ),
    rendering(
        "covers-in-text",
        "Styles that cover the page or load pictures.",
        hand_in(change=add_markdown(*COVERS)),
    ),
    rendering("written-answer", "All of these in the written answer.", written),
    rendering("attached-drawings", "Attachments that are scripts.", hand_in(change=attach_drawings)),
    rendering("raw-cells", "Raw cells that exporters pass through.", hand_in(change=raw_cells)),
    rendering("html-outputs", "All of these as outputs.", hand_in(first=OUTPUTS)),
    rendering("script-outputs", "Scripts and widgets as outputs.", hand_in(first=SCRIPT_OUTPUTS)),
    rendering("drawn-outputs", "Pictures that are scripts as outputs.", hand_in(first=DRAWN)),
    rendering("printed-scripts", "All of these printed, with codes for terminals.", hand_in(first=PRINTED)),
    rendering("raised-scripts", "An exception whose name and message are scripts.", hand_in(first=RAISED)),
    rendering(
        "raised-in-a-check",
        "A checked function raises an exception that is a script.",
        hand_in({LOSS: RAISES}),
        (LOSS,),
    ),
]


# What a page would do ----------------------------------------------------------------------------------

ELEMENTS = {
    "script",
    "iframe",
    "frame",
    "form",
    "object",
    "embed",
    "base",
    "meta",
    "link",
    "style",
    "svg",
    "math",
}
LINKED = {"href", "src", "action", "xlink:href", "data", "formaction", "srcdoc", "content", "style"}


class _Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.inside = [], None

    def handle_starttag(self, tag, attributes):
        self.inside = tag if tag in ("script", "style") else None
        for name, value in attributes:
            told = "".join((value or "").split()).lower()
            if MARK in told and (name.startswith("on") or name in LINKED):
                self.found.append(f"<{tag} {name}>")

    def handle_data(self, data):
        if self.inside and MARK in data:
            self.found.append(f"<{self.inside}>")

    def handle_endtag(self, tag):
        self.inside = None


def active(page):
    """The elements and attributes of a page that would run or load what an attack put there."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    return sorted(set(reader.found))
