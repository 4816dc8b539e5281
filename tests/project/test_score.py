import json
import math
from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.evaluation.area import allocate, draw
from rsedu.evaluation.masks import boundary_bias
from rsedu.project.place import Place
from rsedu.project.score import SAMPLE, sampled, score


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
    with pytest.raises(InputError, match="strata of 15, 1 pixels"):
        score(np.where(MAP == 2021.75, MAP, np.float32(np.nan)), TRUE, gsd_m=10.0)


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
