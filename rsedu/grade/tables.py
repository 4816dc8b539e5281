"""Results as CSV and JSON. A spreadsheet that opens the CSV runs none of it."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from rsedu.grade.grading import Result

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
GRADES = ("student", "file", "lesson", "earned", "points", "percent", "passed", "of", "problem")
EXERCISES = (
    *("student", "file", "lesson", "exercise", "title", "points", "earned", "state", "diagnosis"),
    *("right", "inputs", "alike", "remark"),
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


def _grade(result: Result) -> Sequence[Any]:
    about = (result["student"], result["file"], result["lesson"])
    if result["problem"]:
        return (*about, "", "", "", "", "", result["problem"])
    earned, points = total(result)
    percent = f"{100 * earned / points:.1f}" if points else ""
    passed = sum(mark["state"] == "passed" for mark in result["marks"])
    return (*about, f"{earned:.2f}", points, percent, passed, len(result["marks"]), "")


def grades(results: Sequence[Result]) -> str:
    """One row for each submission, without times: the same bytes whoever graded, and how often.

    Returns:
        CSV; numbers are empty where a submission could not be graded.
    """
    return _write(GRADES, map(_grade, results))


def _exercise(result: Result, mark: dict[str, Any]) -> Sequence[Any]:
    about = (result["student"], result["file"], result["lesson"], mark["id"], mark["title"])
    points = (mark["points"], f"{mark['earned']:.2f}", mark["state"], mark["diagnosis"])
    return (*about, *points, mark["right"], mark["inputs"], mark["alike"], mark["remark"])


def exercises(results: Sequence[Result]) -> str:
    """One row for each exercise of each submission, likewise.

    Returns:
        CSV.
    """
    return _write(EXERCISES, (_exercise(each, mark) for each in results for mark in each["marks"]))


def as_json(results: Sequence[Result], **about: Any) -> str:
    """All of it, times and code too.

    Args:
        results: by file.
        about: how they were graded.
    """
    return json.dumps({**about, "results": list(results)}, indent=1, sort_keys=True) + "\n"
