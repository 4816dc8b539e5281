"""What a class has in common: misconceptions, answers wrong in the same way, what nobody began."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsedu.grade.grading import Result


@dataclass(frozen=True)
class Shared:
    """Answers to one exercise that are wrong in the same way.

    Attributes:
        lesson: its number.
        title: of the exercise.
        name: of the misconception; empty where the kit knows none.
        says: the first line that the learners read.
        students: who gave it, by name.
        code: of one of them.
    """

    lesson: str
    title: str
    name: str
    says: str
    students: tuple[str, ...]
    code: str


def _pairs(results: Sequence[Result]) -> list[tuple[Result, dict[str, Any]]]:
    return [(result, mark) for result in results for mark in result["marks"]]


def shared(results: Sequence[Result]) -> list[Shared]:
    """Group wrong answers.

    Returns:
        Groups, the largest first; one person's alone too, where the misconception has a name.
    """
    groups: dict[tuple[str, str, str], list[tuple[Result, dict[str, Any]]]] = defaultdict(list)
    for result, mark in _pairs(results):
        if mark["alike"]:
            groups[result["lesson"], mark["id"], mark["alike"]].append((result, mark))
    found = []
    for (lesson, _, _), members in groups.items():
        mark = members[0][1]
        students = tuple(sorted({result["student"] for result, _ in members}))
        if len(students) > 1 or mark["diagnosis"]:
            says = next(iter(mark["lines"]), "")
            found.append(
                Shared(lesson, mark["title"], mark["diagnosis"], says, students, mark["code"])
            )
    return sorted(found, key=lambda each: (-len(each.students), each.lesson, each.title, each.name))


def never_started(results: Sequence[Result]) -> dict[str, list[str]]:
    """Who left which exercises as they were.

    Returns:
        Titles by student, by name; students who began all of them are not there.
    """
    left: dict[str, list[str]] = defaultdict(list)
    for result, mark in _pairs(results):
        if mark["state"] == "not started":
            left[result["student"]].append(mark["title"])
    return dict(sorted(left.items()))


def states(results: Sequence[Result]) -> Counter[str]:
    """How many exercises ended in each state."""
    return Counter(mark["state"] for _, mark in _pairs(results))


def lessons(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results by lesson; those of no lesson are left out."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result["lesson"] and result["marks"]:
            found[result["lesson"]].append(result)
    return dict(sorted(found.items()))
