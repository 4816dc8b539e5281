"""Which cell answers which exercise: by exercise id, then cell id, then heading, then name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsedu.grade.key import Asked, Key
from rsedu.grade.submissions import CodeCell

# Blanks of one line only: a pattern that runs over lines could be made to run for hours.
_UNTOUCHED = re.compile(r"^[ \t]*raise NotImplementedError[ \t]*$|^\w+ = \.\.\.", re.MULTILINE)


@dataclass(frozen=True)
class Matched:
    """Where an exercise's answer stands.

    Attributes:
        id: of the exercise.
        number: of the cell among the code cells; None where there is none.
        remark: what is odd about it; empty where nothing is.
    """

    id: str
    number: int | None
    remark: str = ""


def _defining(id_: str, cells: Sequence[CodeCell]) -> list[int]:
    """Cells that give the name a value, other than by the checkpoint."""
    defines = re.compile(rf"^(def {id_}\b|{id_} *=(?! *rsedu\.checkpoint))", re.MULTILINE)
    return [number for number, cell in enumerate(cells) if defines.search(cell.source)]


def _begun(numbers: Sequence[int], cells: Sequence[CodeCell]) -> list[int]:
    return [each for each in numbers if not _UNTOUCHED.search(cells[each].source)]


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
        begun = _begun(numbers, cells)
        elsewhere = [] if begun else _begun(_defining(asked.id, cells), cells)
        if elsewhere:
            return Matched(asked.id, elsewhere[-1], "answered in another cell: its own was left")
        if len(numbers) > 1:
            many = f"{len(numbers)} cells answer it: the last one that was begun counts"
            remark = "; ".join(filter(None, (remark, many)))
        return Matched(asked.id, (begun or numbers)[-1], remark)
    return Matched(asked.id, None, "its cell is missing")


def match(key: Key, cells: Sequence[CodeCell]) -> list[Matched]:
    """Find the cell of each exercise.

    Args:
        key: of the lesson.
        cells: the submission's code cells, in its order.

    Returns:
        One for each exercise, in the lesson's order.
    """
    return [_choose(asked, cells) for asked in key.asked]
