"""One student's page: what passed, what was diagnosed, their code beside the reference."""

from collections.abc import Mapping, Sequence
from typing import Any

from rsedu.course import registry
from rsedu.grade import summary as overview
from rsedu.grade.grading import Result
from rsedu.grade.reports.markup import Html, badge, code, element, join, number, page
from rsedu.grade.reports.tables import remark, total

Solutions = Mapping[tuple[str, str], str]


def _said(lines: Sequence[str]) -> Html:
    """Paragraphs; a learner's own code keeps its layout."""
    made = [
        element("pre", line.removeprefix("    ")) if line.startswith("    ") else element("p", line)
        for line in lines
    ]
    return join(*made)


def _beside(mark: dict[str, Any], solution: str) -> Html:
    theirs = element("div", element("h4", "Your code"), code(mark["code"]))
    ours = element("div", element("h4", "One clear answer"), code(solution))
    listing = element("div", theirs, ours, class_="beside")
    summary = element("summary", "Code, beside the kit's own")
    return element("details", summary, listing, open=mark["state"] != "passed")


def _exercise(mark: dict[str, Any], solution: str) -> Html:
    points = f"{number(mark['earned'])} of {mark['points']} points"
    inputs = f", {mark['right']} of {mark['inputs']} inputs right" if mark["inputs"] else ""
    known = f"Recognised: {mark['diagnosis']}." if mark["diagnosis"] else ""
    return element(
        "article",
        element("h3", mark["title"], " ", badge(mark["state"])),
        element("p", points, inputs, class_="points"),
        element("p", element("strong", known)) if known else "",
        _said(mark["lines"]),
        element("p", f"Note: {mark['remark']}.", class_="remark") if mark["remark"] else "",
        _beside(mark, solution),
        class_=mark["state"].replace(" ", "-"),
    )


def _notebook(result: Result, solutions: Solutions, counts: bool) -> Html:
    if result["problem"]:
        said = element("p", badge("error"), " ", result["problem"])
        return element("section", element("h2", result["file"]), said)
    lesson = registry.lesson(result["lesson"])
    earned, points = total(result)
    share = 100 * earned / points if points else 0
    passed = sum(mark["state"] == "passed" for mark in result["marks"])
    odd = remark(result, counts)
    fill = element("span", "", style=f"width: {share:.1f}%")
    return element(
        "section",
        element("h2", f"Lesson {lesson.number}: {lesson.question}"),
        element(
            "p",
            element("strong", f"{number(earned)} of {points} points"),
            f", {passed} of {len(result['marks'])} exercises passed. ",
            element("small", result["file"]),
        ),
        element("div", fill, class_="meter", aria_hidden="true"),
        element("p", f"Note: {odd}.", class_="remark") if odd else "",
        *(_exercise(mark, solutions[result["lesson"], mark["id"]]) for mark in result["marks"]),
    )


def write(student: str, results: Sequence[Result], solutions: Solutions) -> str:
    """Write a student's page.

    Args:
        student: name, as it is shown.
        results: of all their submissions.
        solutions: code of the key, by lesson and exercise.

    Returns:
        HTML, whole in itself.
    """
    chosen = {id(each) for each in overview.counted(results)}
    return page(
        f"{student}: what passed",
        element("nav", element("a", "The whole class", href="../index.html")),
        element("h1", student),
        *(_notebook(result, solutions, id(result) in chosen) for result in results),
    )
