"""How Sphinx builds the site; read in the folder that `assemble.py` has filled."""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

project = "rsedu"
author = "The rsedu developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the outputs are the lessons' own, which nbval compares
nb_merge_streams = True
html_theme = "furo"
html_title = "rsedu"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_show_sphinx = False
html_show_copyright = False
html_math_renderer = "mathml"
html_copy_source = False
language = "en"
# Two palettes whose contrast is 7 to 1 and more, for light and for dark pages.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
autodoc_member_order = "bysource"
napoleon_use_ivar = True  # attributes of a named tuple would be listed twice
suppress_warnings = ["ref.python"]  # names of axes in shapes look like references


# What docutils' translation does not know, in words that it does; larger brackets it can't draw.
_SPELLINGS = ((r"\\dots\b", r"\\ldots"), (r"\\[bB]igg?[lrm]?(?![a-zA-Z])", ""))


def _mathml(tex: str, *, block: bool) -> str:
    for unknown, known in _SPELLINGS:
        tex = re.sub(unknown, known, tex)
    return tex2mathml(tex, as_block=block)


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{_mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def _keep_bars(app: Sphinx, what: str, name: str, it: Any, options: Any, lines: list[str]) -> None:
    """In a docstring |x| is an absolute value, not reStructuredText's substitution."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


# The theme's and the lessons' own gaps, found by axe: headings without a level, two landmarks of
# one name, column heads without text.
_MENDED = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="all pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="on this page">',
    '<th class="head"><p></p></th>': "<td></td>",
}


def _mend(app: Sphinx, error: Exception | None) -> None:
    for path in app.outdir.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for found, mended in _MENDED.items():
            text = text.replace(found, mended)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write formulas as MathML, which browsers and screen readers read without any script."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _keep_bars)
    app.connect("build-finished", _mend)
