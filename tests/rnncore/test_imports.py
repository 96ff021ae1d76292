"""Importing rnncore stays light: torch and matplotlib load when they are used."""

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
import rnncore
names = [m.name for m in pkgutil.walk_packages(rnncore.__path__, "rnncore.")]
assert "rnncore.layers.rnn" in names and "rnncore.data.make_names" in names
for name in names:
    if name in ("rnncore.plots", "rnncore.standin"):  # these two are about a heavy library
        continue
    importlib.import_module(name)
    heavy = {"torch", "matplotlib", "IPython", "faker"} & set(sys.modules)
    assert not heavy, f"{name} imports {sorted(heavy)}"
import rnncore.plots
assert "torch" not in sys.modules
"""


def test_no_module_imports_anything_heavy():
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
