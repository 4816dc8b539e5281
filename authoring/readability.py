"""Measure lessons against what makes a notebook readable: short cells, prose that leads, no runs.

Targets were set from well-liked notebooks of the field. Outside a target is marked; a limit that is
broken fails `python -m authoring measure --strict`.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from authoring import build
from authoring.source import read
from rsedu.course import registry
from rsedu.errors import MissingDataError

_HEADING = re.compile(r"^(#{1,6}) ", flags=re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Shape:
    """What is counted in one notebook; the builder's own first cell is left out.

    Attributes:
        kinds: "code" or "markdown", cell by cell.
        code: sources of the code cells.
        prose: texts of the markdown cells.
        shows: for each code cell, whether it has an output.
    """

    kinds: tuple[str, ...]
    code: tuple[str, ...]
    prose: tuple[str, ...]
    shows: tuple[bool, ...]
    lines: tuple[int, ...] = field(init=False)
    words: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(map(_lines, self.code)))
        object.__setattr__(self, "words", tuple(len(_TAG.sub("", t).split()) for t in self.prose))

    @property
    def headings(self) -> list[int]:
        """Levels of all headings."""
        return [len(mark) for text in self.prose for mark in _HEADING.findall(text)]


def shape(notebook: NotebookNode) -> Shape:
    """Take apart an executed notebook."""
    cells = [cell for cell in notebook.cells if "colab" not in cell.metadata.get("tags", [])]
    code = [cell for cell in cells if cell.cell_type == "code"]
    return Shape(
        kinds=tuple(cell.cell_type for cell in cells),
        code=tuple(cell.source for cell in code),
        prose=tuple(cell.source for cell in cells if cell.cell_type == "markdown"),
        shows=tuple(bool(cell.outputs) for cell in code),
    )


def _lines(code: str) -> int:
    """Lines that are neither empty nor comments."""
    stripped = (line.strip() for line in code.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def _body(code: str) -> list[ast.stmt]:
    return ast.parse(code).body


def _imports(code: str) -> int:
    """Lines of import statements at the top of a cell."""
    found = [node for node in _body(code) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in found)


def _definitions(code: str) -> int:
    return sum(isinstance(node, _DEFINITIONS) for node in _body(code))


def _longest(found: Shape) -> tuple[int, int]:
    """Lines of the longest cell, and lines over its limit: 25, or 30 for a class."""
    over = []
    for code, lines in zip(found.code, found.lines, strict=True):
        limit = 30 if any(isinstance(node, ast.ClassDef) for node in _body(code)) else 25
        over.append((max(0, lines - limit), lines))
    return max(over, key=lambda pair: pair[1])[1], max(over)[0]


def _percent(values: Sequence[bool]) -> float:
    return 100 * sum(values) / len(values) if values else 100.0


def _run(found: Shape) -> int:
    """Longest run of code cells."""
    runs = [len(list(cells)) for kind, cells in groupby(found.kinds) if kind == "code"]
    return max(runs, default=0)


def _led(found: Shape) -> float:
    """Percentage of code cells with prose just before."""
    before = ("", *found.kinds)
    return _percent([before[at] == "markdown" for at, k in enumerate(found.kinds) if k == "code"])


def _shown(found: Shape) -> float:
    """Percentage of code cells that show something."""
    return _percent(found.shows)


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if values else 0.0


@dataclass(frozen=True)
class Measure:
    """One row of the table.

    Attributes:
        name: what is counted.
        value: counts it.
        low, high: the target.
        limit: above it, `--strict` fails; None where there is no hard limit.
    """

    name: str
    value: Callable[[Shape], float]
    low: float = 0.0
    high: float = float("inf")
    limit: float | None = None

    @property
    def target(self) -> str:
        """The target in words."""
        if self.high == float("inf"):
            return f"{self.low:g} or more"
        return f"{self.low:g}-{self.high:g}" if self.low else f"{self.high:g} or less"


MEASURES = (
    Measure("cells in all", lambda s: len(s.kinds), 40, 60),
    Measure("lines per code cell, median", lambda s: _quantile(s.lines, 0.5), 4, 8),
    Measure("lines per code cell, 90 %", lambda s: _quantile(s.lines, 0.9), 0, 15),
    Measure("lines per code cell, longest", lambda s: _longest(s)[0], 0, 25, 30),
    Measure("lines over 25 (class: 30)", lambda s: _longest(s)[1], 0, 0, 0),
    Measure("words per prose cell, median", lambda s: _quantile(s.words, 0.5), 40, 60),
    Measure("words per prose cell, 90 %", lambda s: _quantile(s.words, 0.9), 0, 120),
    Measure("words per prose cell, longest", lambda s: max(s.words, default=0), 0, 180, 180),
    Measure("words per code line", lambda s: sum(s.words) / max(sum(s.lines), 1), 8, 12),
    Measure("code cells with prose before, %", _led, 95),
    Measure("code cells that show something, %", _shown, 85),
    Measure("longest run of code cells", _run, 0, 2, 2),
    Measure("cells per heading", lambda s: len(s.kinds) / max(len(s.headings), 1), 4, 6),
    Measure("deepest heading", lambda s: max(s.headings, default=0), 0, 3, 3),
    Measure("cells with imports", lambda s: sum(_imports(c) > 0 for c in s.code), 0, 1, 1),
    Measure("lines of imports", lambda s: sum(map(_imports, s.code)), 0, 12, 12),
    Measure("definitions per cell", lambda s: max(map(_definitions, s.code), default=0), 0, 1, 1),
)


def _mark(measure: Measure, value: float) -> str:
    """The value, and a star where it is outside the target."""
    outside = not measure.low <= round(value, 1) <= measure.high
    return f"{value:.3g}{'*' if outside else ' '}"


def table(shapes: dict[str, Shape]) -> str:
    """Write the table.

    Args:
        shapes: by the lesson's number.

    Returns:
        A row for each measure: name, target, and a column for each lesson.
    """
    rows = [["", "target", *(f"{number} " for number in shapes)]]
    for measure in MEASURES:
        values = [_mark(measure, measure.value(found)) for found in shapes.values()]
        rows.append([measure.name, measure.target, *values])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
            + [text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True)]
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "* outside the target, which is meant for lessons of 45 minutes."])


def broken(shapes: dict[str, Shape]) -> list[str]:
    """Hard limits that are broken, one line for each.

    Args:
        shapes: by the lesson's number.
    """
    return [
        f"lesson {number}: {measure.name} is {measure.value(found):g}; {measure.limit:g} at most"
        for number, found in shapes.items()
        for measure in MEASURES
        if measure.limit is not None and measure.value(found) > measure.limit
    ]


def measure(lessons: Sequence[str | Path] = ()) -> tuple[str, list[str]]:
    """Measure the solved notebooks.

    Args:
        lessons: as in `build`; all if empty.

    Returns:
        The table, and a line for each hard limit that is broken.

    Raises:
        MissingDataError: a notebook was not built yet.
    """
    shapes = {}
    for source in build.sources(lessons):
        path = source.with_suffix(".ipynb")
        if not path.is_file():
            raise MissingDataError(
                f"{path.name} is not there: python -m authoring build {source.stem} first."
            )
        shapes[registry.number_of(source.stem)] = shape(read(path))
    return table(shapes), broken(shapes)
