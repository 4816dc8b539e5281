"""The class at one look: who solved what, which mistakes are common, who never started what."""

from collections.abc import Sequence
from typing import Any

from rsedu.course import registry
from rsedu.grade import summary
from rsedu.grade.grading import Result
from rsedu.grade.reports.markup import MARKS, Html, code, element, join, number, page, slug
from rsedu.grade.reports.tables import total
from rsedu.grade.summary import Shared

_SHADES = 5


def shade(mark: dict[str, Any]) -> str:
    """How strong a field's colour is: "s0" (no points) to "s5" (all), "none" where not started."""
    if mark["state"] == "not started":
        return "none"
    return f"s{int(_SHADES * mark['earned'] / mark['points'] + 1e-9)}"


def _link(student: str) -> Html:
    return element("a", student, href=f"students/{slug(student)}")


def _field(mark: dict[str, Any]) -> Html:
    sign = element("span", MARKS[mark["state"]], aria_hidden="true")
    said = element("span", f"{mark['state']}, ", class_="only-read")
    text = "" if mark["state"] == "not started" else number(mark["earned"])
    note = " ".join(filter(None, (mark["state"], mark["diagnosis"] and f"({mark['diagnosis']})")))
    return element("td", said, sign, " ", text, class_=shade(mark), title=note)


def _row(result: Result) -> Html:
    earned, points = total(result)
    fields = [_field(mark) for mark in result["marks"]]
    share = element("td", f"{number(earned)} ({100 * earned / points:.0f} %)", class_="sum")
    return element("tr", element("th", _link(result["student"]), scope="row"), *fields, share)


def _solved(results: Sequence[Result]) -> Html:
    """The last row: how many of the class passed each exercise."""
    columns = zip(*(result["marks"] for result in results), strict=True)
    counts = [sum(mark["state"] == "passed" for mark in column) for column in columns]
    fields = [element("td", f"{count} of {len(results)}") for count in counts]
    return element("tr", element("th", "passed", scope="row"), *fields, element("td", ""))


def _map(number_: str, results: Sequence[Result]) -> Html:
    lesson = registry.lesson(number_)
    heads = [
        element("th", mark["title"], element("small", f" {mark['points']} p."), scope="col")
        for mark in results[0]["marks"]
    ]
    top = element(
        "tr", element("th", "Student", scope="col"), *heads, element("th", "Points", scope="col")
    )
    caption = f"Lesson {lesson.number}: {lesson.question} Points by student and exercise"
    table = element(
        "table",
        element("caption", caption),
        element("thead", top),
        element("tbody", *map(_row, results)),
        element("tfoot", _solved(results)),
        class_="map",
    )
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _legend() -> Html:
    words = ("no points", "a fifth", "two fifths", "three fifths", "four fifths", "all")
    shades = [element("span", word, class_=f"key s{number}") for number, word in enumerate(words)]
    signs = f"{MARKS['passed']} passed, {MARKS['wrong value']} wrong, {MARKS['error']} error"
    return element(
        "p",
        f"{signs}. Shares of the points: ",
        *shades,
        element("span", "not started", class_="key none"),
    )


def _group(group: Shared) -> Html:
    head = f"{group.title}: {group.name or 'no known misconception'}"
    count = f"{len(group.students)} student" + ("s" if len(group.students) > 1 else "")
    names = [part for each in group.students for part in (", ", _link(each))][1:]
    return element(
        "details",
        element(
            "summary",
            element("strong", head),
            f" (lesson {group.lesson}) ",
            element("span", count, class_="count"),
        ),
        element("p", group.says),
        element("p", *names),
        code(group.code),
    )


def _groups(results: Sequence[Result]) -> Html:
    found = summary.shared(results)
    known = [each for each in found if each.name]
    other = [each for each in found if not each.name]
    nothing = element("p", "None.")
    return join(
        element("h2", "Most common misconceptions"),
        *([_group(each) for each in known] or [nothing]),
        element("h2", "Wrong in the same way, and not yet known to the kit"),
        *([_group(each) for each in other] or [nothing]),
    )


def _left(results: Sequence[Result]) -> Html:
    rows = [
        element("tr", element("th", _link(student), scope="row"), element("td", ", ".join(titles)))
        for student, titles in summary.never_started(results).items()
    ]
    head = element(
        "tr", element("th", "Student", scope="col"), element("th", "Exercises", scope="col")
    )
    table = element("table", element("thead", head), element("tbody", *rows))
    return join(
        element("h2", "Never started"),
        table if rows else element("p", "Everybody began everything."),
    )


def _problems(results: Sequence[Result]) -> Html:
    bad = [each for each in results if each["problem"]]
    if not bad:
        return Html("")
    items = [element("li", element("strong", each["file"]), ": ", each["problem"]) for each in bad]
    return join(element("h2", "Not graded: look at these by hand"), element("ul", *items))


def _again(results: Sequence[Result]) -> Html:
    more = summary.also_handed_in(results)
    if not more:
        return Html("")
    items = [element("li", _link(each["student"]), f": {each['file']}") for each in more]
    text = "Of each lesson a student's best notebook counts, here and below."
    return join(
        element("h2", "Also handed in, not counted"), element("p", text), element("ul", *items)
    )


def _time(results: Sequence[Result], spent_s: float) -> Html:
    slow = sorted(results, key=lambda each: -each["seconds"])[:5]
    items = [
        element(
            "li", _link(each["student"]), f": {each['seconds']:.1f} s, {each['memory_mb']:.0f} MB"
        )
        for each in slow
        if each["seconds"]
    ]
    text = f"This run took {spent_s:.0f} s. The submissions that took longest:"
    return join(element("h2", "Time"), element("p", text), element("ol", *items))


def write(results: Sequence[Result], *, isolation: str, spent_s: float) -> str:
    """Write the page of the class.

    Args:
        results: of all submissions, by file.
        isolation: a sentence that says how strangers' code was kept apart.
        spent_s: seconds that this run took.

    Returns:
        HTML, whole in itself; students' pages are beneath `students/`.
    """
    counted = summary.counted(results)
    counts = summary.states(counted)
    said = ", ".join(f"{count} {state}" for state, count in counts.most_common()) or "nothing"
    students = len({result["student"] for result in results})
    return page(
        "The class",
        element("h1", "The class"),
        element("p", f"{students} students, {len(results)} notebooks. Exercises: {said}."),
        _problems(results),
        _again(results),
        _legend(),
        *(_map(lesson, found) for lesson, found in summary.lessons(counted).items()),
        _groups(counted),
        _left(counted),
        _time(results, spent_s),
        element("footer", element("p", isolation)),
    )
