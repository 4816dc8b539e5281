"""Baselines: dating a loss, and finding most of it without clouds."""

import numpy as np

from rsedu.project.methods.baselines import NdviDifference, RadarLogRatio, first_year, periods
from rsedu.project.place import Place
from rsedu.project.task import Task


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
    stack, lost = task.read(), np.isfinite(true)
    for method in (NdviDifference(), RadarLogRatio.fit(task)):
        found = np.isfinite(method.map(stack))
        assert 2 * (found & lost).sum() / (found.sum() + lost.sum()) > 0.75
