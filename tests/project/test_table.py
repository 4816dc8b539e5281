import json
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from rsedu.project.place import Place
from rsedu.project.score import Score, score
from rsedu.project.table import facts, render


@pytest.fixture
def found(mapped: np.ndarray, true: np.ndarray) -> Score:
    return score(mapped, true, gsd_m=10.0)


def test_the_table_says_what_the_score_holds(found: Score, place: Place) -> None:
    text = render(found, place)
    low, high = found.interval_ha
    assert text.startswith("SYNTHETIC place 3, 2 km, 2020.5 to 2025.5, 10 m\n")
    for part in (
        f"F1 of change                 {found.f1:.3f}   precision {found.precision:.3f}, recall",
        f"date error              {found.date_error_years:.2f} years   mean of {found.found_px} px",
        f"{found.boundary_bias_m:+.1f} m   patches that were found are mapped ",
        f"counted on the map {found.mapped_ha:>15.0f}",
        f"{found.estimated_ha:.0f}   95 % interval {low:.0f} to {high:.0f}",
        f"truth {found.true_ha:>28.0f}",
    ):
        assert part.replace(" px", " pixels") in text
    assert text.isascii()
    assert max(map(len, text.splitlines())) < 110


def test_hectares_of_the_years_add_up_to_those_of_the_map(found: Score, place: Place) -> None:
    rows = re.findall(r"^  (20\d\d) +(\d+) +(\d+)$", render(found, place), flags=re.MULTILINE)
    assert [int(year) for year, _, _ in rows] == [2020, 2021, 2022, 2023, 2024, 2025]
    assert sum(int(ours) for _, ours, _ in rows) == pytest.approx(found.mapped_ha, abs=3)
    assert sum(int(theirs) for _, _, theirs in rows) == pytest.approx(found.true_ha, abs=3)


def test_the_verdict_compares_the_truth_with_the_interval(place: Place, true: np.ndarray) -> None:
    fine = score(true, true, gsd_m=10.0)
    assert "within the interval; the map's count is +0 % off" in render(fine, place)
    # A map that is twice too large, of which a sample sees that.
    double = true.copy()
    lost = int(np.isfinite(true).sum())
    double.ravel()[np.flatnonzero(np.isnan(true))[:lost]] = 2023.0
    assert "the map's count is +100 % off" in render(score(double, true, gsd_m=10.0), place)


def test_the_sign_of_the_bias_is_put_in_words(true: np.ndarray, place: Place) -> None:
    grown = np.where(ndimage.binary_dilation(np.isfinite(true)), np.float32(2022), true)
    for mapped, wanted, words in ((grown, true, "large"), (true, grown, "small")):
        assert f"mapped too {words}" in render(score(mapped, wanted, gsd_m=10.0), place)
    even = score(true, true, gsd_m=10.0)
    for bias_m in (0.0, -0.04):
        shown = render(replace(even, boundary_bias_m=bias_m), place)
        assert "+0.0 m   patches that were found are mapped as large as they are" in shown


def test_a_sample_that_met_few_omissions_is_remarked_on(place: Place, true: np.ndarray) -> None:
    assert "Only 0 of " in render(score(true, true, gsd_m=10.0), place)
    half = true.copy()
    half.ravel()[np.flatnonzero(np.isfinite(true))[::2]] = np.nan
    assert "Only" not in render(score(half, true, gsd_m=10.0), place)


def test_facts_are_json_without_nan(place: Place, found: Score, true: np.ndarray) -> None:
    told = json.loads(json.dumps(facts(found, place), allow_nan=False))
    assert told["place"] == str(place)
    assert told["f1"] == pytest.approx(found.f1, rel=1e-5)
    assert (told["low_ha"], told["high_ha"]) == pytest.approx(found.interval_ha, rel=1e-5)
    assert told["symmetric_low_ha"] == pytest.approx(found.estimate.symmetric(1)[0], rel=1e-5)
    assert told["producer"] == pytest.approx(found.estimate.producer[1], rel=1e-5)
    assert told["error_matrix"] == found.matrix.tolist()
    assert told["by_year"]["2021"]["true_ha"] == pytest.approx(found.by_year[1].true_ha)
    nothing = np.roll(true, 100, axis=1)
    nothing[np.isfinite(true)] = np.nan
    missed = score(nothing, true, gsd_m=10.0)
    assert facts(missed, place)["date_error_years"] is None
    assert facts(missed, place)["boundary_bias_m"] is None
    assert re.search(r"date error +none   mean of 0 pixels found", render(missed, place))
    assert re.search(r"boundary bias +none   no patch was found", render(missed, place))
