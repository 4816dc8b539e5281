import base64
import html.parser
import io
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from rsedu.errors import BrokenDataError, InputError
from rsedu.project.place import Place
from rsedu.project.report import Report, how_sure, paragraphs, remarks
from rsedu.project.score import score

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> ![i](http://example.org/x.png)"
SECTIONS = ["title", "numbers", "where", "when", "method", "sure", "limits", "foot"]


@pytest.fixture
def made(place: Place, mapped: np.ndarray) -> Report:
    words = {"track": "B, through clouds", "method": "We asked the radar."}
    sample: Any = {"sample": 300, "how": "equal", "seed": 5, "day": date(2026, 3, 7)}
    return Report(group="Los  Tucanes", place=place, mapped=mapped, **words, **sample)


class Reader(html.parser.HTMLParser):
    """What a browser would load and run, and what it would show, section by section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[dict[str, Any]] = []
        self.sections: dict[str, str] = {"": ""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "section":
            self.sections[dict(attrs)["id"] or ""] = ""

    def handle_data(self, data: str) -> None:
        self.sections[list(self.sections)[-1]] += data


def test_the_report_fills_itself(made: Report, mapped: np.ndarray, true: np.ndarray) -> None:
    wanted = score(mapped, true, gsd_m=10.0, sample=300, how="equal", seed=5)
    page = made.page()
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">') and page.endswith("</html>")
    text = {name: shown.strip() for name, shown in Reader(page).sections.items()}
    assert list(text) == ["", *SECTIONS]
    assert text["title"].endswith(
        "Los Tucanes · B, through clouds · SYNTHETIC place 3, 2 km, 2020.5 to 2025.5, 10 m · "
        "7 March 2026"
    )
    low, high = wanted.interval_ha
    assert text["numbers"].split("\n")[-5:] == [
        f"{wanted.estimated_ha:.0f} ha",
        f"{low:.0f} to {high:.0f} ha",
        f"{wanted.f1:.3f}",
        f"{wanted.date_error_years:.2f} years",
        f"{wanted.boundary_bias_m:+z.1f} m",
    ]
    assert page.count("<strong>") == 3  # the group, hectares, their interval
    assert text["method"].endswith("We asked the radar.")
    assert text["sure"].endswith(how_sure(made))
    assert text["limits"].endswith("To be written by the group.")
    assert "with 300 pixels, allocation equal, seed 5" in text["foot"]


def test_the_page_needs_nothing_else_and_runs_nothing(place: Place, mapped: np.ndarray) -> None:
    words = {"track": HOSTILE, "method": HOSTILE, "limits": HOSTILE}
    read = Reader(Report(group=f"T {HOSTILE}", place=place, mapped=mapped, **words).page())
    assert not {"script", "link", "b"} & set(read.tags)
    for image in read.images:
        assert image["src"].startswith("data:image/png;base64,")
        with Image.open(io.BytesIO(base64.b64decode(image["src"].split(",")[1]))) as png:
            assert png.width > 600
    where, when = (read.sections[name].strip().split("\n")[-1] for name in ("where", "when"))
    assert [image["alt"] for image in read.images] == [where, when]
    assert len(where) > 40 and len(when) > 40
    for name in ("method", "limits"):
        assert HOSTILE in read.sections[name]
    assert "<script>alert(1)</script>" in read.sections["title"]
    assert not plt.get_fignums()


class NoStrftime(date):
    """A day on a system that knows none of the format's letters."""

    def strftime(self, form: str, /) -> str:
        raise ValueError("Invalid format string")

    __format__ = strftime


@pytest.mark.parametrize(("month", "name"), [(1, "January"), (9, "September"), (12, "December")])
def test_the_day_is_written_the_same_everywhere(
    place: Place, mapped: np.ndarray, month: int, name: str
) -> None:
    made = Report(group="a", place=place, mapped=mapped, day=NoStrftime(2026, month, 5))
    assert f" · 5 {name} 2026</p>" in made.page()


def test_how_sure_counts_the_sample(made: Report) -> None:
    (unchanged, missed), (alarms, right) = made.score.matrix.tolist()
    text = how_sure(made)
    assert text.startswith("300 pixels were drawn at random and looked up.")
    assert f"Of {alarms + right} that the map shows as lost, {right} were" in text
    assert f"of {unchanged + missed} others {missed} were lost too" in text
    assert f"The truth, which no real project has, is {made.score.true_ha:.0f} ha" in text


@pytest.mark.parametrize(
    ("missed", "sentence"),
    [
        (0, "others 0 were lost too. So"),
        (0, "No omission was met by the sample"),
        (1, "others 1 was lost too"),
        (1, "Only 1 of the omissions was met by the sample"),
        (4, "Only 4 of the omissions were met by the sample"),
        (5, "others 5 were lost too"),
    ],
)
def test_few_omissions_are_remarked_on(made: Report, missed: int, sentence: str) -> None:
    made.score.matrix[0, 1] = missed
    text = how_sure(made)
    assert sentence in text
    assert text.endswith(" ha.") == ("omission" not in text) == (missed == 5)


def test_a_map_that_found_nothing_still_reports(place: Place, true: np.ndarray) -> None:
    nothing = np.full_like(true, np.nan)
    row, col = np.argwhere(~np.isfinite(true))[0]
    nothing[row, col : col + 2] = 2022.0
    assert np.isnan(true[row, col : col + 2]).all()
    numbers = Reader(Report(group="a", place=place, mapped=nothing).page()).sections["numbers"]
    assert numbers.split()[-3:] == ["0.000", "none", "none"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a  b\nc", ["a b c"]),
        ("one\n \n\ntwo", ["one", "two"]),
        ("# a\n\n- $x$", ["# a", "- $x$"]),
        (" \n ", []),
        ("ab ab ab c", ["ab ab ab c"]),
        ("ab ab ab cd", ["ab ab ab c ..."]),
        ("ab ab abc d", ["ab ab abc ..."]),
    ],
)
def test_a_groups_text_is_cut_into_paragraphs(text: str, parts: list[str]) -> None:
    assert paragraphs(text, longest=10) == parts


@pytest.mark.parametrize(
    ("longest", "cut"),
    [({"track": 60, "method": 900}, []), ({"track": 61, "method": 901}, [61, 901])],
)
def test_what_the_page_cuts_off_is_told(
    place: Place, mapped: np.ndarray, longest: dict[str, int], cut: list[int]
) -> None:
    words: Any = {name: "a" * count for name, count in longest.items()}
    told = remarks(Report(group="a", place=place, mapped=mapped, **words))
    assert [int(remark.split()[4]) for remark in told] == cut


def test_the_page_is_written_whole(made: Report, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.HTML"
    assert made.write(path) == path == next((tmp_path / "new").iterdir())
    assert path.read_text(encoding="utf-8") == made.page()


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("report.docx", InputError, r"ends in \.html, not .*report\.docx"),
        ("report.pdf", InputError, "that any browser prints or saves as PDF"),
        ("file/report.html", BrokenDataError, "cannot be written: choose another"),
    ],
)
def test_other_endings_and_impossible_places_are_refused(
    made: Report, tmp_path: Path, name: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(error, match=message):
        made.write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_report_needs_a_name_and_is_dealt_out_as_the_score(
    place: Place, mapped: np.ndarray
) -> None:
    with pytest.raises(InputError, match="give the group another"):
        Report(group="--", place=place, mapped=mapped)
    assert Report.__dataclass_fields__["how"].default == "at_least"


def test_the_longest_report_prints_on_one_page(
    chromium: str, mapped: np.ndarray, place: Place, tmp_path: Path
) -> None:
    words = "Wherever the clouds were thick we asked the radar, and it answered. " * 20
    texts = {"track": words, "method": words, "limits": words}
    path = Report(group="L" * 40, place=place, mapped=mapped, **texts).write(tmp_path / "a.html")
    flags = ["--headless", "--disable-gpu", "--no-sandbox", "--no-pdf-header-footer"]
    flags += [f"--user-data-dir={tmp_path}/profile", f"--print-to-pdf={tmp_path}/a.pdf"]
    subprocess.run([chromium, *flags, path.as_uri()], capture_output=True, timeout=120, check=True)
    assert (tmp_path / "a.pdf").read_bytes().count(b"/Type /Page\n") == 1
