"""Results as CSV and JSON. A spreadsheet that opens the CSV runs none of it."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from rsedu.grade import summary
from rsedu.grade.grading import Result

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
NOT_COUNTED = "also handed in, not counted"
GRADES = (
    *("student", "file", "lesson", "earned", "points", "percent", "passed", "of", "problem"),
    *("counts", "remark"),
)
EXERCISES = (
    *("student", "file", "lesson", "exercise", "title", "points", "earned", "state", "diagnosis"),
    *("right", "inputs", "alike", "remark", "counts"),
)


def safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, behind an apostrophe; numbers as is."""
    if not isinstance(value, str):
        return value
    value = value.replace("\r", "\n")  # a bare one would end the row unquoted
    bare = value.lstrip()
    return f"'{value}" if value.startswith(_FORMULA) or bare.startswith(_FORMULA) else value


def _write(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe(value) for value in row] for row in rows)
    return text.getvalue()


def total(result: Result) -> tuple[float, int]:
    """Points earned, two decimals, and points there are; 0 of 0 where nothing could be graded."""
    earned = round(sum(mark["earned"] for mark in result["marks"]), 2)
    return earned, sum(mark["points"] for mark in result["marks"])


def remark(result: Result, counts: bool) -> str:
    """What is odd about a submission; empty where nothing is."""
    again = "" if counts or result["problem"] else NOT_COUNTED
    return "; ".join(filter(None, (again, result.get("remark", ""))))


def _grade(result: Result, counts: bool) -> Sequence[Any]:
    about = (result["student"], result["file"], result["lesson"])
    said = ("yes" if counts else "no", remark(result, counts))
    if result["problem"]:
        return (*about, "", "", "", "", "", result["problem"], *said)
    earned, points = total(result)
    percent = f"{100 * earned / points:.1f}" if points else ""
    passed = summary.passed(result["marks"])
    return (*about, f"{earned:.2f}", points, percent, passed, len(result["marks"]), "", *said)


def grades(results: Sequence[Result]) -> str:
    """One row for each submission, without times: the same bytes whoever graded, and how often.

    Returns:
        CSV; numbers are empty where a submission could not be graded. "counts" is "yes" for one
        submission of each student and lesson.
    """
    return _write(GRADES, (_grade(each, counts) for each, counts in summary.counting(results)))


def _exercise(result: Result, mark: dict[str, Any], counts: bool) -> Sequence[Any]:
    about = (result["student"], result["file"], result["lesson"], mark["id"], mark["title"])
    points = (mark["points"], f"{mark['earned']:.2f}", mark["state"], mark["diagnosis"])
    said = (mark["remark"], "yes" if counts else "no")
    return (*about, *points, mark["right"], mark["inputs"], mark["alike"], *said)


def exercises(results: Sequence[Result]) -> str:
    """One row for each exercise of each submission, likewise.

    Returns:
        CSV.
    """
    pairs = summary.counting(results)
    rows = (_exercise(each, mark, counts) for each, counts in pairs for mark in each["marks"])
    return _write(EXERCISES, rows)


def as_json(results: Sequence[Result], **about: Any) -> str:
    """All of it, times and code too.

    Args:
        results: by file.
        about: how they were graded.
    """
    return json.dumps({**about, "results": list(results)}, indent=1, sort_keys=True) + "\n"
