"""Matching cells to exercises: by exercise id, then cell id, then heading, then name."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsedu.grade.key import Asked, Key
from rsedu.grade.reading.magics import plain
from rsedu.grade.reading.submissions import CodeCell

# Blanks of one line only: a pattern that runs over lines could be made to run for hours.
_MAY_BE_STUB = re.compile(r"\braise NotImplementedError\b|= *\.\.\.")
_LONGEST_STUB = 20_000  # letters; what is longer is no stub, and is not parsed


@dataclass(frozen=True)
class Matched:
    """Where an exercise's answer stands.

    Attributes:
        id: the exercise's.
        number: the cell's place among the code cells; None where there is none.
        remark: what is odd about it; empty where nothing is.
    """

    id: str
    number: int | None
    remark: str = ""


def _defining(id_: str, cells: Sequence[CodeCell]) -> list[int]:
    """Cells that give the name a value, other than by the checkpoint."""
    defines = re.compile(rf"^(def {id_}\b|{id_} *=(?! *rsedu\.checkpoint))", re.MULTILINE)
    return [number for number, cell in enumerate(cells) if defines.search(cell.source)]


def _raises(node: ast.stmt) -> bool:
    raised = node.exc if isinstance(node, ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _empty(node: ast.stmt, id_: str) -> bool:
    """Whether a statement is the exercise's stub: no body but a docstring and the raise."""
    if isinstance(node, ast.FunctionDef):
        documented = ast.get_docstring(node, clean=False) is not None
        body = node.body[1:] if documented else node.body
        return node.name == id_ and len(body) == 1 and _raises(body[0])
    value = node.value if isinstance(node, ast.Assign) else None
    return (
        isinstance(node, ast.Assign)
        and isinstance(value, ast.Constant)
        and value.value is ...
        and [ast.unparse(target) for target in node.targets] == [id_]
    )


def _statements(source: str) -> list[ast.stmt]:
    """A cell's statements; none of what is no Python."""
    try:
        return ast.parse(plain(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def untouched(id_: str, source: str) -> bool:
    """Whether a cell still is what a learner got.

    Args:
        id_: the exercise's.
        source: the cell's code.

    Returns:
        True where the last thing of that name is a function of nothing but its docstring and
        `raise NotImplementedError`, or the value `...`.
    """
    if len(source) > _LONGEST_STUB or not _MAY_BE_STUB.search(source):
        return False
    named = [node for node in _statements(source) if id_ in _names(node)]
    return bool(named) and _empty(named[-1], id_)


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign) and "checkpoint" not in ast.unparse(node.value):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def names(source: str) -> tuple[str, ...]:
    """Functions, classes and values that a cell defines, in its order; none of no Python."""
    if len(source) > _LONGEST_STUB:
        return ()
    nodes = _statements(source)
    return tuple(dict.fromkeys(name for node in nodes for name in sorted(_names(node))))


def _begun(id_: str, numbers: Sequence[int], cells: Sequence[CodeCell]) -> list[int]:
    return [number for number in numbers if not untouched(id_, cells[number].source)]


def _again(id_: str, above: int, cells: Sequence[CodeCell]) -> list[int]:
    """Cells of the learner's own below a cell that define the name anew and have it checked."""
    checks = re.compile(rf"\brsedu\.check\( ?['\"]{id_}['\"]")
    return [
        number
        for number in _defining(id_, cells)
        if number > above and not cells[number].exercise and checks.search(cells[number].source)
    ]


def _ways(asked: Asked, cells: Sequence[CodeCell]) -> Iterator[tuple[list[int], str]]:
    """Cells by each way of knowing them, the surest first, and what to say of it."""
    named = _defining(asked.id, cells)

    def those(condition: list[bool]) -> list[int]:
        return [number for number, right in enumerate(condition) if right]

    yield those([cell.exercise == asked.id for cell in cells]), ""
    yield (
        those([bool(cell.id) and cell.id == asked.cell for cell in cells]),
        "found by its cell's id: the exercise's id was gone",
    )
    heading = [bool(cell.heading) and cell.heading == asked.heading for cell in cells]
    yield (
        [number for number in those(heading) if number in named],
        "found below its heading: the ids of the exercise and of the cell were gone",
    )
    yield named, "found by the name it defines: ids and heading were gone"


def _choose(asked: Asked, cells: Sequence[CodeCell]) -> Matched:
    for numbers, remark in _ways(asked, cells):
        if not numbers:
            continue
        begun = _begun(asked.id, numbers, cells)
        named = _defining(asked.id, cells)
        elsewhere = [] if begun else _begun(asked.id, named, cells)
        if elsewhere:
            return Matched(asked.id, elsewhere[-1], "answered in another cell: its own was left")
        again = _begun(asked.id, _again(asked.id, max(numbers), cells), cells)
        if len(numbers) + len(again) > 1:
            many = f"{len({*numbers, *again})} cells answer it: the last one that was begun counts"
            remark = "; ".join(filter(None, (remark, many)))
        return Matched(asked.id, ([*begun, *again] or numbers)[-1], remark)
    return Matched(asked.id, None, "its cell is missing")


def match(key: Key, cells: Sequence[CodeCell]) -> list[Matched]:
    """Find the cell of each exercise.

    Args:
        key: the lesson's.
        cells: the submission's code cells, in its order.

    Returns:
        One for each exercise, in the lesson's order.
    """
    return [_choose(asked, cells) for asked in key.asked]
