"""The task: what is read, where clouds lie, which pixels are labelled."""

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project.place import Place
from rsedu.project.task import Task, clear_mask


def test_labels_are_the_truth_half_of_them_lost(place: Place, true: np.ndarray) -> None:
    labels = Task(place=place).labels()
    assert np.array_equal(labels.years, true[labels.rows, labels.cols], equal_nan=True)
    assert np.isfinite(labels.years).sum() == len(labels.years) / 2 == 20


def test_a_cloud_and_its_shadow_are_not_clear_and_a_roof_is() -> None:
    optical = np.full((2, 12, 100, 100), 0.02, dtype=np.float32)
    optical[:, :, 5:10, 5:10] = 0.1  # a roof, at both dates
    optical[1, :, 40:45, 60:65] = 0.6
    clear = clear_mask(optical, 10.0)
    assert clear[0].all() and clear[1, 7, 7]
    assert not clear[1, 32:53, 52:73].any()
    assert not clear[1, 42 + 36, 62 - 28]
    assert clear[1, 42 - 36, 62 + 28]


def test_dates_span_the_period(place: Place) -> None:
    with pytest.raises(InputError, match="rising ones from"):
        Task(place=place, dates=(2020.5, 2024.5), clouds=(0.0, 0.0))
    with pytest.raises(InputError, match="one of each"):
        Task(place=place, clouds=(0.0,))
    for count in (0, -3):
        with pytest.raises(InputError, match=f"label_count is {count}; wanted 1 or more"):
            Task(place=place, label_count=count)


def test_a_part_of_a_stack_is_the_stack_of_the_part(place: Place) -> None:
    task = Task(place=place)
    whole, part = task.read(), (slice(20, 90), slice(100, 180))
    cut = whole.cut(part)
    assert cut.shape == (70, 80) and cut.dates == whole.dates
    assert np.array_equal(cut.optical, task.read(part).optical)
    assert np.array_equal(cut.clear[2], whole.clear[2, 20:90, 100:180])
    assert not np.shares_memory(cut.radar, whole.radar)
