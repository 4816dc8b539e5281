"""A report as a page for browsers and printers: HTML that needs no other file, and PDF."""

import html
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from rsedu.browser import print_pdf
from rsedu.errors import BrokenDataError, InputError, RseduError
from rsedu.io.files import write_atomically
from rsedu.project.report import Report, compose

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def render(notebook: NotebookNode) -> str:
    """Return a composed report as one page: no script, no font and no picture from elsewhere."""
    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbconvert's own, about alternatives to what it does
        body, _ = exporter.from_notebook_node(notebook)
    style = files("rsedu.project").joinpath("page.css").read_text(encoding="utf-8")
    title = html.escape(notebook.metadata.get("title", "Forest loss"))
    return _PAGE.format(title=title, style=style, body=body.strip())


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _as_notebook(notebook: NotebookNode) -> Callable[[Path], object]:
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return partial(_write_text, text.rstrip() + "\n")


def _as_html(notebook: NotebookNode) -> Callable[[Path], object]:
    return partial(_write_text, render(notebook))


def _as_pdf(notebook: NotebookNode) -> Callable[[Path], object]:
    return partial(print_pdf, render(notebook))


_FORMATS = {".html": _as_html, ".ipynb": _as_notebook, ".pdf": _as_pdf}


def check_names(paths: Sequence[Path]) -> None:
    """Refuse names of reports that end in nothing that is written.

    Raises:
        InputError: one does.
    """
    for path in paths:
        if path.suffix.lower() not in _FORMATS:
            raise InputError(
                f"A report is written as .html, .ipynb or .pdf; name a file that ends so, not "
                f"{path}."
            )


def write(report: Report, *names: Path | str) -> list[Path]:
    """Write a report, each file whole or not at all.

    Args:
        report: what to write.
        names: paths that end in .html, .ipynb or .pdf; a PDF needs Chromium or Chrome.

    Returns:
        The paths.

    Raises:
        InputError: a name ends in something else.
        MissingDataError: a PDF is wanted, and there is no browser. What stands before it in the
            list is written.
        BrokenDataError: a file cannot be written.
    """
    paths = [Path(name) for name in names]
    check_names(paths)
    notebook = compose(report)
    for path in paths:
        try:
            write_atomically(path, _FORMATS[path.suffix.lower()](notebook))
        except RseduError:
            raise  # some of the kit's own errors are OSErrors too
        except OSError as error:
            raise BrokenDataError(f"{path} cannot be written: choose another ({error}).") from error
    return paths
