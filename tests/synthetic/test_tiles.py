from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.io.files import NotStoredWarning
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.tensors import denormalise
from rsedu.synthetic import tiles as worlds
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.tiles import (
    GSDS_M,
    TEST_WORLDS,
    TRAIN_WORLDS,
    VALIDATION_WORLDS,
    FrontierTiles,
)

SETTINGS = {"size_px": 8, "tiles_per_world": 5, "gsds_m": (5.0, 10.0, 20.0)}


@pytest.fixture
def tiles(tmp_path: Path) -> FrontierTiles:
    return FrontierTiles(worlds=range(7, 10), folder=tmp_path, **SETTINGS)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The worlds that are opened, one entry each time."""
    opened: list[int] = []

    def frontier(*, seed: int, size_m: float) -> Frontier:
        opened.append(seed)
        return Frontier(seed=seed, size_m=size_m)

    monkeypatch.setattr(worlds, "Frontier", frontier)
    return opened


def at(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_no_world_is_used_twice() -> None:
    splits = [set(TRAIN_WORLDS), set(VALIDATION_WORLDS), set(TEST_WORLDS)]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 1200


def test_a_tile_is_the_crop_of_its_world_at_its_gsd_and_date(tiles: FrontierTiles) -> None:
    numbers = at(*range(15))
    batch = tiles.batch(numbers, numbers)
    optical = denormalise(batch["optical"].numpy(), S2_BANDS)
    radar = denormalise(batch["radar"].numpy(), S1_BANDS)
    assert tiles.world_m == 160.0
    for index in range(15):
        place, spec = Frontier(seed=7 + index // 5, size_m=160.0), tiles.specs(7 + index // 5)
        one = spec[index % 5]
        whole = place.optical(date=one.date, gsd_m=one.gsd_m)
        part = whole.crop(rows=one.rows, cols=one.cols)
        np.testing.assert_allclose(optical[index], part.array, atol=3e-4)
        part = place.radar(date=one.date, gsd_m=one.gsd_m).crop(rows=one.rows, cols=one.cols)
        np.testing.assert_allclose(radar[index], part.array, atol=0.02)
        fractions = place.truth(date=one.date, gsd_m=one.gsd_m).fractions[:, one.rows, one.cols]
        np.testing.assert_allclose(tiles.cover(index), fractions.mean(axis=(1, 2)), atol=1e-6)
        assert batch["gsd"][index] == one.gsd_m


def test_gsds_and_dates_are_drawn_evenly(tmp_path: Path) -> None:
    tiles = FrontierTiles(worlds=range(1), folder=tmp_path)
    specs = [spec for world in range(300) for spec in tiles.specs(world)]
    shares = [np.mean([spec.gsd_m == gsd_m for spec in specs]) for gsd_m in GSDS_M]
    assert shares == pytest.approx([1 / 9] * 9, abs=0.025)
    dates = [spec.date for spec in specs]
    assert np.histogram(dates, 3, (2005, 2026))[0] / len(specs) == pytest.approx(
        [1 / 3] * 3, abs=0.04
    )


def test_tiles_lie_within_the_world_and_reach_its_corners(tiles: FrontierTiles) -> None:
    corners = []
    for world in range(400):
        for spec in tiles.specs(world):
            room = int(tiles.world_m / spec.gsd_m) - 8
            assert (spec.rows.stop - spec.rows.start, spec.cols.stop - spec.cols.start) == (8, 8)
            corners.append((spec.rows.start, spec.cols.start, room))
    assert all(0 <= row <= room and 0 <= col <= room for row, col, room in corners)
    assert any(row == room > 0 for row, _, room in corners)
    assert any(col == 0 < room for _, col, room in corners)


def test_a_world_is_rendered_once_and_the_same_from_disk(
    tiles: FrontierTiles, rendered: list[int]
) -> None:
    fresh = tiles.batch(at(3, 4, 12), at(0, 1, 2))
    again = tiles.batch(at(3, 4, 12), at(5, 6, 7))
    assert rendered == [7, 9]
    for name, value in fresh.items():
        np.testing.assert_array_equal(value, again[name])


def test_a_damaged_tile_is_rendered_again(tiles: FrontierTiles, rendered: list[int]) -> None:
    cover = tiles.cover(5)
    path = tiles.store / "8-cover.npy"
    path.write_bytes(path.read_bytes()[:60])
    np.testing.assert_array_equal(tiles.cover(5), cover)
    assert rendered == [8, 8]


def test_a_folder_that_cannot_be_written_is_told(tiles: FrontierTiles) -> None:
    tiles.store.touch()
    with (
        pytest.warns(NotStoredWarning, match="make room"),
        pytest.raises(InputError, match="choose another folder"),
    ):
        tiles.prepare()


def test_preparing_goes_on_where_it_was_stopped(tiles: FrontierTiles, rendered: list[int]) -> None:
    tiles.cover(5)
    tiles.prepare()
    assert rendered == [8, 7, 9]
    tiles.prepare()
    assert len(rendered) == 3
    assert len(tiles) == 15


def test_processes_render_the_same(tiles: FrontierTiles, tmp_path: Path) -> None:
    other = FrontierTiles(worlds=tiles.worlds, folder=tmp_path / "two", **SETTINGS)
    other.prepare(processes=2)
    numbers = at(*range(15))
    for name, value in tiles.batch(numbers, numbers).items():
        np.testing.assert_array_equal(value, other.batch(numbers, numbers)[name])


def test_other_settings_have_another_store_but_other_worlds_have_not(
    tiles: FrontierTiles,
) -> None:
    common = {"folder": tiles.folder, **SETTINGS}
    assert FrontierTiles(worlds=range(50), **common).store == tiles.store
    changes = ({"size_px": 16}, {"tiles_per_world": 6}, {"gsds_m": (5.0,)}, {"seed": 1})
    stores = {FrontierTiles(worlds=range(3), **{**common, **each}).store for each in changes}
    assert len(stores | {tiles.store}) == 5


@pytest.mark.parametrize("gsds_m", [(), (10.0, 12.0), (0.0,), (-10.0,)])
def test_pixels_are_whole_cells(tmp_path: Path, gsds_m: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"multiples of 2\.5 m"):
        FrontierTiles(worlds=range(1), folder=tmp_path, gsds_m=gsds_m)
