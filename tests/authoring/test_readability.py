"""What is counted in a notebook, on notebooks whose counts are known."""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from authoring import readability
from authoring.build import sources
from rsedu.course import registry
from rsedu.errors import MissingDataError

REPOSITORY = Path(__file__).resolve().parents[2]


def _notebook(*cells: str, outputs: bool = True) -> NotebookNode:
    """Cells that begin with > are prose."""
    made = [
        nbformat.v4.new_markdown_cell(cell[1:])
        if cell.startswith(">")
        else nbformat.v4.new_code_cell(
            cell, outputs=[nbformat.v4.new_output("stream", text="x")] if outputs else []
        )
        for cell in cells
    ]
    return nbformat.v4.new_notebook(cells=made)


def _value(name: str, notebook: NotebookNode) -> float:
    (row,) = [row for row in readability.MEASURES if f"{row.name} ".startswith(name)]
    return row.value(readability.shape(notebook))


LONG = "\n".join(f"a{n} = {n}" for n in range(27))
CLASS = "class A:\n" + "\n".join(f"    a{n} = {n}" for n in range(31))


@pytest.mark.parametrize(
    ("name", "cells", "value"),
    [
        ("cells in all", (">a", "b", ">c"), 3),
        ("lines per code cell, median", ("a\nb\nc", "a", "a\n\n# no\nb"), 2),
        ("lines per code cell, longest", ("a\nb\nc", "a"), 3),
        ("lines over 25", (LONG, "a"), 2),
        ("lines over 25", (CLASS,), 2),
        ("lines over 25", ("a",), 0),
        ("words per prose cell, median", (">one two", ">one", ">one two three"), 2),
        ("words per prose cell, longest", (">one <br> two", ">one"), 2),
        ("words per code line", (">one two three", "a\nb"), 1.5),
        ("code cells with prose before", (">p", "a", "b", ">p", "c", ">p", "d"), 75),
        ("longest run", (">p", "a", "b", ">p", "c", "d", "e"), 3),
        ("cells per heading", (">## p\n### q", "a", ">no", "b"), 2),
        ("deepest heading", ("># a", ">#### b", "x"), 4),
        ("cells with imports", ("import a", "from b import (\n    c,\n    d,\n)", "x"), 2),
        ("lines of imports", ("import a", "from b import (\n    c,\n    d,\n)", "x"), 5),
        ("definitions per cell", ("def f(): pass\nclass B: pass", "x"), 2),
    ],
    ids=str,
)
def test_each_measure_counts_what_it_says(name: str, cells: tuple[str, ...], value: float) -> None:
    assert _value(name, _notebook(*cells)) == value


def test_what_a_cell_shows_is_read_from_its_outputs() -> None:
    shown, silent = _notebook("a"), _notebook("b", outputs=False)
    shown.cells += silent.cells
    assert _value("code cells that show", shown) == 50


def test_the_builders_own_cell_is_not_counted() -> None:
    notebook = _notebook("import sys\n" * 9, ">p", "a")
    notebook.cells[0].metadata["tags"] = ["colab"]
    assert _value("cells in all", notebook) == 2
    assert _value("lines of imports", notebook) == 0


def test_outside_the_target_is_starred_and_broken_limits_are_named() -> None:
    shapes = {"07": readability.shape(_notebook(">" + "word " * 181, LONG))}
    table = readability.table(shapes)
    assert [line.split()[-1] for line in table.splitlines() if "longest" in line][:2] == [
        "27*",
        "181*",
    ]
    assert readability.broken(shapes) == [
        "lesson 07: lines over 25 (class: 30) is 2; 0 at most",
        "lesson 07: words per prose cell, longest is 181; 180 at most",
    ]


def test_a_lesson_that_was_not_built_is_an_error() -> None:
    Path("solutions").mkdir()
    Path("solutions/00_start_here.py").touch()
    with pytest.raises(MissingDataError, match="python -m authoring build 00_start_here"):
        readability.measure()


def test_no_lesson_of_the_kit_breaks_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    table, broken = readability.measure()
    assert broken == []
    heads = table.splitlines()[0].split()
    assert all(registry.number_of(path.stem) in heads for path in sources())
