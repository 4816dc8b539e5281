from collections.abc import Callable

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project.place import Place, known
from rsedu.synthetic.frontier import Frontier


def test_the_truth_is_what_was_cut_within_the_period(place: Place, true: np.ndarray) -> None:
    # A second path: clearings' labels and years of the outlines, pixel by pixel.
    found = Frontier(seed=3, size_m=2000.0).truth(date=2025.5)
    year_of = {clearing.label: clearing.year for clearing in found.outlines}
    for row in range(0, 200, 7):
        for col in range(0, 200, 3):
            year = year_of.get(int(found.clearings[row, col]), -1.0)
            if 2020.5 < year <= 2025.5:
                assert true[row, col] == pytest.approx(year, abs=1e-3)
            else:
                assert np.isnan(true[row, col])
    assert np.isfinite(true).sum() == 1522


def test_another_period_has_another_truth(true: np.ndarray) -> None:
    parts = [
        Place(seed=3, size_m=2000.0, since=since, until=until).truth()
        for since, until in ((2020.5, 2023.0), (2023.0, 2025.5))
    ]
    assert sum(np.isfinite(part).sum() for part in parts) == np.isfinite(true).sum()
    assert np.nanmax(parts[0]) <= 2023.0 < np.nanmin(parts[1])


@pytest.mark.parametrize("gsd_m", [10.0, 20.0])
def test_the_grid_is_that_of_its_scenes(gsd_m: float) -> None:
    place = Place(seed=1, size_m=1000.0, gsd_m=gsd_m)
    assert place.grid.matches(place.frontier.radar(date=2024.5, gsd_m=gsd_m).grid)
    assert place.truth().shape == place.grid.shape


def test_tags_bring_the_same_place_back() -> None:
    place = Place(seed=12, size_m=4000.0, gsd_m=20.0, since=2018.25, until=2019.123456)
    assert known(Place.facts(place.tags()), {}) == place
    assert place.tags()["SOURCE"] == "synthetic"
    assert str(place) == "place 12, 4 km, 2018.25 to 2019.12, 20 m"


def test_what_the_file_leaves_open_is_asked_for() -> None:
    assert known({}, {"seed": 4.0, "size_m": None}) == Place(seed=4)
    assert known({"seed": 4.0}, {"since": 2021.5}) == Place(seed=4, since=2021.5)
    assert known({"seed": 4.0}, {"seed": 4.0}) == Place(seed=4)
    # Tags of another program that happen to be called so are not ours.
    assert Place.facts({"SEED": "7"}) == {}


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: known({"seed": 4.0}, {"seed": 5.0}), "its seed is 4, but 5 was asked for"),
    (lambda: known({"size_m": 2000.0}, {}), "add --place SEED"),
    *(
        (lambda text=text: Place.facts({"SOURCE": "synthetic", "SEED": text}), f"is '{text}'")
        for text in ("x", "nan", "inf", "3.5")
    ),
    (lambda: Place(seed=-1), "seed"),
    (lambda: Place(seed=0, size_m=float("nan")), "size_m"),
    (lambda: Place(seed=0, gsd_m=0.0), "gsd_m"),
    (lambda: Place(seed=0, gsd_m=20_001.0), "gsd_m"),
    (lambda: Place(seed=0, since=2025.0, until=2020.0), "period 2025 to 2020 is empty"),
    (lambda: Place(seed=0, since=2025.0, until=2025.0), "is empty"),
    (lambda: Place(seed=0, until=float("nan")), "is empty"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_does_not_fit_together_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_a_pixel_may_be_as_large_as_its_place() -> None:
    assert Place(seed=0, gsd_m=20_000.0).grid.shape == (1, 1)


def test_the_truth_of_a_window_is_that_part_of_the_whole(place: Place, true: np.ndarray) -> None:
    part = (slice(30, 120), slice(50, 75))
    assert np.array_equal(place.truth(window=part), true[part], equal_nan=True)
