"""The page of the class: the map says in words what it says in colour."""

import pytest

from rsedu.grade.reports import class_page
from rsedu.grade.reports.markup import slug
from tests.grade.reports.test_markup import EVIL, Reader
from tests.grade.reports.test_tables import mark, result
from tests.grade.test_summary import CLASS


def _read(results: list[dict[str, object]]) -> Reader:
    return Reader(class_page.write(results, isolation="No sandbox.", spent_s=12.4))


@pytest.mark.parametrize(
    ("earned", "state", "wanted"),
    [(2, "passed", "s5"), (0, "error", "s0"), (1.6, "wrong value", "s4"), (0.5, "error", "s1")],
)
def test_a_field_is_as_dark_as_its_share(earned: float, state: str, wanted: str) -> None:
    assert class_page.shade(mark("ndvi", earned, state)) == wanted


def test_what_was_not_started_has_a_pattern_of_its_own() -> None:
    assert class_page.shade(mark("ndvi", 0, "not started")) == "none"


def test_every_field_has_its_state_in_words() -> None:
    read = _read(CLASS)
    titles = [
        attributes["title"]
        for tag, attributes in read.tags
        if tag == "td" and "title" in attributes
    ]
    assert titles == [
        "wrong value (mean)",
        "passed",
        "wrong value",
        "not started",
        "wrong value",
        "error",
    ]
    for text in ("wrong value, ", "passed, ", "not started, ", "error, "):
        assert text in read.text


def test_it_names_groups_the_unstarted_problems_and_times() -> None:
    text = _read(CLASS).text
    for said in (
        "3 students, 4 notebooks",
        "NDVI: mean",
        "NDVI: no known misconception",
        "2 students",
        "ben.ipynb: broken",
        "This run took 12 s",
        "ana: 1.5 s, 44 MB",
        "0 of 3",
        "1 of 3",
        "No sandbox.",
    ):
        assert said in text, said


def test_links_lead_to_the_students_pages() -> None:
    links = {attributes["href"] for tag, attributes in _read(CLASS).tags if tag == "a"}
    assert links == {f"students/{slug(name)}" for name in ("ana", "ben", "cai")}


def test_hostile_text_stays_text() -> None:
    evil = mark("ndvi", 0, "error", diagnosis=EVIL, alike="x", lines=[EVIL], code=EVIL)
    read = _read([result(EVIL, {**evil, "title": EVIL}), result(EVIL, problem=EVIL, lesson="")])
    assert {"script", "img"} & {tag for tag, _ in read.tags} == set()


def test_a_class_without_results_is_a_page_too() -> None:
    assert "0 students, 0 notebooks. Exercises: nothing." in _read([]).text


def test_what_does_not_count_is_named_and_in_no_statistics() -> None:
    more = result("cai", mark("ndvi", 2), mark("area", 2), file="better.ipynb")
    text = _read([*CLASS, more]).text
    assert "Also handed in, not counted" in text and "cai: cai.ipynb" in text
    assert "1 of 3" in text and "2 of 3" in text and "of 4" not in text
    assert "3 students, 5 notebooks" in text
