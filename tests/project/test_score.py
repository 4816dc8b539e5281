import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from rsedu.errors import InputError
from rsedu.evaluation.area import allocate, draw
from rsedu.evaluation.masks import boundary_bias
from rsedu.project.place import Place
from rsedu.project.score import SAMPLE, Score, by_year, facts, render, sampled, score


def years_of(rows: list[list[float]]) -> np.ndarray:
    """0 for no loss."""
    found = np.array(rows, dtype=np.float32)
    return np.where(found == 0, np.float32(np.nan), found)


TRUE = years_of([[2021.5, 2021.5, 0, 0], [2022.25, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2024.5]])
MAP = years_of([[2022.0, 2021.5, 2023, 0], [0, 0, 0, 0], [0, 0, 2021.5, 2021.75], [0, 0, 0, 2022]])


def test_every_number_of_a_small_map_counted_by_hand() -> None:
    found = score(MAP, TRUE, gsd_m=10.0, sample=16)
    # Mapped 6, true 4, both 3: the two in the north-west and the one in the south-east.
    assert (found.precision, found.recall) == pytest.approx((3 / 6, 3 / 4))
    assert found.f1 == pytest.approx(6 / 10)
    assert found.found_px == 3
    assert found.date_error_years == pytest.approx((0.5 + 0 + 2.5) / 3)
    assert (found.mapped_ha, found.true_ha) == pytest.approx((0.06, 0.04))
    assert [(each.year, each.mapped_ha, each.true_ha) for each in found.by_year] == [
        (2021, pytest.approx(0.03), pytest.approx(0.02)),
        (2022, pytest.approx(0.02), pytest.approx(0.01)),
        (2023, pytest.approx(0.01), 0.0),
        (2024, 0.0, pytest.approx(0.01)),
    ]


def test_a_sample_of_everything_estimates_the_truth() -> None:
    # at_least: of 16 pixels 8 are dealt to each stratum; the loss has but 6, the rest 10.
    found = score(MAP, TRUE, gsd_m=10.0, sample=40, how="equal")
    assert found.matrix.tolist() == [[9, 1], [3, 3]]
    assert found.estimated_ha == pytest.approx(found.true_ha)
    assert found.estimate.user[1] == pytest.approx(found.precision)
    assert found.estimate.producer[1] == pytest.approx(found.recall)
    low, high = found.interval_ha
    assert low < found.estimated_ha < high


def test_precision_and_recall_change_places_with_map_and_truth() -> None:
    there, back = (score(*pair, gsd_m=10.0, sample=16) for pair in ((MAP, TRUE), (TRUE, MAP)))
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.boundary_bias_m == pytest.approx(-back.boundary_bias_m)


def test_hectares_and_metres_follow_the_pixel_size() -> None:
    small, large = (score(MAP, TRUE, gsd_m=gsd_m, sample=16) for gsd_m in (10.0, 20.0))
    assert large.mapped_ha == pytest.approx(4 * small.mapped_ha)
    assert large.estimated_ha == pytest.approx(4 * small.estimated_ha)
    assert large.boundary_bias_m == pytest.approx(2 * small.boundary_bias_m)


def test_the_truth_itself_is_perfect(true: np.ndarray) -> None:
    found = score(true, true, gsd_m=10.0)
    assert (found.f1, found.date_error_years, found.boundary_bias_m) == (1.0, 0.0, 0.0)
    assert found.estimated_ha == pytest.approx(found.true_ha) == found.mapped_ha
    low, high = found.interval_ha
    assert low < found.true_ha < high  # even then the sample alone does not prove it


def test_a_map_grown_by_a_pixel_is_ten_metres_too_large() -> None:
    rows, cols = np.mgrid[:200, :200]
    from_centre = np.hypot(rows - 100, cols - 100)
    disc, grown = (
        np.where(from_centre < radius, np.float32(2022), np.float32(np.nan)) for radius in (50, 51)
    )
    found = score(grown, disc, gsd_m=10.0)
    assert found.boundary_bias_m == pytest.approx(10.0, rel=0.1)
    assert (found.recall, found.date_error_years) == (1.0, 0.0)


def test_whole_patches_too_many_or_too_few_are_no_boundary_bias() -> None:
    rows, cols = np.mgrid[:100, :100]
    disc = np.hypot(rows - 30, cols - 30) < 15
    grown = np.hypot(rows - 30, cols - 30) < 16
    elsewhere = np.hypot(rows - 75, cols - 75) < 12
    both = boundary_bias(grown, disc, gsd_m=10.0).boundary_m
    as_years = [
        np.where(mask, np.float32(2022), np.float32(np.nan))
        for mask in (grown, disc, grown | elsewhere, disc | elsewhere)
    ]
    for ours, theirs in ((0, 1), (2, 1), (0, 3)):
        found = score(as_years[ours], as_years[theirs], gsd_m=10.0)
        assert found.boundary_bias_m == pytest.approx(both)


def test_nothing_found_has_no_date_error() -> None:
    elsewhere = years_of([[0, 0, 0, 0], [0, 0, 0, 0], [0, 2022, 2022, 0], [0, 0, 0, 0]])
    found = score(elsewhere, TRUE, gsd_m=10.0, sample=16)
    assert (found.f1, found.precision, found.recall, found.found_px) == (0.0, 0.0, 0.0, 0)
    assert math.isnan(found.date_error_years)
    assert math.isnan(found.boundary_bias_m)


def test_the_sample_is_drawn_from_the_maps_strata_by_seed(
    mapped: np.ndarray, true: np.ndarray
) -> None:
    ours, theirs = np.isfinite(mapped), np.isfinite(true)
    matrix, sizes = sampled(ours, theirs, sample=300, how="equal", seed=5)
    assert sizes.tolist() == [int((~ours).sum()), int(ours.sum())]
    assert matrix.sum(axis=1).tolist() == [150, 150]
    # The same by a loop over the drawn places.
    at = draw(ours.astype(np.int64), allocate(sizes, 300, how="equal"), seed=5)
    counted = np.zeros((2, 2), dtype=int)
    for place in at:
        counted[int(ours.flat[place]), int(theirs.flat[place])] += 1
    assert matrix.tolist() == counted.tolist()
    other = score(mapped, true, gsd_m=10.0, sample=300, how="equal", seed=6)
    assert other.matrix.tolist() != matrix.tolist()


def test_a_seed_of_the_sample_moves_the_estimate_and_nothing_else(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    scores = [score(mapped, true, gsd_m=place.gsd_m, seed=seed) for seed in range(20)]
    assert len({each.f1 for each in scores}) == len({each.mapped_ha for each in scores}) == 1
    estimates = np.array([each.estimated_ha for each in scores])
    assert estimates.std() > 0
    assert estimates.mean() == pytest.approx(scores[0].true_ha, rel=0.05)


def test_what_cannot_be_scored_is_told() -> None:
    none, everywhere = np.full_like(TRUE, np.nan), np.full_like(TRUE, 2022)
    with pytest.raises(InputError, match="map shows loss in 0 of 16 pixels"):
        score(none, TRUE, gsd_m=10.0)
    with pytest.raises(InputError, match="truth shows loss in 16 of 16 pixels"):
        score(MAP, everywhere, gsd_m=10.0)
    with pytest.raises(InputError, match="A sample of 3 from strata of 10, 6 pixels"):
        score(MAP, TRUE, gsd_m=10.0, sample=3)


@pytest.mark.parametrize("most_lost", [False, True])
def test_a_stratum_of_one_pixel_has_a_score_and_no_interval(most_lost: bool) -> None:
    place, mapped = Place(seed=3, size_m=40.0), np.full_like(TRUE, 2022 if most_lost else np.nan)
    mapped[0, 1] = np.nan if most_lost else 2021.0
    found = score(mapped, TRUE, gsd_m=10.0)
    assert found.f1 == pytest.approx(2 * 3 / (15 + 4) if most_lost else 2 / (1 + 4))
    assert found.interval == "none" and found.matrix.tolist() == [[0, 0], [0, 0]]
    told = json.loads(json.dumps(facts(found, place), allow_nan=False))
    assert told["mapped_ha"] == (0.15 if most_lost else 0.01)
    for name in ("estimated_ha", "low_ha", "high_ha", "user", "producer_error"):
        assert told[name] is None
    years = by_year(mapped, TRUE, place)
    assert sum(year.mapped_ha for year in years) == pytest.approx(found.mapped_ha)
    assert all(math.isnan(year.estimated_ha) for year in years)
    text = render(found, place)
    assert re.search(rf"counted on the map +{found.mapped_ha:.2f} ", text)
    assert "is a single pixel" in text and "nan" not in text and "Only" not in text


def test_stored_samples_hold_the_truth_as_often_as_the_readme_says(repository: Path) -> None:
    runs = json.loads((repository / "data" / "results" / "08_area.json").read_text())["runs"]
    taken = [run for run in runs if run["sample"] == SAMPLE and run["allocation"] == "at_least"]
    assert len({run["seed"] for run in taken}) == 5
    rates = {
        name: [run["covered"] for run in taken if run["map"] == name]
        for name in ("ndvi", "shaky", "good")
    }
    for name in ("ndvi", "shaky"):
        assert all(0.93 <= rate <= 0.96 for rate in rates[name]), name
    assert all(0.985 <= rate <= 1 for rate in rates["good"])
    symmetric = [run["covered, symmetric"] for run in taken if run["map"] == "good"]
    assert (min(symmetric), max(symmetric)) == pytest.approx((0.58, 0.95), abs=0.006)
    off = [run["mean of estimates, ha"] / run["true_ha"] - 1 for run in taken]
    assert max(map(abs, off)) < 0.02  # while the maps' own counts are up to 25 % off


@pytest.mark.parametrize(("how", "seed"), [("at_least", 0), ("equal", 4)])
def test_years_add_up_to_the_score(
    place: Place, mapped: np.ndarray, true: np.ndarray, how: str, seed: int
) -> None:
    years = by_year(mapped, true, place, sample=400, how=how, seed=seed)
    assert [year.year for year in years] == [2020, 2021, 2022, 2023, 2024, 2025]
    whole = score(mapped, true, gsd_m=10.0, sample=400, how=how, seed=seed)
    for name in ("estimated_ha", "mapped_ha", "true_ha"):
        total = sum(getattr(year, name) for year in years)
        assert total == pytest.approx(getattr(whole, name))
    # Those of the score itself are the same, without the years in which nothing was lost.
    assert whole.by_year == tuple(year for year in years if year.mapped_ha or year.true_ha)


def test_a_sample_of_everything_estimates_the_truth_of_each_year() -> None:
    place = Place(seed=3, size_m=40.0)
    true = np.full((4, 4), np.nan, dtype=np.float32)
    true[0, 0], true[0, 1], true[3, 3] = 2020.75, 2022.0, 2025.5
    mapped = np.full((4, 4), np.nan, dtype=np.float32)
    mapped[0, :3] = 2022.5
    years = by_year(mapped, true, place, sample=32, how="equal")
    assert [year.estimated_ha for year in years] == pytest.approx([0.01, 0, 0.01, 0, 0, 0.01])
    assert [year.mapped_ha for year in years] == pytest.approx([0, 0, 0.03, 0, 0, 0])
    assert all(year.low_ha <= year.estimated_ha <= year.high_ha for year in years)


def test_intervals_of_years_hold_the_truth_as_often_as_they_say(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    draws = [by_year(mapped, true, place, sample=300, seed=seed) for seed in range(100)]
    held = [year.low_ha <= year.true_ha <= year.high_ha for years in draws for year in years]
    assert 0.93 <= np.mean(held) <= 1.0
    means = np.mean([[year.estimated_ha for year in years] for years in draws], axis=0)
    assert means == pytest.approx([year.true_ha for year in draws[0]], rel=0.12, abs=0.1)


@pytest.mark.parametrize(
    ("date", "true_ha"),
    [
        (2020.9995, [0.03, 0]),
        (2021.0, [0.03, 0]),
        (2021.999, [0.03, 0]),
        (2022.0, [0, 0.03]),
        (2023.0, [0, 0.03]),
        (2023.0005, [0, 0.03]),
    ],
    ids=["rounded at the start", "the start", "below", "above", "the end", "rounded at the end"],
)
def test_both_ends_of_a_period_belong_to_its_years(date: float, true_ha: list[float]) -> None:
    place = Place(seed=3, size_m=60.0, since=2021.0, until=2023.0)
    years = np.full((6, 6), np.nan, dtype=np.float32)
    years[0, :3] = date
    both = by_year(years, years, place, sample=10)
    assert [year.year for year in both] == [2021, 2022]
    assert [year.true_ha for year in both] == pytest.approx(true_ha)


@pytest.fixture
def scored(mapped: np.ndarray, true: np.ndarray) -> Score:
    return score(mapped, true, gsd_m=10.0)


def test_the_table_says_what_the_score_holds(scored: Score, place: Place) -> None:
    text = render(scored, place)
    low, high = scored.interval_ha
    assert text.startswith("SYNTHETIC place 3, 2 km, 2020.5 to 2025.5, 10 m\n")
    for part in (
        f"F1 of change                 {scored.f1:.3f}   precision {scored.precision:.3f}, recall",
        f"date error              {scored.date_error_years:.2f} years   mean of {scored.found_px}",
        f"{scored.boundary_bias_m:+.1f} m   patches that were found are mapped ",
        f"counted on the map {scored.mapped_ha:>15.0f}",
        f"{scored.estimated_ha:.0f}   95 % interval {low:.0f} to {high:.0f}",
        f"truth {scored.true_ha:>28.0f}",
    ):
        assert part in text
    assert text.isascii()
    assert max(map(len, text.splitlines())) < 110
    rows = re.findall(r"^  (20\d\d) +(\d+) +(\d+)$", text, flags=re.MULTILINE)
    assert [int(year) for year, _, _ in rows] == [2020, 2021, 2022, 2023, 2024, 2025]
    assert sum(int(ours) for _, ours, _ in rows) == pytest.approx(scored.mapped_ha, abs=3)
    assert sum(int(theirs) for _, _, theirs in rows) == pytest.approx(scored.true_ha, abs=3)


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
    for mapped, wanted, words in (
        (grown, true, "too large"),
        (true, grown, "too small"),
        (true, true, "as large as they are"),
    ):
        assert f"mapped {words}" in render(score(mapped, wanted, gsd_m=10.0), place)
    even = score(true, true, gsd_m=10.0)
    for bias_m, words in (
        (0.06, "+0.1 m   patches that were found are mapped too large"),
        (0.04, "+0.0 m   patches that were found are mapped as large as they are"),
        (-0.04, "+0.0 m   patches that were found are mapped as large as they are"),
        (-0.06, "-0.1 m   patches that were found are mapped too small"),
    ):
        assert words in render(replace(even, boundary_bias_m=bias_m), place)


@pytest.mark.parametrize(("missed", "remarked"), [(0, True), (4, True), (5, False)])
def test_a_sample_that_met_few_omissions_is_remarked_on(
    place: Place, scored: Score, missed: int, remarked: bool
) -> None:
    scored.matrix[0] = (100 - missed, missed)
    text = render(scored, place)
    assert (f"Only {missed} of 100 sampled pixels" in text) == remarked == ("Only" in text)


def test_facts_are_json_without_nan(place: Place, scored: Score, true: np.ndarray) -> None:
    told = json.loads(json.dumps(facts(scored, place), allow_nan=False))
    assert told["place"] == str(place)
    assert told["f1"] == pytest.approx(scored.f1, rel=1e-5)
    assert (told["low_ha"], told["high_ha"]) == pytest.approx(scored.interval_ha, rel=1e-5)
    assert told["symmetric_low_ha"] == pytest.approx(scored.estimate.symmetric(1)[0], rel=1e-5)
    assert told["producer"] == pytest.approx(scored.estimate.producer[1], rel=1e-5)
    assert told["error_matrix"] == scored.matrix.tolist()
    assert told["by_year"]["2021"]["true_ha"] == pytest.approx(scored.by_year[1].true_ha)
    nothing = np.roll(true, 100, axis=1)
    nothing[np.isfinite(true)] = np.nan
    missed = score(nothing, true, gsd_m=10.0)
    assert facts(missed, place)["date_error_years"] is None
    assert facts(missed, place)["boundary_bias_m"] is None
    assert re.search(r"date error +none   mean of 0 pixels found", render(missed, place))
    assert re.search(r"boundary bias +none   no patch was found", render(missed, place))
