import tracemalloc

import numpy as np
import pytest

from rsedu.segment.learning.objects import numbered, openings, plots
from rsedu.segment.regions import components, filled, largest
from rsedu.synthetic.land_cover import CROP, FOREST, PASTURE, REGROWTH, ROAD, WATER


def _flooded(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    """Connected pixels, by a walk from each."""
    left = {(int(row), int(col)) for row, col in zip(*np.nonzero(mask), strict=True)}
    parts = []
    while left:
        part, edge = set(), [left.pop()]
        while edge:
            row, col = edge.pop()
            part.add((row, col))
            for near in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
        parts.append(part)
    return sorted(parts, key=len, reverse=True)


def test_components_are_what_a_walk_reaches() -> None:
    mask = np.random.default_rng(2).random((20, 31)) < 0.5
    walked = _flooded(mask)
    found = components(mask)
    assert [int(part.sum()) for part in found] == [len(part) for part in walked]
    as_sets = {
        frozenset(zip(*(axis.tolist() for axis in np.nonzero(p)), strict=True)) for p in found
    }
    assert as_sets == {frozenset(part) for part in walked}
    larger = [len(part) for part in walked if len(part) >= 3]
    assert [int(part.sum()) for part in components(mask, least_px=3)] == larger


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("below_px", [1, 2, 5, 40])
def test_holes_are_filled_as_one_by_one(share: float, below_px: int) -> None:
    mask = np.random.default_rng(2).random((20, 31)) < share
    expected = mask.copy()
    for hole in components(~mask):
        if hole.sum() < below_px:
            expected |= hole
    np.testing.assert_array_equal(filled(mask, below_px=below_px), expected)


@pytest.mark.parametrize("seed", range(20))
def test_the_largest_part_is_the_first_of_all_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((9, 12)) < rng.random()  # often with several of one size
    np.testing.assert_array_equal(largest(mask), components(mask)[0])
    assert not largest(mask & False).any()


def test_noise_needs_no_image_per_part() -> None:
    noise = np.random.default_rng(0).random((512, 512)) < 0.3
    tracemalloc.start()
    filled(noise, below_px=9)
    largest(noise)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * noise.size


def test_a_plot_is_of_one_class_and_an_opening_of_any_open_one() -> None:
    classes = np.full((10, 12), FOREST, dtype=np.uint8)
    classes[2:6, 1:4] = PASTURE
    classes[2:6, 4:8] = CROP
    classes[2:6, 8] = ROAD
    classes[8:10, 0:3] = WATER
    classes[0:2, 10:12] = REGROWTH
    fields = plots(classes, least_px=4)
    assert sorted(np.bincount(fields.ravel())[1:].tolist()) == [4, 6, 12, 16]
    assert (fields[classes == ROAD] == 0).all() and (fields[classes == FOREST] == 0).all()
    open_land = openings(classes, least_px=4)
    assert open_land.max() == 1
    np.testing.assert_array_equal(open_land == 1, np.isin(classes, (PASTURE, CROP, ROAD)))


def test_numbers_go_from_the_largest_and_stop_at_255() -> None:
    parts = []
    for number in range(300):
        part = np.zeros((40, 40), dtype=bool)
        part.ravel()[number * 5 : number * 5 + 1 + number % 5] = True
        parts.append(part)
    drawn = numbered(tuple(parts), (40, 40))
    sizes = np.bincount(drawn.ravel(), minlength=256)[1:]
    assert drawn.max() == 255
    assert (np.diff(sizes) <= 0).all()
