"""The attack suite: submissions that forge, reach, exhaust, die, confuse or infect, and how each must end.

One module a family, plain data in each; ``core`` says what an attack is. ``test_attacks.py`` and its cold
sister grade them in one run each, beside honest neighbours; ``suite`` says what must hold. `make attacks` has
stock nbgrader grade the same files, too, and writes docs/attacks.md with both columns.
"""

import importlib

FAMILIES = ("forging", "reach", "exhaustion", "death", "files", "rendering", "honest")


def bank():
    """Every attack by its id, family by family; the last family is honest, and odd."""
    modules = (importlib.import_module(f"{__name__}.{family}") for family in FAMILIES)
    return {attack.id: attack for module in modules for attack in module.ATTACKS}
