import html.parser
from pathlib import Path

import nbformat
import numpy as np
import pytest

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.project import page
from rsedu.project.place import Place
from rsedu.project.report import Report, compose

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> ![i](http://example.org/x.png)"


@pytest.fixture
def made(place: Place, mapped: np.ndarray) -> Report:
    return Report(
        group=f"Tukan {HOSTILE}", track=HOSTILE, method=HOSTILE, place=place, mapped=mapped
    )


class Reader(html.parser.HTMLParser):
    """What a browser would load and run, and what it would show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.shown += data


def test_the_page_needs_nothing_else_and_runs_nothing(made: Report) -> None:
    found = Reader(page.render(compose(made)))
    assert "script" not in found.tags and "link" not in found.tags and "b" not in found.tags
    assert len(found.images) == 2
    for image in found.images:
        assert (image["src"] or "").startswith("data:image/png;base64,")
        assert len(image["alt"] or "") > 40
    assert "<script>alert(1)</script>" in found.shown
    assert "![i](" in found.shown
    assert "attachment:" not in found.shown


def test_every_part_is_on_the_page_and_has_its_place(made: Report) -> None:
    text = page.render(compose(made))
    for tag in ("title", "numbers", "where", "when", "method", "sure", "limits", "foot"):
        assert text.count(f"celltag_{tag}") >= 1, tag
    assert text.count("<h1") == 1
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')


def test_html_and_notebook_are_written_whole(made: Report, tmp_path: Path) -> None:
    paths = [tmp_path / "new" / "report.html", tmp_path / "new" / "report.ipynb"]
    assert page.write(made, *paths) == paths
    assert sorted(each.name for each in (tmp_path / "new").iterdir()) == [
        "report.html",
        "report.ipynb",
    ]
    assert paths[0].read_text(encoding="utf-8").rstrip().endswith("</html>")
    nbformat.validate(nbformat.read(paths[1], as_version=4))


def test_the_longest_report_is_one_page(chromium: str, mapped: np.ndarray, place: Place) -> None:
    words = "Wherever the clouds were thick we asked the radar, and it answered. " * 20
    made = Report(
        group="L" * 40, track=words, method=words, limits=words, place=place, mapped=mapped
    )
    (path,) = page.write(made, "report.pdf")
    assert path.read_bytes().count(b"/Type /Page\n") == 1


def test_without_a_browser_what_stands_before_is_written(
    made: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDataError, match="A PDF needs Chromium"):
        page.write(made, tmp_path / "report.html", tmp_path / "report.pdf")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_other_endings_and_impossible_places_are_told(made: Report, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends so, not report\.docx"):
        page.write(made, tmp_path / "report.html", Path("report.docx"))
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(BrokenDataError, match="cannot be written: choose another"):
        page.write(made, tmp_path / "file" / "report.html")
