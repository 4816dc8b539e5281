import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from rsedu.errors import InputError
from rsedu.segment.regions import interior_point
from rsedu.segment.tiles import Tile, leaves, tiling


@given(st.integers(1, 400), st.integers(1, 400), st.integers(16, 128), st.integers(0, 15))
def test_tiles_cover_every_pixel_and_overlap(rows: int, cols: int, side: int, overlap: int) -> None:
    tiles = tiling((rows, cols), side_px=side, overlap_px=overlap)
    count = np.zeros((rows, cols), dtype=int)
    for tile in tiles:
        count[tile.window] += 1
        assert (tile.rows, tile.cols) == (min(side, rows), min(side, cols))
    assert count.min() >= 1
    lefts = sorted({tile.left for tile in tiles})
    assert all(first + side - second >= overlap for first, second in itertools.pairwise(lefts))


def test_an_image_that_fits_is_one_tile() -> None:
    assert tiling((100, 128), side_px=128, overlap_px=32) == (
        Tile(top=0, left=0, rows=100, cols=128),
    )
    with pytest.raises(InputError, match="overlap"):
        tiling((10, 10), side_px=8, overlap_px=8)
    assert len(tiling((10, 10), side_px=8, overlap_px=7)) == 9


def test_depth_is_to_the_nearest_edge_behind_which_there_is_more() -> None:
    tile = Tile(top=0, left=20, rows=50, cols=40)
    # Column 25 has its centre 5.5 from the left edge at 20; row 2 is near the image's own edge.
    assert tile.depth((25, 2), (100, 100)) == pytest.approx(5.5)
    assert tile.depth((40, 47), (100, 100)) == pytest.approx(2.5)
    assert tile.depth((10, 10), (100, 100)) == pytest.approx(-9.5)
    assert Tile(top=20, left=0, rows=50, cols=40).depth((3, 25), (100, 100)) == pytest.approx(5.5)
    assert Tile(top=0, left=0, rows=9, cols=9).depth((4, 4), (9, 9)) == float("inf")


def test_the_part_of_a_box_is_in_the_tiles_own_pixels() -> None:
    tile = Tile(top=10, left=20, rows=30, cols=40)
    assert tile.box_within((15, 15, 35, 60)) == (0.0, 5.0, 15.0, 30.0)
    assert tile.box_within((0, 0, 20, 60)) is None
    assert tile.box_within((25, 40, 30, 50)) is None


def test_a_tile_holds_points_up_to_its_edges() -> None:
    tile = Tile(top=10, left=20, rows=30, cols=40)
    assert all(tile.holds(at) for at in ((19.5, 9.5), (59.5, 39.5), (30, 20)))
    assert not any(tile.holds(at) for at in ((19.4, 20), (59.6, 20), (30, 9.4), (30, 39.6)))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((20, 0, 60, 40), True),
        ((20, -9, 60, 40), True),
        ((19, 5, 30, 20), False),
        ((30, 5, 61, 20), False),
        ((30, 5, 40, 41), False),
        ((-9, -9, 0, 0), False),
    ],
)
def test_a_tile_holds_a_box_that_only_leaves_it_with_the_image(
    box: tuple[int, int, int, int], expected: bool
) -> None:
    tile = Tile(top=0, left=20, rows=40, cols=40)
    assert tile.holds_box(box, (100, 100)) is expected


def test_the_deepest_pixel_is_the_furthest_from_outside() -> None:
    rng = np.random.default_rng(4)
    mask = rng.random((12, 17)) < 0.8
    rows, cols = np.mgrid[-1:13, -1:18]
    outside = [
        (row, col)
        for row, col in zip(rows.ravel(), cols.ravel(), strict=True)
        if not (0 <= row < 12 and 0 <= col < 17 and mask[row, col])
    ]
    inside = [(int(row), int(col)) for row, col in zip(*np.nonzero(mask), strict=True)]

    def room(pixel: tuple[int, int]) -> float:
        return min(np.hypot(pixel[0] - row, pixel[1] - col) for row, col in outside)

    col, row = interior_point(mask)
    assert room((int(row), int(col))) == pytest.approx(max(room(pixel) for pixel in inside))
    with pytest.raises(InputError, match="empty"):
        interior_point(np.zeros((3, 3), dtype=bool))


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [((0, 5), False), ((9, 5), True), ((5, 0), True), ((5, 9), False), ((5, 5), False)],
)
def test_a_mask_leaves_where_the_image_goes_on(pixel: tuple[int, int], expected: bool) -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[pixel] = True
    # North-east corner of the image: more lies to the south and to the west.
    tile = Tile(top=0, left=30, rows=10, cols=10)
    assert leaves(mask, tile, (40, 40)) is expected
