"""Baselines: dating a loss, what is learnt of labels and of other places, stored scores."""

import json
from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.evaluation.intervals import paired_interval
from rsedu.evaluation.masks import dice
from rsedu.project.methods import baselines
from rsedu.project.methods.baselines import (
    CLOUD_SCHEDULES,
    TRAIN_PLACES,
    NdviDifference,
    PixelClassifier,
    RadarLogRatio,
    Sample,
    first_year,
    labelled_windows,
    named,
    periods,
    taught_forest,
)
from rsedu.project.methods.features import Pixels
from rsedu.project.place import Place
from rsedu.project.task import Task
from rsedu.project.windows import Method
from rsedu.synthetic.tiles import TEST_WORLDS, TRAIN_WORLDS, VALIDATION_WORLDS


def f1(mapped: np.ndarray, true: np.ndarray) -> float:
    return dice(np.isfinite(mapped), np.isfinite(true))


def test_a_loss_lies_between_the_last_look_without_and_the_first_with_it() -> None:
    changed = np.array([[0, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, 1]], dtype=bool)[:, None]
    seen = np.array([[1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 1]], dtype=bool)[:, None]
    years = first_year(changed, seen, (2020.0, 2021.0, 2022.0, 2024.0))
    assert np.array_equal(years, np.float32([[2020.5, np.nan, 2022.0]]), equal_nan=True)


def test_a_loss_falls_into_the_period_that_ends_next() -> None:
    years = np.array([np.nan, 2020.6, 2022.0], dtype=np.float32)
    assert periods(years, (2020.0, 2021.0, 2022.0)).tolist() == [0, 1, 2]


def test_baselines_find_most_of_a_clear_place(place: Place, true: np.ndarray) -> None:
    task = Task(place=place, clouds=(0.0,) * 6)
    stack = task.read()
    for method in (NdviDifference(), RadarLogRatio.fit(task)):
        assert f1(method.map(stack), true) > 0.75


def test_nothing_is_learnt_where_it_is_judged() -> None:
    assert set(TRAIN_PLACES) <= set(TRAIN_WORLDS)
    assert not set(TRAIN_PLACES) & {*VALIDATION_WORLDS, *TEST_WORLDS}
    with pytest.raises(InputError, match="no place to learn on"):
        labelled_windows(())


def test_a_sample_shows_what_happened_on_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "_SIDE_M", 4000.0)
    monkeypatch.setattr(baselines, "_WINDOWS", 1)
    baselines._windows_of.cache_clear()
    (sample,) = labelled_windows((1,))
    baselines._windows_of.cache_clear()
    place = Place(seed=1, size_m=4000.0)
    top, left = np.random.default_rng((809, 1)).integers(64, 400 - 128 - 64, size=2)
    window = (slice(top - 32, top + 160), slice(left - 32, left + 160))
    assert np.array_equal(sample.years, place.truth()[window], equal_nan=True)
    expected = place.frontier.radar(date=2021.5, window=window).array
    assert np.array_equal(sample.stack.radar[1], expected)
    assert sample.years[sample.core].shape == (128, 128)
    assert len(CLOUD_SCHEDULES[0]) == len(sample.stack.dates)


def test_trees_find_what_they_were_shown(samples: tuple[Sample, ...]) -> None:
    sample = samples[0]
    method = PixelClassifier.fit(Pixels(), places=(1,))
    assert f1(method.map(sample.stack), sample.years) > 0.95
    assert isinstance(method, Method)
    assert method.name == "pixels of both; trees of places 1"


@pytest.mark.parametrize(
    ("places", "name"),
    [
        (TRAIN_PLACES, "places 1000 to 1017"),
        ((1000, 1001), "places 1000, 1001"),
        ((1000, 1001, 1002), "places 1000 to 1002"),
        ((1000, 1001, 1003), "places 1000, 1001, 1003"),
        ((1002, 1000, 1001), "places 1002, 1000, 1001"),
    ],
)
def test_other_places_are_told_by_another_name(places: tuple[int, ...], name: str) -> None:
    assert named(places) == name


def test_the_forest_is_taught_on_the_same_windows(samples: tuple[Sample, ...]) -> None:
    method = taught_forest(places=(1,))
    assert f1(method.map(samples[0].stack), samples[0].years) > 0.9
    assert method.name == "forest taught by places 1"


def test_two_tracks_are_stored_five_points_above_the_best_baseline(repository: Path) -> None:
    runs = json.loads((repository / "data" / "results" / "08_tracks.json").read_text())["runs"]
    found = {(run["method"], run["seed"]): run["f1"] for run in runs if run["clouds"] == "60"}
    seeds = range(3010, 3015)
    best = [max(found["ndvi", seed], found["radar", seed]) for seed in seeds]
    gains = {
        name: paired_interval([found[name, seed] for seed in seeds], best)
        for name in ("A scale-mae", "B croma, both", "C 20 minutes", "D one example")
    }
    assert gains["A scale-mae"].low > 0.05 and gains["B croma, both"].low > 0.05
    assert gains["D one example"].low > 0.04 and gains["C 20 minutes"].low > 0.04
    pixels = [found["pixels, taught elsewhere", seed] for seed in seeds]
    for name in ("A scale-mae", "B croma, both"):  # what the tokens add to the same trees
        assert paired_interval([found[name, seed] for seed in seeds], pixels).low > 0.002
