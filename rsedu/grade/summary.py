"""What a class has in common: misconceptions, answers wrong in the same way, what nobody began."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
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


def passed(marks: Iterable[dict[str, Any]]) -> int:
    """How many exercises passed."""
    return sum(mark["state"] == "passed" for mark in marks)


def _rank(result: Result) -> tuple[float, int]:
    """Of two submissions that earned the same, the one that passed more."""
    return round(sum(mark["earned"] for mark in result["marks"]), 2), passed(result["marks"])


def counted(results: Sequence[Result]) -> list[Result]:
    """One submission of each student and lesson: the best, and of equal ones the first.

    Args:
        results: by file.

    Returns:
        Those that count, in the same order; what could not be graded is not among them.
    """
    best: dict[tuple[str, str], Result] = {}
    for result in results:
        about = (result["student"], result["lesson"])
        if result["problem"] or not result["lesson"]:
            continue
        if about not in best or _rank(result) > _rank(best[about]):
            best[about] = result
    chosen = {id(result) for result in best.values()}
    return [result for result in results if id(result) in chosen]


def counting(results: Sequence[Result]) -> list[tuple[Result, bool]]:
    """All submissions, each with whether it counts."""
    chosen = {id(result) for result in counted(results)}
    return [(result, id(result) in chosen) for result in results]


def also_handed_in(results: Sequence[Result]) -> list[Result]:
    """What was graded and does not count, since its student has a better one of the lesson."""
    return [
        result
        for result, counts in counting(results)
        if result["lesson"] and not result["problem"] and not counts
    ]


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
    shared_ = []
    for (lesson, _, _), members in groups.items():
        mark = members[0][1]
        students = tuple(sorted({result["student"] for result, _ in members}))
        if len(students) > 1 or mark["diagnosis"]:
            says = next(iter(mark["lines"]), "")
            shared_.append(
                Shared(lesson, mark["title"], mark["diagnosis"], says, students, mark["code"])
            )
    return sorted(
        shared_, key=lambda group: (-len(group.students), group.lesson, group.title, group.name)
    )


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
    by_lesson: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result["lesson"] and result["marks"]:
            by_lesson[result["lesson"]].append(result)
    return dict(sorted(by_lesson.items()))
