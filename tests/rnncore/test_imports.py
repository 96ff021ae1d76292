"""Importing rnncore stays light: torch and matplotlib load when they are used."""

import subprocess
import sys

SCRIPT = """
import importlib, pathlib, sys
import rnncore
HEAVY = ("given.recall", "given.standin", "given.translator", "interop.min_gru")
root = pathlib.Path(rnncore.__file__).parent
paths = [path.relative_to(root.parent).with_suffix("") for path in sorted(root.rglob("*.py"))]
names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
assert "rnncore.layers.rnn" in names and "rnncore.topics.bidirectional" in names
for name in names:
    if name.startswith(("rnncore.plots", *(f"rnncore.{one}" for one in HEAVY))):
        continue  # they are about what is heavy
    importlib.import_module(name)
    heavy = {"torch", "matplotlib", "IPython", "ipywidgets", "faker", "onnx", "keras"} & set(sys.modules)
    assert not heavy, f"{name} imports {sorted(heavy)}"
import rnncore.plots
assert "torch" not in sys.modules
"""


def test_no_module_imports_anything_heavy():
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
