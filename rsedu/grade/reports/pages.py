"""HTML pages of the class and of each student, by jinja2; what strangers wrote is escaped."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rsedu.course import registry
from rsedu.grade import summary
from rsedu.grade.grading import Result
from rsedu.grade.reports import tables

SIGNS = {
    "passed": "\N{CHECK MARK}",
    "wrong value": "\N{BALLOT X}",
    "wrong kind": "\N{BALLOT X}",
    "error": "!",
    "not started": "\N{EN DASH}",
}
_SHADES = 5
Solutions = Mapping[tuple[str, str], str]


def number(value: float) -> str:
    """Points, without decimals that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def shade(mark: Mapping[str, Any]) -> str:
    """How strong a field's colour is: "s0" (no points) to "s5" (all), "none" where not started."""
    if mark["state"] == "not started":
        return "none"
    return f"s{int(_SHADES * mark['earned'] / mark['points'] + 1e-9)}"


def slug(student: str) -> str:
    """Name of a student's page: safe as a file name, and no two students have the same."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in student)[
        :40
    ]
    tail = hashlib.sha256(student.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{plain.strip('-') or 'student'}-{tail}.html"


def _columns(results: Sequence[Result]) -> Iterator[tuple[dict[str, Any], ...]]:
    """The class's marks by exercise."""
    return zip(*(result["marks"] for result in results), strict=True)


_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters |= {"number": number, "shade": shade, "slug": slug}
_PAGES.globals |= {
    "columns": _columns,
    "lesson": registry.lesson,
    "passed": summary.passed,
    "remark": tables.remark,
    "signs": SIGNS,
    "total": tables.total,
}


def class_page(results: Sequence[Result], *, isolation: str, spent_s: float) -> str:
    """Write the page of the class: who solved what, common mistakes, who never started what.

    Args:
        results: all submissions, by file.
        isolation: a sentence that says how strangers' code was kept apart.
        spent_s: seconds that this run took.

    Returns:
        HTML, whole in itself; students' pages are beneath `students/`.
    """
    counted = summary.counted(results)
    return _PAGES.get_template("class.html.j2").render(
        results=results,
        students=len({result["student"] for result in results}),
        states=summary.states(counted),
        not_counted=summary.also_handed_in(results),
        lessons=summary.lessons(counted),
        shared=summary.shared(counted),
        never_started=summary.never_started(counted),
        slowest=sorted(results, key=lambda result: -result["seconds"])[:5],
        isolation=isolation,
        spent_s=spent_s,
    )


def student_page(student: str, results: Sequence[Result], solutions: Solutions) -> str:
    """Write a student's page: what passed, what was diagnosed, their code beside the key's.

    Args:
        student: name, as it is shown.
        results: all their submissions.
        solutions: code of the key, by lesson and exercise.

    Returns:
        HTML, whole in itself.
    """
    return _PAGES.get_template("student.html.j2").render(
        student=student, results=summary.counting(results), solutions=solutions
    )
