"""Hectares of each year: they add up, are right in the mean, and what is counted is exact."""

import numpy as np
import pytest

from rsedu.project.place import Place
from rsedu.project.score import score
from rsedu.project.yearly import by_year, calendar


def test_the_calendar_touches_both_ends() -> None:
    assert list(calendar(Place(seed=3, size_m=2000.0))) == [2020, 2021, 2022, 2023, 2024, 2025]
    assert list(calendar(Place(seed=3, since=2021.0, until=2023.0))) == [2021, 2022]


def test_years_add_up_to_the_score(place: Place, mapped: np.ndarray, true: np.ndarray) -> None:
    for how, seed in (("at_least", 0), ("equal", 4)):
        years = by_year(mapped, true, place, sample=400, how=how, seed=seed)
        found = score(mapped, true, gsd_m=10.0, sample=400, how=how, seed=seed)
        for name, whole in (
            ("estimated_ha", found.estimated_ha),
            ("mapped_ha", found.mapped_ha),
            ("true_ha", found.true_ha),
        ):
            assert sum(getattr(each, name) for each in years) == pytest.approx(whole)


def test_what_is_counted_is_what_the_score_counts(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    counted = {each.year: each for each in score(mapped, true, gsd_m=10.0).by_year}
    for each in by_year(mapped, true, place):
        if each.year in counted:
            assert each.mapped_ha == pytest.approx(counted[each.year].mapped_ha)
            assert each.true_ha == pytest.approx(counted[each.year].true_ha)
        else:
            assert each.mapped_ha == each.true_ha == 0


def test_a_sample_of_everything_estimates_the_truth_of_each_year() -> None:
    place = Place(seed=3, size_m=40.0)
    true = np.full((4, 4), np.nan, dtype=np.float32)
    true[0, 0], true[0, 1], true[3, 3] = 2020.75, 2022.0, 2025.5
    mapped = np.full((4, 4), np.nan, dtype=np.float32)
    mapped[0, :3] = 2022.5
    years = by_year(mapped, true, place, sample=32, how="equal")
    assert [each.estimated_ha for each in years] == pytest.approx([0.01, 0, 0.01, 0, 0, 0.01])
    assert [each.mapped_ha for each in years] == pytest.approx([0, 0, 0.03, 0, 0, 0])
    assert all(each.low_ha <= each.estimated_ha <= each.high_ha for each in years)


def test_intervals_of_years_hold_the_truth_as_often_as_they_say(
    place: Place, mapped: np.ndarray, true: np.ndarray
) -> None:
    draws = [by_year(mapped, true, place, sample=300, seed=seed) for seed in range(100)]
    held = [each.low_ha <= each.true_ha <= each.high_ha for years in draws for each in years]
    assert 0.93 <= np.mean(held) <= 1.0
    means = np.mean([[each.estimated_ha for each in years] for years in draws], axis=0)
    assert means == pytest.approx([each.true_ha for each in draws[0]], rel=0.12, abs=0.1)


def test_the_very_end_of_a_period_belongs_to_its_last_year() -> None:
    place = Place(seed=3, size_m=60.0, since=2021.0, until=2023.0)
    years = np.full((6, 6), np.nan, dtype=np.float32)
    years[0, :3] = 2023.0
    assert [each.true_ha for each in by_year(years, years, place, sample=10)] == [
        0,
        pytest.approx(0.03),
    ]
