"""Pairs show one ground unless they are told not to, and retrieval is counted right."""

from typing import Any

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.lessons.two_sensors.lab import (
    Pairs,
    World,
    band_means,
    crop_pairs,
    real,
    render_pair,
)
from rsedu.scenes import samples
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import FOREST


def coordinates(number: int = 0, side: int = 192) -> World:
    """Both sensors' first two bands say where they look; the optical third says in which world."""
    rows, cols = np.mgrid[:side, :side].astype(np.float16)
    optical = np.zeros((12, side, side), dtype=np.float16)
    optical[0], optical[1], optical[2] = rows, cols, number
    patches = side // 8
    shares = np.zeros((8, patches, patches), dtype=np.float32)
    shares[0] = np.arange(patches**2).reshape(patches, patches)
    return World(
        optical=optical,
        radar=np.stack([rows, cols]),
        shares=shares,
        edges=shares[0].astype(float),
    )


def drawn(count: int = 64, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Where radar and optical tiles look, (count, 2, 64, 64) each."""
    numbers = np.arange(count)
    batch = Pairs(worlds=[coordinates(), coordinates(1)], **settings).batch(numbers, numbers)
    return batch["radar"].numpy(), batch["optical"].numpy()[:, :2]


def test_both_tiles_of_a_pair_show_the_same_ground_turned_alike() -> None:
    radar, optical = drawn()
    np.testing.assert_array_equal(radar, optical)
    corners = {tuple(tile[:, 0, 0]) for tile in optical}
    assert len(corners) > 60
    downwards = optical[:, 0, 1, 0] - optical[:, 0, 0, 0]
    assert set(downwards) == {-1, 0, 1}  # turned to every side


@pytest.mark.parametrize("shift_px", [2.0, 8.0])
def test_a_shift_is_as_long_as_it_says(shift_px: float) -> None:
    radar, optical = drawn(200, shift_px=shift_px)
    apart = (radar - optical)[:, :, 0, 0]
    inside = ((optical > 10) & (optical < 181)).all(axis=(1, 2, 3))
    lengths = np.hypot(*apart[inside].T)
    assert inside.sum() > 20
    assert np.abs(lengths - shift_px).max() < 0.75  # whole pixels
    assert np.abs(apart[inside].mean(axis=0)).max() < shift_px / 2  # in every direction


def test_a_share_of_pairs_is_wrong() -> None:
    radar, optical = drawn(400, wrong=0.25)
    wrong = (radar != optical).any(axis=(1, 2, 3))
    assert wrong.mean() == pytest.approx(0.25, abs=0.06)


def test_a_batch_can_come_from_one_place() -> None:
    radar, optical = drawn(64, together=32)
    np.testing.assert_array_equal(radar, optical)
    middles = optical.mean(axis=(2, 3))
    for part in (middles[:32], middles[32:]):
        assert 0 < np.ptp(part, axis=0).max() <= 64
    spread = [np.ptp(drawn(32, seed=seed)[1].mean(axis=(2, 3)), axis=0).max() for seed in range(3)]
    assert min(spread) > 64


def test_draws_follow_from_seed_and_position_only() -> None:
    source = Pairs(worlds=[coordinates()], seed=3)
    one = source.batch(np.array([0, 1]), np.array([5, 6]))["radar"]
    other = source.batch(np.array([9]), np.array([6]))["radar"]
    np.testing.assert_array_equal(one[1:], other)
    assert (
        one
        != Pairs(worlds=[coordinates()], seed=4).batch(np.array([0, 1]), np.array([5, 6]))["radar"]
    ).any()


def test_tiles_lie_side_by_side_row_by_row() -> None:
    places = crop_pairs([coordinates(side=136), coordinates(1, side=136)], side_px=64)
    assert places.radar.shape == (8, 2, 64, 64) and places.shares.shape == (8, 8, 8, 8)
    corners = places.optical[:, :3, 0, 0].numpy().tolist()
    rows_cols = [[0, 0], [0, 64], [64, 0], [64, 64]]
    assert corners == [[*each, world] for world in (0, 1) for each in rows_cols]
    first = [[17 * row + col for col in range(8)] for row in range(8)]
    np.testing.assert_array_equal(places.shares[0, 0], first)
    assert places.edges[1] == pytest.approx(np.mean(first) + 8)
    np.testing.assert_array_equal(places.forest, places.shares[:, FOREST].mean(axis=(1, 2)))


def test_a_side_must_be_whole_patches() -> None:
    with pytest.raises(InputError, match="multiple of 8"):
        crop_pairs([coordinates()], side_px=60)


def test_a_world_is_what_the_frontier_shows() -> None:
    world, place = render_pair(3001, side_m=640.0), Frontier(seed=3001, size_m=640.0)
    date = 2006.5 + 3001 * 7 % 19
    truth = place.truth(date=date, gsd_m=80.0)
    np.testing.assert_allclose(world.shares, truth.fractions, atol=1e-6)
    assert world.optical.shape == (12, 64, 64) and world.radar.shape == (2, 64, 64)
    clouded = render_pair(3001, side_m=640.0, cloud_cover=1.0)
    np.testing.assert_array_equal(clouded.radar, world.radar)
    assert clouded.optical[0].mean() > world.optical[0].mean() + 3  # clouds are bright in blue


def test_edges_are_counted_between_pixels() -> None:
    world, place = render_pair(3002, side_m=1280.0), Frontier(seed=3002, size_m=1280.0)
    forest = place.truth(date=2006.5 + 3002 * 7 % 19).classes == FOREST
    row, col = np.unravel_index(world.edges.argmax(), world.edges.shape)
    patch = forest[8 * row : 8 * row + 8, 8 * col : 8 * col + 8]
    sides = sum(patch[y, x] != patch[y, x + 1] for y in range(8) for x in range(7))
    sides += sum(patch[y, x] != patch[y + 1, x] for y in range(7) for x in range(8))
    assert world.edges[row, col] == pytest.approx(sides * 0.01 / 0.08**2) and sides > 0


def test_band_means_are_means() -> None:
    places = crop_pairs([coordinates()], side_px=64)
    np.testing.assert_allclose(band_means(places.radar)[0], [31.5, 31.5])


def test_real_tiles_are_cut_pair_by_pair() -> None:
    tiles = real(side_px=40)
    assert tiles.radar.shape == (54, 2, 40, 40) and tiles.optical.shape == (54, 12, 40, 40)
    third = samples.pairs()[2]
    for scene, images in ((third.radar, tiles.radar), (third.optical, tiles.optical)):
        inside = scene.crop(rows=slice(40, 80), cols=slice(80, 120)).array
        wanted = normalise(inside, scene.bands)
        np.testing.assert_allclose(images[2 * 9 + 5], wanted, atol=1e-5)
