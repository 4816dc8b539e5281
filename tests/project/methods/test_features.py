"""Evidence: which look is taken, what is computed of it, and when a loss is dated."""

import math

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project.methods.features import (
    Pixels,
    around,
    dated,
    first_and_last_clear,
    mean_db,
    means_before_and_after,
    optical_evidence,
    radar_evidence,
    radar_period,
    spectrum,
)
from rsedu.project.task import Stack
from rsedu.scenes.bands import S2_BANDS


@pytest.fixture
def stack() -> Stack:
    """Four dates of 9 x 7 px: every number of a date is its own; radar falls after the second."""
    optical = np.empty((4, 12, 9, 7), dtype=np.float32)
    optical[:] = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)[:, None, None, None]
    radar = np.full((4, 2, 9, 7), -8.0, dtype=np.float32)
    radar[2:] = -11.0
    clear = np.ones((4, 9, 7), dtype=np.bool_)
    clear[0, 0, 0] = clear[3, 0, 0] = clear[2, 0, 0] = False
    clear[:, 1, 1] = False
    dates = (2020.5, 2021.5, 2023.5, 2025.5)
    return Stack(dates=dates, optical=optical, radar=radar, clear=clear, gsd_m=10.0)


def test_the_first_and_the_last_clear_look_are_taken(stack: Stack) -> None:
    found = first_and_last_clear(stack)
    assert (found.first[0, 0], found.last[0, 0]) == (1, 1)
    for at, before, after in ((0, 0.2, 0.2), (5, 0.1, 0.4)):
        assert found.before[:, at, at] == pytest.approx(before)
        assert found.after[:, at, at] == pytest.approx(after)
    assert not found.observed[1, 1] and np.isnan(found.before[:, 1, 1]).all()


def test_a_spectrum_is_ratios_and_logarithms() -> None:
    optical = np.arange(1, 13, dtype=np.float32)[:, None, None] / 20
    band = {name: float(optical[number, 0, 0]) for number, name in enumerate(S2_BANDS)}
    told = spectrum(optical)[:, 0, 0]
    assert told[1] == pytest.approx((band["B08"] - band["B12"]) / (band["B08"] + band["B12"]))
    assert told[6] == pytest.approx(math.log(band["B04"]))
    assert told[:6] == pytest.approx(spectrum(3 * optical)[:6, 0, 0])  # light cancels


def test_optical_evidence_says_what_changed_and_when(stack: Stack) -> None:
    planes = optical_evidence(stack)
    assert planes.shape == (56, 9, 7)
    assert planes[26:30, 5, 5] == pytest.approx(math.log(4))
    assert planes[-2:, 0, 0].tolist() == [1.0, 4.0]  # years from the start, and to the end
    assert np.isnan(planes[:30, 1, 1]).all()


def test_neighbours_come_from_the_north_west_to_the_south_east() -> None:
    plane = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    found = around(plane)
    assert found[:, 1, 2].tolist() == [1, 2, 3, 6, 8, 11, 12, 13]
    assert found[:, 0, 0].tolist() == [0, 0, 1, 0, 1, 5, 5, 6]


def test_sides_are_means_of_all_dates_before_and_after() -> None:
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    before, after = means_before_and_after(values)
    for period in range(4):
        assert before[period] == pytest.approx(values[: period + 1].mean(axis=0), abs=1e-6)
        assert after[period] == pytest.approx(values[period + 1 :].mean(axis=0), abs=1e-6)


def test_power_is_averaged_and_not_decibels(stack: Stack) -> None:
    stack.radar[0, :, 4, 3] = 0.0
    share = (8 * 10**-0.8 + 1) / 9
    assert mean_db(stack, 3)[0, 4, 3] == pytest.approx(10 * math.log10(share), abs=1e-4)
    assert mean_db(stack, 1)[0, 4, 3] == pytest.approx(0.0)


def test_a_loss_is_dated_where_the_radar_falls_most(stack: Stack) -> None:
    assert (radar_period(stack) == 1).all()
    lost = np.zeros(stack.shape, dtype=np.bool_)
    lost[2, 2] = True
    years = dated(stack, lost)
    assert years[2, 2] == 2022.5 and np.isnan(years).sum() == years.size - 1
    planes = radar_evidence(stack)
    assert planes[:, 4, 3] == pytest.approx([-8, -11, 3] * 4, abs=1e-3)


def test_pixels_are_described_by_the_sensors_that_are_asked_for(stack: Stack) -> None:
    counts = {sensors: len(Pixels(sensors=sensors)(stack)) for sensors in ("optical", "radar")}
    assert counts == {"optical": 56, "radar": 12}
    assert len(Pixels()(stack)) == 68
    assert Pixels(sensors="radar").name != Pixels().name
    with pytest.raises(InputError, match="wanted 'optical', 'radar' or 'both'"):
        Pixels(sensors="sonar")
