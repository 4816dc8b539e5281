"""A small place, and a map of it that is wrong in known ways."""

import numpy as np
import pytest

from rsedu.project.methods import baselines
from rsedu.project.methods.baselines import Sample
from rsedu.project.place import Place
from rsedu.project.task import Task


@pytest.fixture(scope="session")
def place() -> Place:
    """2 x 2 km with 1522 pixels of loss."""
    return Place(seed=3, size_m=2000.0)


@pytest.fixture(scope="session")
def true(place: Place) -> np.ndarray:
    """Its truth: decimal years, NaN for none."""
    years = place.truth()
    years.setflags(write=False)
    return years


@pytest.fixture
def mapped(true: np.ndarray) -> np.ndarray:
    """The truth one pixel further east, half a year too late where that is in the period."""
    years = np.full_like(true, np.nan)
    years[:, 1:] = true[:, :-1]
    return np.minimum(years + np.float32(0.5), np.float32(2025.5))


@pytest.fixture(scope="session")
def seen(place: Place, true: np.ndarray) -> Sample:
    """All of the place, as a window to learn from."""
    return Sample(stack=Task(place=place).read(), years=true)


@pytest.fixture
def samples(seen: Sample, monkeypatch: pytest.MonkeyPatch) -> tuple[Sample, ...]:
    """What every school teaches in these tests, so that none is rendered."""
    both = (seen, seen)
    monkeypatch.setattr(baselines, "_school", lambda places: both)
    return both
