"""Pages read back by a parser: what is said, where links lead, and that strangers' text is text."""

from html.parser import HTMLParser

import pytest

from rsedu.grade.reports import pages
from rsedu.grade.reports.pages import slug
from tests.grade.reports.test_tables import mark, result
from tests.grade.test_summary import CLASS

EVIL = "</pre><script>alert('x')</script>\"&amp;' onload=x"
SOLUTIONS = {("01", "ndvi"): "def ndvi():\n    clear", ("01", "area"): "the area"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Reader(HTMLParser):
    """Tags that were opened, with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [
            attributes[name]
            for found, attributes in self.tags
            if found == tag and name in attributes
        ]


def _class(results: list[dict[str, object]]) -> Reader:
    return Reader(pages.class_page(results, isolation="No sandbox.", spent_s=12.4))


def _student(*results: dict[str, object], student: str = "ana") -> Reader:
    return Reader(pages.student_page(student, list(results), SOLUTIONS))


@pytest.mark.parametrize(
    ("earned", "state", "shade"),
    [
        (2, "passed", "s5"),
        (1.99, "wrong value", "s4"),
        (1.6, "wrong value", "s4"),
        (1.59, "wrong value", "s3"),
        (0.4, "error", "s1"),
        (0.39, "error", "s0"),
        (0, "error", "s0"),
        (0, "not started", "none"),
    ],
)
def test_a_field_is_as_dark_as_its_share(earned: float, state: str, shade: str) -> None:
    assert pages.shade(mark("ndvi", earned, state)) == shade


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (0.5, "0.5"), (1.25, "1.25"), (0.0, "0"), (10.0, "10")]
)
def test_points_have_no_idle_decimals(value: float, text: str) -> None:
    assert pages.number(value) == text


def test_page_names_are_safe_and_differ() -> None:
    names = ["ana", "Ana", "../../etc/passwd", "é", "è", "a b", "a-b", "<script>", "", "x" * 300]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(each.replace("-", "").replace(".html", "").isalnum() for each in slugs)
    assert max(map(len, slugs)) < 60


def test_the_class_says_in_words_what_it_says_in_colour() -> None:
    page = _class(CLASS)
    assert page.attributes("td", "title") == [
        *("wrong value (mean)", "passed", "wrong value", "not started", "wrong value", "error")
    ]
    for said in (
        *("wrong value, ", "passed, ", "not started, ", "error, "),
        *("3 students, 4 notebooks", "NDVI: mean", "NDVI: no known misconception", "2 students"),
        *("ben.ipynb: broken", "This run took 12 s", "ana: 1.5 s, 44 MB", "0 of 3", "1 of 3"),
        "No sandbox.",
    ):
        assert said in page.text, said
    links = {f"students/{slug(name)}" for name in ("ana", "ben", "cai")}
    assert set(page.attributes("a", "href")) == links
    assert "0 students, 0 notebooks. Exercises: nothing." in _class([]).text


def test_what_does_not_count_is_named_and_in_no_statistics() -> None:
    more = result("cai", mark("ndvi", 2), mark("area", 2), file="better.ipynb")
    text = _class([*CLASS, more]).text
    assert "Also handed in, not counted" in text and "cai: cai.ipynb" in text
    assert "1 of 3" in text and "2 of 3" in text and "of 4" not in text
    assert "3 students, 5 notebooks" in text
    again = _student(result("ana", mark("ndvi", 2)), result("ana", mark("ndvi", 0, "error")))
    assert again.text.count("Note: also handed in, not counted.") == 1


def test_a_student_sees_points_verdict_diagnosis_and_both_codes() -> None:
    about = {"diagnosis": "mean", "lines": ["You took a mean.", "    return x.mean()"]}
    wrong = mark("area", 0.5, "wrong value", **about, code="their code\n\nend", remark="twice")
    page = _student(result("ana", mark("ndvi", 2), wrong))
    for said in (
        "Lesson 01: What do two satellites see of one place?",
        *("2.5 of 4 points", "1 of 2 exercises passed", "Recognised: mean.", "Note: twice."),
        *("You took a mean.", "return x.mean()", "their code\n \nend", "the area", "(empty)"),
        *("1 of 2 inputs right", "passed", "wrong value"),
    ):
        assert said in page.text, said
    details = [attributes for tag, attributes in page.tags if tag == "details"]
    assert ["open" in attributes for attributes in details] == [False, True]
    assert page.attributes("div", "class")[0] == "meter"
    assert page.attributes("span", "style") == ["width: 62.5%"]
    assert "It is a link." in _student(result("ana", problem="It is a link.")).text


@pytest.mark.parametrize("kind", ["class", "student"])
def test_strangers_text_stays_text_and_nothing_may_run(kind: str) -> None:
    evil = mark("ndvi", 0, "error", diagnosis=EVIL, alike="x", lines=[EVIL, f"    {EVIL}"])
    evil |= {"title": EVIL, "code": EVIL, "remark": EVIL}
    results = [result(EVIL, evil, remark=EVIL), result(EVIL, problem=EVIL, lesson="", file=EVIL)]
    page = _class(results) if kind == "class" else _student(*results, student=EVIL)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "link", "iframe"} and ("html", {"lang": "en"}) in page.tags
    assert not [name for _, attributes in page.tags for name in attributes if name == "onload"]
    assert page.attributes("meta", "content")[-1] == POLICY
    assert page.text.count(EVIL) >= 9
    if kind == "class":
        assert f"error ({EVIL})" in page.attributes("td", "title")


def test_a_page_carries_its_style_letter_by_letter() -> None:
    style = pages.Path(pages.__file__).with_name("page.css").read_text(encoding="utf-8")
    assert style.strip() in _class([]).text
