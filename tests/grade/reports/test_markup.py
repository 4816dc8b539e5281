"""HTML in which strangers' text stays text, read back by a parser."""

from html.parser import HTMLParser

import pytest

from rsedu.grade.reports import markup
from rsedu.grade.reports.markup import Html, element

EVIL = "</pre><script>alert('x')</script>\"&amp;' onload=x"


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


def test_text_and_attributes_are_escaped() -> None:
    read = Reader(element("p", EVIL, title=EVIL))
    assert read.tags == [("p", {"title": EVIL})]
    assert read.text == EVIL


def test_what_is_html_already_stays() -> None:
    assert element("p", element("b", "<"), Html("<br>"), 3) == "<p><b>&lt;</b><br>3</p>"


def test_attributes_are_written_as_html_names_them() -> None:
    made = element("td", class_="a b", aria_hidden="true", open=True, id=None, hidden=False)
    assert made == '<td class="a b" aria-hidden="true" open></td>'


def test_a_listing_keeps_its_lines() -> None:
    read = Reader(markup.code(f"a = 1\n\n{EVIL}"))
    assert [tag for tag, _ in read.tags] == ["pre", "span", "span", "span"]
    assert read.text == f"a = 1\n \n{EVIL}"


def test_a_badge_says_its_state_in_words() -> None:
    for state in markup.MARKS:
        assert state in Reader(markup.badge(state)).text


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (0.5, "0.5"), (1.25, "1.25"), (0.0, "0"), (10.0, "10")]
)
def test_points_have_no_idle_decimals(value: float, text: str) -> None:
    assert markup.number(value) == text


def test_page_names_are_safe_and_differ() -> None:
    names = ["ana", "Ana", "../../etc/passwd", "é", "è", "a b", "a-b", "<script>", "", "x" * 300]
    slugs = [markup.slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(slug.replace("-", "").replace(".html", "").isalnum() for slug in slugs)
    assert max(map(len, slugs)) < 60


def test_a_page_is_whole_and_allows_no_script() -> None:
    read = Reader(markup.page(EVIL, element("h1", "x")))
    tags = dict(read.tags)
    assert "script" not in tags and "link" not in tags and tags["html"] == {"lang": "en"}
    policies = [each["content"] for tag, each in read.tags if each.get("http-equiv")]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]
