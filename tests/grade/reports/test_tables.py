"""CSV that a spreadsheet can open without running it; sums by hand."""

import csv
import io
import json
from typing import Any

import pytest

from rsedu.grade.grading import Result
from rsedu.grade.reports import tables


def mark(id_: str, earned: float, state: str = "passed", **more: Any) -> dict[str, Any]:
    """A mark of two points, as JSON carries it."""
    rest = {"lines": [], "right": 1, "inputs": 2, "alike": "", "code": "", "remark": ""}
    about = {"id": id_, "title": id_.upper(), "points": 2, "earned": earned, "state": state}
    return {**about, "diagnosis": "", **rest, **more}


def result(student: str, *marks: dict[str, Any], **more: Any) -> Result:
    """A result of lesson 01."""
    about = {"student": student, "file": f"{student}.ipynb", "lesson": "01", "problem": ""}
    return {**about, "marks": list(marks), "seconds": 1.5, "memory_mb": 44.0, **more}


ANA = result("ana", mark("ndvi", 2.0), mark("hectares", 0.67, "wrong value", diagnosis="mean"))
BEN = result("ben", problem="It is no notebook.", lesson="")


def test_grades_are_sums_and_carry_no_times() -> None:
    assert tables.grades([ANA, BEN]) == (
        "student,file,lesson,earned,points,percent,passed,of,problem,counts,remark\n"
        "ana,ana.ipynb,01,2.67,4,66.8,1,2,,yes,\n"
        "ben,ben.ipynb,,,,,,,It is no notebook.,no,\n"
    )


def test_each_exercise_has_its_row() -> None:
    rows = list(csv.DictReader(io.StringIO(tables.exercises([ANA, BEN]))))
    assert [(row["exercise"], row["earned"], row["state"], row["diagnosis"]) for row in rows] == [
        ("ndvi", "2.00", "passed", ""),
        ("hectares", "0.67", "wrong value", "mean"),
    ]


def test_of_one_lesson_handed_in_twice_one_counts() -> None:
    again = result("ana", mark("ndvi", 2.0), mark("hectares", 2.0), file="ana (1).ipynb")
    rows = list(csv.DictReader(io.StringIO(tables.grades([again, ANA]))))
    assert [(row["counts"], row["remark"]) for row in rows] == [
        ("yes", ""),
        ("no", "also handed in, not counted"),
    ]
    rows = list(csv.DictReader(io.StringIO(tables.exercises([again, ANA]))))
    assert [row["counts"] for row in rows] == ["yes", "yes", "no", "no"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", " =1", "\n=1", "|calc", "%x", "\uff1d1"],
)
def test_formulas_are_text(text: str) -> None:
    wanted = "'" + text.replace("\r", "\n")
    assert tables.safe(text) == wanted
    written = tables.grades([result(text)])
    (row,) = csv.DictReader(io.StringIO(written, newline=""))
    assert row["student"] == wanted


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    plain = [1, -2.5, "a=b", "", "1-2"]
    assert [tables.safe(value) for value in plain] == plain


def test_quotes_commas_and_lines_stay_in_their_cell() -> None:
    nasty = 'a,"b"\nc'
    (row,) = csv.DictReader(io.StringIO(tables.grades([result(nasty)]), newline=""))
    assert row["student"] == nasty


def test_json_has_all_of_it() -> None:
    found = json.loads(tables.as_json([ANA], isolation="none"))
    assert found == {"isolation": "none", "results": [ANA]}
