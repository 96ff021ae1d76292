"""Sphinx's configuration of the book; `tools.site` copies it beside the pages that it stages."""

project = "Unrolled"
author = "The Unrolled authors"
copyright = "The Unrolled authors. Text and pictures: CC BY 4.0; code: MIT"
language = "en"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.autodoc"]
exclude_patterns = ["handout", "_static"]

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

mathjax_path = "mathjax/tex-svg-full.js"
copybutton_selector = "div.cell_input pre, div.highlight-sh pre, div.highlight-bash pre"

autodoc_mock_imports = ["torch", "keras", "onnx", "onnxruntime", "num2words", "IPython", "ipywidgets"]
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False

html_theme = "furo"
html_title = "Unrolled"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sphinx = False
html_domain_indices = False


def lay_out_equations(app, what, name, obj, options, lines):
    """In our docstrings an indented paragraph is code or an equation, where Sphinx sees a quotation."""
    shown, outside = [], True
    for before, line in zip(["", *lines], lines, strict=False):
        if line.strip():
            indented = line.startswith("   ")
            if indented and outside and not before.strip():
                shown += ["::", ""]
            outside = not indented and not line.lstrip().startswith(("- ", "=", ".. "))
        shown.append(line)
    lines[:] = shown


def setup(app):
    app.connect("autodoc-process-docstring", lay_out_equations)
