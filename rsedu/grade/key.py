"""Answer keys, from solved notebooks: what is asked, where, and how it is solved."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rsedu.course import registry
from rsedu.errors import InputError, MissingDataError
from rsedu.grade.reading import submissions
from rsedu.grade.reading.submissions import CodeCell
from rsedu.io.files import sha256

_MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")  # as `authoring.source` names them
_CHECK = re.compile(r"\s*(\w+\s*=\s*)?rsedu\.check(point)?\(")
_DEFINES = re.compile(r"^def (\w+)\(", re.MULTILINE)
_SETUP = re.compile(r"^\s*rsedu\.setup\(", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """One exercise of the key.

    Attributes:
        id: of the exercise.
        cell: id of its cell.
        heading: above its cell.
        solution: its code, without the check and the builder's markers.
    """

    id: str
    cell: str
    heading: str
    solution: str


@dataclass(frozen=True)
class Key:
    """The key of one lesson.

    Attributes:
        lesson: its number, such as "01".
        setup: code of its first cell, the imports.
        setup_cell: id of that cell.
        asked: its exercises, in the lesson's order.
        digest: of the solved notebook, 64 hexadecimal digits.
    """

    lesson: str
    setup: str
    setup_cell: str
    asked: tuple[Asked, ...]
    digest: str

    @property
    def cells(self) -> frozenset[str]:
        """Ids of the cells by which a submission is known to be of this lesson."""
        return frozenset({self.setup_cell, *(each.cell for each in self.asked)})


def _solution(source: str) -> str:
    lines = [
        line
        for line in source.splitlines()
        if line.strip() not in _MARKERS and not _CHECK.match(line)
    ]
    return "\n".join(lines).rstrip()


def _read(path: Path, lesson: str) -> Key:
    """The key of a lesson from its solved notebook, which agrees with the kit's exercises."""
    cells = submissions.cells(path.read_bytes())
    setup = next((cell for cell in cells if _SETUP.search(cell.source)), CodeCell("", "", "", ""))
    asked = tuple(
        Asked(cell.exercise, cell.id, cell.heading, _solution(cell.source))
        for cell in cells
        if cell.exercise
    )
    known = [exercise.id for exercise in registry.exercises(lesson)]
    if sorted(known) != sorted(each.id for each in asked):
        raise InputError(
            f"{path} asks for {', '.join(each.id for each in asked) or 'nothing'}; the kit's "
            f"lesson {lesson} for {', '.join(known)}: build the lesson again, or give --key "
            "the folder that belongs to this version."
        )
    return Key(lesson, setup.source, setup.id, asked, sha256(path))


def read_keys(folder: Path) -> tuple[Key, ...]:
    """Read the keys of all lessons that have one.

    Args:
        folder: with the solved notebooks, `solutions/` of the checkout.

    Raises:
        MissingDataError: there is none.
        InputError: one disagrees with the kit.
    """
    paths = [(folder / f"{lesson.stem}.ipynb", lesson.number) for lesson in registry.lessons()]
    keys = tuple(_read(path, number) for path, number in paths if path.is_file())
    if not keys:
        raise MissingDataError(
            f"There is no key in {folder}: give --key the folder with the solved notebooks, such "
            "as solutions/ of the checkout."
        )
    return keys


def _titled(key: Key, cells: Sequence[CodeCell]) -> int:
    """How many of a lesson's exercises have their heading above a cell."""
    headings = {cell.heading for cell in cells}
    return sum(bool(each.heading) and each.heading in headings for each in key.asked)


def _defined(key: Key, cells: Sequence[CodeCell]) -> int:
    """How many of a lesson's exercises are defined by name, in any cell."""
    defined = {name for cell in cells for name in _DEFINES.findall(cell.source)}
    return sum(each.id in defined for each in key.asked)


def _by_votes(keys: Sequence[Key], cells: Sequence[CodeCell]) -> Key | None:
    """The lesson that most ids of exercises name, else of cells, else most headings."""
    ways: tuple[Callable[[Key], int], ...] = (
        lambda key: sum(cell.exercise in {each.id for each in key.asked} for cell in cells),
        lambda key: sum(cell.id in key.cells for cell in cells if cell.id),
        lambda key: _titled(key, cells),
    )
    for votes in ways:
        best = max(keys, key=votes)
        if votes(best):
            return best
    return None


def find_key(keys: Sequence[Key], cells: Sequence[CodeCell], name: str) -> Key:
    """Find the lesson that a notebook belongs to.

    Args:
        keys: all lessons'.
        cells: the notebook's code cells.
        name: file name, which decides where no id and no heading does; the names that the
            notebook defines come last.

    Raises:
        InputError: it belongs to none.
    """
    voted = _by_votes(keys, cells)
    if voted is not None:
        return voted
    for key in keys:
        if registry.lesson(key.lesson).stem in name:
            return key
    for starter in registry.starters():
        if starter.stem in name or any(cell.id.startswith(f"{starter.number}-") for cell in cells):
            raise InputError(f"It is {starter.stem}, a starter: it has no exercises to grade.")
    best = max(keys, key=lambda key: _defined(key, cells))
    if _defined(best, cells):
        return best
    lessons = ", ".join(key.lesson for key in keys)
    raise InputError(f"No exercise of lesson {lessons} is in it, and its name tells no lesson.")


def other_lessons(keys: Sequence[Key], key: Key, cells: Sequence[CodeCell]) -> str:
    """Say which other lessons' exercises are in a notebook; empty where there are none."""
    ids = {cell.exercise for cell in cells}
    more = [
        other.lesson
        for other in keys
        if other is not key and ids & {asked.id for asked in other.asked}
    ]
    if not more:
        return ""
    return f"exercises of lesson {', '.join(more)} are in it too, and were not graded"
