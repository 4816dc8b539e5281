"""From a lesson's source (jupytext, percent format) to its two notebooks, not yet executed."""

import ast
import copy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from authoring.colab import Address, badges, bootstrap
from rsedu.errors import InputError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_KERNEL = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
_FORMAT = "py:percent"
_CHECKED = re.compile(r"rsedu\.check\(\s*[\"'](\w+)[\"']")


@dataclass(frozen=True)
class Pair:
    """A lesson's two notebooks, without outputs.

    Attributes:
        stem: such as "01_sentinels".
        solution: with the answers.
        student: with stubs in their place.
    """

    stem: str
    solution: NotebookNode
    student: NotebookNode


def checked(cell: NotebookNode) -> list[str]:
    """Ids that a cell hands to `rsedu.check`."""
    return _CHECKED.findall(cell.source) if cell.cell_type == "code" else []


def exercise_id(cell: NotebookNode) -> str | None:
    """The exercise that a cell's metadata names, unless the cell only shows how a check talks."""
    about = cell.metadata.get("rsedu", {})
    return None if about.get("role") == "demonstration" else about.get("id")


def blocks(source: str) -> Iterator[list[str]]:
    """Lines of each solution block in a cell, markers left out.

    Raises:
        InputError: a marker without its partner.
    """
    block: list[str] | None = None
    for line in source.splitlines():
        mark = line.strip()
        if mark in (BEGIN, END) and (block is None) != (mark == BEGIN):
            raise InputError(f"{mark!r} stands without its partner: markers come in pairs.")
        if mark == BEGIN:
            block = []
        elif mark == END:
            yield block or []
            block = None
        elif block is not None:
            block.append(line)
    if block is not None:
        raise InputError(f"{BEGIN!r} is never closed: write {END!r} below the solution.")


def outside(source: str) -> list[str]:
    """Lines of a cell that stand in no solution block; markers count as inside."""
    kept, inside = [], False
    for line in source.splitlines():
        mark = line.strip()
        if mark not in (BEGIN, END) and not inside:
            kept.append(line)
        inside = mark == BEGIN or (inside and mark != END)
    return kept


def stub(source: str) -> str:
    """Replace each solution block: by `raise NotImplementedError`, or by `name = ...`.

    A block that is not indented holds values, and each name that it assigns keeps its place. What
    the cell has given a value above the block keeps that: a baseline, which an answer replaces.
    """
    found = blocks(source)
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        mark = line.strip()
        if mark == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            block = next(found)
            kept += [f"{indent}raise NotImplementedError"] if indent else _placeholders(block, kept)
        if mark not in (BEGIN, END) and not inside:
            kept.append(line)
        inside = mark == BEGIN or (inside and mark != END)
    next(found, None)  # runs to the end, so that a marker without a partner is found
    return "\n".join(kept)


def _assigned(lines: list[str]) -> dict[str, None]:
    """Names that a block of statements assigns, in order."""
    names: dict[str, None] = {}
    for node in ast.parse("\n".join(lines)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {target.id: None for target in targets if isinstance(target, ast.Name)}
    return names


def _placeholders(block: list[str], above: list[str]) -> list[str]:
    """`name = ...` for each name that a block assigns and nothing above it did, in order."""
    names = _assigned(block)
    if not names:
        raise InputError("A solution at the left margin assigns no name: write `name = value`.")
    given = _assigned(above)
    return [f"{name} = ..." for name in names if name not in given]


def _identify(cells: list[NotebookNode], number: str) -> None:
    """Give each cell an id that comes from what it is, and not from chance."""
    used: set[str] = set()
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        base = f"{number}-{exercise_id(cell) or digest}"
        name, count = base, 1
        while name in used:
            count += 1
            name = f"{base}-{count}"
        used.add(name)
        cell["id"] = name


def _metadata(cell: NotebookNode, points: dict[str, int]) -> dict[str, Any]:
    """What of a cell's metadata is kept: tags, and what the kit says of it."""
    kept = {key: cell.metadata[key] for key in ("tags", "rsedu", "jupyter") if key in cell.metadata}
    id_ = exercise_id(cell)
    if id_ in points:
        kept["rsedu"] = {**kept["rsedu"], "points": points[id_]}
    return kept


def pair(text: str, *, stem: str, published: Address, points: dict[str, int]) -> Pair:
    """Make a lesson's two notebooks from its source.

    Args:
        text: jupytext percent format, with the solutions between markers.
        stem: such as "01_sentinels".
        published: where the kit is, for the badges and the first cell.
        points: of each exercise, by id.

    Returns:
        Both notebooks, without outputs; equal input gives equal notebooks, ids included.

    Raises:
        InputError: a marker without its partner, or a source that does not begin with a title.
    """
    solution = jupytext.reads(text, fmt=_FORMAT)
    cells = solution.cells
    if not cells or not cells[0].source.startswith("# "):
        raise InputError(f"{stem}.py does not begin with a markdown cell `# Title as a question?`.")
    for cell in cells:
        cell["metadata"] = _metadata(cell, points)
    (first,) = jupytext.reads(f"# %%\n{bootstrap(published)}", fmt=_FORMAT).cells
    first["metadata"] = {"tags": ["colab"], "jupyter": {"source_hidden": True}}
    cells.insert(1, first)
    _identify(cells, stem.partition("_")[0])
    solution["metadata"], solution["nbformat"], solution["nbformat_minor"] = _KERNEL, 4, 5
    student = copy.deepcopy(solution)
    for cell in student.cells:
        if cell.cell_type == "code":
            cell["source"] = stub(cell.source)
    for folder, notebook in (("solutions", solution), ("notebooks", student)):
        _add_badges(notebook.cells[0], badges(published, f"{folder}/{stem}.ipynb"))
    return Pair(stem, solution, student)


def _add_badges(cell: NotebookNode, line: str) -> None:
    """Put the badges under the title."""
    if line:
        title, _, rest = cell.source.partition("\n")
        cell["source"] = f"{title}\n\n{line}\n{rest}".rstrip()


def read(path: Path) -> NotebookNode:
    """Read a notebook as it is."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def text_of(notebook: NotebookNode) -> str:
    """A notebook as it is stored: sorted keys, one space, a last newline."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text.rstrip() + "\n"
