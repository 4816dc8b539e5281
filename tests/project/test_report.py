import base64
import io
from datetime import date

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from PIL import Image

from rsedu.errors import InputError
from rsedu.project import change_map, report
from rsedu.project.place import Place
from rsedu.project.report import Report, compose, how_sure, plain
from rsedu.project.score import score


@pytest.fixture
def made(place: Place, mapped: np.ndarray) -> Report:
    return Report(
        group="Los  Tucanes",
        track="B, through clouds",
        method="We asked the radar.",
        place=place,
        mapped=mapped,
        sample=300,
        how="equal",
        seed=5,
        day=date(2026, 3, 7),
    )


def cells(notebook: nbformat.NotebookNode) -> dict[str, str]:
    return {cell.metadata.tags[0]: cell.source for cell in notebook.cells}


def test_the_report_fills_itself(made: Report, mapped: np.ndarray, true: np.ndarray) -> None:
    wanted = score(mapped, true, gsd_m=10.0, sample=300, how="equal", seed=5)
    notebook = compose(made)
    nbformat.validate(notebook)
    text = cells(notebook)
    assert list(text) == ["title", "numbers", "where", "when", "method", "sure", "limits", "foot"]
    assert text["title"].endswith(
        "**Los Tucanes** · B, through clouds · SYNTHETIC place 3, 2 km, 2020.5 to 2025.5, 10 m · "
        "7 March 2026"
    )
    low, high = wanted.interval_ha
    assert (
        f"| **{wanted.estimated_ha:.0f} ha** | **{low:.0f} to {high:.0f} ha** |"
        in (text["numbers"])
    )
    assert f"| {wanted.f1:.3f} | {wanted.date_error_years:.2f} years |" in text["numbers"]
    assert text["method"].endswith("We asked the radar.")
    assert text["limits"].endswith("*To be written by the group.*")
    assert "with 300 pixels, allocation equal, seed 5" in text["foot"]


class NoStrftime(date):
    """A day on a system that knows none of the format's letters."""

    def strftime(self, form: str, /) -> str:
        raise ValueError("Invalid format string")

    __format__ = strftime


def test_the_day_is_written_the_same_everywhere(place: Place, mapped: np.ndarray) -> None:
    for month, name in ((1, "January"), (9, "September"), (12, "December")):
        made = Report(group="a", place=place, mapped=mapped, day=NoStrftime(2026, month, 5))
        assert report._title(made).endswith(f" · 5 {name} 2026")


def test_figures_are_attached_with_their_sentence(made: Report) -> None:
    for cell in compose(made).cells[2:4]:
        (name,) = cell.attachments
        sentence = cell.source.splitlines()[-1]
        assert f"![{sentence}](attachment:{name})" in cell.source
        with Image.open(io.BytesIO(base64.b64decode(cell.attachments[name]["image/png"]))) as png:
            assert png.width > 600
    assert not plt.get_fignums()


def test_how_sure_counts_the_sample(made: Report) -> None:
    (kept, missed), (alarms, right) = made.score.matrix.tolist()
    text = how_sure(made)
    assert text.startswith("300 pixels were drawn at random and looked up.")
    assert f"Of {alarms + right} that the map shows as lost, {right} were" in text
    assert f"of {kept + missed} others {missed} were lost too" in text
    assert f"The truth, which no real project has, is {made.score.true_ha:.0f} ha" in text
    assert ("omission" in text) == (missed < 5)


def test_few_omissions_are_remarked_on(place: Place, true: np.ndarray) -> None:
    perfect = Report(group="a", place=place, mapped=true.copy(), sample=200)
    assert "No omission was met by the sample" in how_sure(perfect)
    assert "of 100 others 0 were lost too" in how_sure(
        Report(group="a", place=place, mapped=true.copy(), sample=200, how="equal")
    )


def test_a_map_that_found_nothing_still_reports(place: Place, true: np.ndarray) -> None:
    nothing = np.full_like(true, np.nan)
    row, col = np.argwhere(~np.isfinite(true))[0]
    nothing[row, col : col + 2] = 2022.0
    assert np.isnan(true[row, col : col + 2]).all()
    numbers = cells(compose(Report(group="a", place=place, mapped=nothing)))["numbers"]
    assert numbers.endswith("| 0.000 | none | none |")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a  b\nc", "a b c"),
        ("one\n \n\ntwo", "one\n\ntwo"),
        ("<b>", r"&lt;b&gt;"),
        ("# a", r"\# a"),
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("0.95", "0.95"),
        ("$x$", "&#36;x&#36;"),
        ("`[a](b)`", r"\`\[a\]\(b\)\`"),
        (" \n ", ""),
    ],
)
def test_a_groups_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_long_texts_are_cut() -> None:
    assert plain("ab " * 9, longest=8) == "ab ab ab ..."


def test_a_map_file_is_reported_on(place: Place, mapped: np.ndarray) -> None:
    from pathlib import Path

    path = change_map.write(Path("map.tif"), mapped, place)
    found = Report.of_map(path, place, group="a", track="t").score
    assert found.f1 == pytest.approx(score(mapped, place.truth(), gsd_m=10.0).f1)


def test_a_name_without_letters_is_refused(place: Place, mapped: np.ndarray) -> None:
    with pytest.raises(InputError, match="give the group another"):
        Report(group="--", place=place, mapped=mapped)


def test_the_order_of_the_allocations_is_that_of_the_score() -> None:
    assert report.Report.__dataclass_fields__["how"].default == "at_least"
