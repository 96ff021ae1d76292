"""What a cell printed and showed, gathered message by message, within a size.

Messages come from a process that a student controls, so only what a notebook may hold is kept: text
and pictures of the kinds listed here, every string writable as UTF-8. Bytes are counted as messages
arrive, because afterwards is too late. A running cell cannot rewrite what an earlier cell showed.
"""

from nbformat.v4 import new_output

SHOWN = (
    *("text/plain", "text/html", "text/markdown", "text/latex"),
    *("image/png", "image/jpeg", "image/svg+xml"),
)
MOST_OUTPUTS = 1000
MOST_TEXT = 2**18  # characters that one cell may print and have kept
CUT = "\n... the rest of what this cell printed is not kept.\n"
LONGEST_NAME = 200


class Outputs:
    """The outputs of one cell; ``full`` turns true, and stays, once ``most`` bytes have arrived."""

    def __init__(self, most):
        self.most, self.size, self.full = most, 0, False
        self.outputs, self._text_left = [], MOST_TEXT
        self._displays = {}
        self._clear_next = False

    def count(self, size):
        """Note that ``size`` bytes have arrived, kept or not."""
        self.size += size
        self.full = self.full or self.size > self.most or len(self.outputs) > MOST_OUTPUTS

    def add(self, kind, content):
        """Keep what a message of this kind shows; whatever is malformed or unknown is dropped."""
        if not isinstance(content, dict) or (self.full and kind != "stream"):
            return
        if kind == "clear_output":
            self._clear_next = True
            if content.get("wait") is not True:
                self._clear()
            return
        if kind == "update_display_data":
            output = self._displays.get(_display_id(content))
            if output is not None:
                output["data"] = _bundle(content.get("data"))
            return
        output = _output(kind, content)
        if output is None:
            return
        if self._clear_next:
            self._clear()
        if kind == "stream" and not self._cut(output):
            return
        last = self.outputs[-1] if self.outputs else None
        if kind == "stream" and last and last.output_type == "stream" and last.name == output.name:
            last.text += output.text
            return
        self.outputs.append(output)
        if kind == "display_data" and _display_id(content):
            self._displays[_display_id(content)] = output

    def _cut(self, output):
        """Cut printed text to what may still be kept; whether any of it is."""
        room, self._text_left = self._text_left, self._text_left - len(output.text)
        if self._text_left < 0:
            output.text = output.text[: max(0, room)] + CUT
        return room > 0

    def _clear(self):
        self.outputs.clear()
        self._displays.clear()
        self._clear_next = False


def text(value):
    """``value`` as text that can be written as UTF-8; nothing if it is not text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _output(kind, content):
    if kind == "stream":
        name = "stderr" if content.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=text(content.get("text")))
    if kind in ("display_data", "execute_result"):
        return new_output(kind, data=_bundle(content.get("data")), metadata={})
    if kind == "error":
        lines = content.get("traceback")
        return new_output(
            "error",
            ename=text(content.get("ename"))[:LONGEST_NAME],
            evalue=text(content.get("evalue")),
            traceback=[text(line) for line in lines] if isinstance(lines, list) else [],
        )
    return None


def _bundle(data):
    """The kinds of text and picture that a stored notebook shows, and no others."""
    data = data if isinstance(data, dict) else {}
    return {kind: text(data[kind]) for kind in SHOWN if isinstance(data.get(kind), str)}


def _display_id(content):
    transient = content.get("transient")
    name = transient.get("display_id") if isinstance(transient, dict) else None
    return name if isinstance(name, str) else None
