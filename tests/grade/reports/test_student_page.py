"""A student's page: verdict, lines, both codes, and nothing that runs."""

from rsedu.grade.reports import student_page
from tests.grade.reports.test_markup import EVIL, Reader
from tests.grade.reports.test_tables import mark, result

SOLUTIONS = {("01", "ndvi"): "def ndvi():\n    clear", ("01", "area"): "the area"}


def _read(*marks: dict[str, object], student: str = "ana", **more: object) -> Reader:
    return Reader(student_page.write(student, [result(student, *marks, **more)], SOLUTIONS))


def test_it_shows_points_verdict_diagnosis_and_both_codes() -> None:
    lines = ["You took a mean.", "    return x.mean()"]
    wrong = mark(
        "area", 0.5, "wrong value", diagnosis="mean", lines=lines, code="their code", remark="twice"
    )
    read = _read(mark("ndvi", 2), wrong)
    for text in (
        "Lesson 01: What do two satellites see of one place?",
        "2.5 of 4 points",
        "1 of 2 exercises passed",
        "Recognised: mean.",
        "You took a mean.",
        "return x.mean()",
        "their code",
        "the area",
        "Note: twice.",
        "1 of 2 inputs right",
    ):
        assert text in read.text, text
    opened = [attributes for tag, attributes in read.tags if tag == "details"]
    assert ["open" in each for each in opened] == [False, True]


def test_hostile_text_stays_text() -> None:
    evil = mark(
        "ndvi", 0, "error", diagnosis=EVIL, lines=[EVIL, f"    {EVIL}"], code=EVIL, remark=EVIL
    )
    read = _read({**evil, "title": EVIL}, student=EVIL)
    assert {"script", "img"} & {tag for tag, _ in read.tags} == set()
    assert read.text.count("alert('x')") >= 8


def test_a_file_that_was_not_graded_says_why() -> None:
    assert "It is a link." in _read(problem="It is a link.").text


def test_of_two_notebooks_of_a_lesson_the_one_that_does_not_count_says_so() -> None:
    found = [result("ana", mark("ndvi", 2)), result("ana", mark("ndvi", 0, "error"))]
    text = Reader(student_page.write("ana", found, SOLUTIONS)).text
    assert text.count("Note: also handed in, not counted.") == 1
