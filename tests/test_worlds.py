from pathlib import Path

import numpy as np
import pytest

from rsedu import worlds
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.statistics import restore
from rsedu.worlds import TEST_WORLDS, TRAIN_WORLDS, VALIDATION_WORLDS, FrontierTiles, View

RENDERED: list[int] = []


def fake_render(world: int, *, gsd_m: float, size_px: int) -> View:
    """Noise of its own for every world, and two classes."""
    RENDERED.append(world)
    generator = np.random.default_rng(world)
    return View(
        reflectance=generator.uniform(0, 0.5, (12, size_px, size_px)).astype(np.float32),
        power=generator.uniform(0.01, 0.2, (2, size_px, size_px)).astype(np.float32),
        classes=generator.integers(0, 2, (size_px, size_px)),
    )


@pytest.fixture
def tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrontierTiles:
    monkeypatch.setattr(worlds, "render", fake_render)
    RENDERED.clear()
    return FrontierTiles(
        worlds=range(7, 10), folder=tmp_path, size_px=8, tiles_per_world=5, octaves=3
    )


def at(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_no_world_is_used_twice() -> None:
    splits = [set(TRAIN_WORLDS), set(VALIDATION_WORLDS), set(TEST_WORLDS)]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 1200


def test_tiles_are_block_means_of_the_render_at_their_gsd(tiles: FrontierTiles) -> None:
    batch = tiles.batch(at(*range(15)), at(*range(15)))
    optical, radar = restore(batch["optical"].numpy(), S2_BANDS), batch["radar"].numpy()
    radar = restore(radar, S1_BANDS)
    factors = set()
    for index in range(15):
        world, spec = 7 + index // 5, tiles.specs(7 + index // 5)[index % 5]
        view = fake_render(world, gsd_m=1.0, size_px=tiles.world_px)
        step = spec.factor
        for row, col in ((0, 0), (3, 7)):
            rows = slice(spec.row + row * step, spec.row + (row + 1) * step)
            cols = slice(spec.col + col * step, spec.col + (col + 1) * step)
            block = view.reflectance[:, rows, cols].mean(axis=(1, 2))
            np.testing.assert_allclose(optical[index, :, row, col], block, atol=3e-4)
            decibel = 10 * np.log10(view.power[:, rows, cols].mean(axis=(1, 2)))
            np.testing.assert_allclose(radar[index, :, row, col], decibel, atol=0.02)
        side = 8 * step
        window = view.classes[spec.row : spec.row + side, spec.col : spec.col + side]
        assert tiles.cover(index)[1] == pytest.approx(window.mean(), abs=1e-6)
        assert tiles.cover(index).sum() == pytest.approx(1)
        assert batch["gsd"][index] == pytest.approx(spec.gsd_m)
        factors.add(step)
    assert factors == {1, 2, 4}


def test_the_gsds_fill_the_range_and_a_world_has_one_base(tiles: FrontierTiles) -> None:
    gsds = []
    for world in range(300):
        specs = tiles.specs(world)
        assert len({round(spec.gsd_m / spec.factor, 9) for spec in specs}) == 1
        gsds += [spec.gsd_m for spec in specs]
    octave = np.floor(np.log2(np.array(gsds) / 2.5)).astype(int)
    assert np.bincount(octave) / len(gsds) == pytest.approx([1 / 3] * 3, abs=0.05)
    fraction = np.log2(np.array(gsds) / 2.5) % 1
    assert np.histogram(fraction, 4, (0, 1))[0] / len(gsds) == pytest.approx([0.25] * 4, abs=0.08)


def test_tiles_lie_within_the_world_and_reach_its_corners(tiles: FrontierTiles) -> None:
    corners = [
        (spec.row, spec.col, tiles.world_px - 8 * spec.factor)
        for world in range(400)
        for spec in tiles.specs(world)
    ]
    assert all(0 <= row <= room and 0 <= col <= room for row, col, room in corners)
    assert any(row == room > 0 for row, _, room in corners)
    assert any(col == 0 < room for _, col, room in corners)


def test_a_world_is_rendered_once_and_the_same_from_disk(tiles: FrontierTiles) -> None:
    fresh = tiles.batch(at(3, 4, 12), at(0, 1, 2))
    again = tiles.batch(at(3, 4, 12), at(5, 6, 7))
    assert RENDERED == [7, 9]
    for name, value in fresh.items():
        np.testing.assert_array_equal(value, again[name])


def test_preparing_goes_on_where_it_was_stopped(tiles: FrontierTiles) -> None:
    tiles.cover(5)
    tiles.prepare()
    assert RENDERED == [8, 7, 9]
    tiles.prepare()
    assert len(RENDERED) == 3
    assert len(tiles) == 15


def test_other_settings_have_another_store_but_other_worlds_have_not(
    tiles: FrontierTiles,
) -> None:
    common = {"folder": tiles.folder, "size_px": 8, "tiles_per_world": 5, "octaves": 3}
    assert FrontierTiles(worlds=range(50), **common).store == tiles.store
    changes = ({"size_px": 16}, {"tiles_per_world": 6}, {"octaves": 2}, {"seed": 1}, {"gsd_m": 5.0})
    stores = {FrontierTiles(worlds=range(3), **{**common, **each}).store for each in changes}
    assert len(stores | {tiles.store}) == 6
