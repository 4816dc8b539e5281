from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rsedu.io.files import NotStoredWarning
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.colours import stretch
from rsedu.segment.learning import dataset
from rsedu.segment.learning.dataset import BANDS, CLASS, OPENING, PLOT, PracticeTiles
from rsedu.segment.learning.objects import openings, plots
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import CROP, FOREST


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> PracticeTiles:
    folder = tmp_path_factory.mktemp("worlds")
    small = PracticeTiles(
        worlds=range(2000, 2002),
        folder=folder,
        size_px=48,
        tiles_per_world=5,
        objects=3,
        image_px=64,
    )
    small.prepare()
    return small


def test_open_files_stay_below_what_small_systems_allow(tmp_path: Path) -> None:
    many = PracticeTiles(worlds=range(300), folder=tmp_path, tiles_per_world=1)
    many.store.mkdir()
    for world in many.worlds:
        np.save(many.store / f"{world}.npy", np.full((1, 1, 1, 1), world % 256, dtype=np.uint8))
        assert many.tile(world) == world % 256
    assert dataset._opened.cache_info().currsize <= 200


def test_where_nothing_can_be_stored_tiles_are_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[float] = []

    def cut(_: object, gsd_m: float, size_px: int, *__: object) -> np.ndarray:
        rendered.append(gsd_m)
        return np.full((len(BANDS) + 3, size_px, size_px), len(rendered), dtype=np.uint8)

    monkeypatch.setattr(dataset, "_cut", cut)
    (tmp_path / "file").write_text("no folder")
    tiles = PracticeTiles(worlds=range(7, 9), folder=tmp_path / "file", tiles_per_world=2)
    with pytest.warns(NotStoredWarning, match="file"):
        tiles.prepare()
    assert len(rendered) == 2, "one world tells that it is no use to render the others"
    assert tiles.tile(2).max() == 3


def test_a_tile_is_the_world_at_its_gsd(tiles: PracticeTiles) -> None:
    """Every stored layer is what a render of the same window gives; the window is searched."""
    rng = np.random.default_rng((0, 2001))
    place = Frontier(seed=2001, size_m=dataset.WORLD_M)
    gsd_m = tiles.gsd_m(5)
    assert gsd_m == dataset.GSDS_M[0]
    tile = dataset._cut(place, gsd_m, 48, rng)
    np.testing.assert_array_equal(tile, tiles.tile(5))
    np.testing.assert_array_equal(tile[PLOT], plots(tile[CLASS]))
    np.testing.assert_array_equal(tile[OPENING], openings(tile[CLASS]))
    assert tile.shape == (len(BANDS) + 3, 48, 48)


def test_bands_are_stretched_by_their_own_percentiles(tiles: PracticeTiles) -> None:
    for layer in tiles.tile(3)[: len(BANDS)]:
        again = stretch(layer.astype(float), low=0, high=100)
        assert abs(again.astype(int) - layer).max() <= 1


def test_what_is_on_disk_is_not_rendered_again(
    tiles: PracticeTiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr(dataset, "_cut", fail)
    tiles.prepare()
    tiles.tile(9)
    other = PracticeTiles(worlds=tiles.worlds, folder=tiles.folder, size_px=50, tiles_per_world=5)
    assert other.store != tiles.store
    with pytest.raises(AssertionError, match="rendered again"):
        other.tile(0)


def test_a_batch_depends_on_its_positions_alone(tiles: PracticeTiles) -> None:
    at = (np.array([1, 7]), np.array([5, 6]))
    first, again = tiles.batch(*at), tiles.batch(*at)
    other = tiles.batch(at[0], at[1] + 10)
    for name in first:
        assert torch.equal(first[name], again[name])
    assert not torch.equal(first["images"], other["images"])
    assert {name: tuple(each.shape) for name, each in first.items()} == {
        "images": (2, 3, 64, 64),
        "masks": (2, 3, 16, 16),
        "classes": (2, 16, 16),
    }


def test_masks_and_image_are_cut_and_turned_alike() -> None:
    """A stored tile whose only object is bright: the image must be bright where the mask is."""
    rng = np.random.default_rng(0)
    tile = np.full((len(BANDS) + 3, 64, 64), 20, dtype=np.uint8)
    tile[CLASS:] = 0
    tile[: len(BANDS), 10:40, 30:55] = 220
    tile[CLASS, 10:40, 30:55] = 5
    tile[PLOT:, 10:40, 30:55] = 1
    source = PracticeTiles(worlds=range(1), folder=Path(), image_px=64, objects=2)
    for _ in range(12):
        image, masks, classes = source._sample(tile, rng)
        small = torch.nn.functional.avg_pool2d(image.mean(dim=0)[None], 4)[0]
        inside = masks[0] > 0.9
        assert (small[inside] > 115).all()
        assert (small[masks[0] < 0.1] < 125).all()
        assert (classes[inside] == 5).all() and (classes[masks[0] < 0.1] == 0).all()


def test_without_an_object_the_forest_is_one() -> None:
    maps = torch.zeros(2, 32, 32)
    chosen = dataset._chosen(maps, 2, np.random.default_rng(0))
    assert chosen.shape == (2, 32, 32) and (chosen == 1).all()


def test_objects_are_neither_specks_nor_nearly_everything() -> None:
    maps = torch.zeros(2, 40, 40)
    maps[0, :, :30] = 1  # three quarters
    maps[0, 0:2, 39] = 2  # two pixels
    maps[0, 10:20, 31:39] = 3
    for mask in dataset._chosen(maps, 20, np.random.default_rng(0)):
        assert mask.sum() == 80


def test_the_first_process_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    monkeypatch.setattr(PracticeTiles, "prepare", lambda self, **_: rendered.append(self.seed))
    dataset.practice(range(3), tmp_path, 7)
    monkeypatch.setenv("LOCAL_RANK", "1")
    dataset.practice(range(3), tmp_path, 8)
    assert rendered == [7]


@pytest.mark.parametrize(("empty", "looks"), [(0, 1), (3, 4), (4, 4), (9, 4)])
def test_a_place_with_two_objects_is_looked_for_four_times(
    monkeypatch: pytest.MonkeyPatch, empty: int, looks: int
) -> None:
    """On a world whose first places have nothing on them."""
    windows = []

    def truth(_: Frontier, window: tuple[slice, slice], **__: float) -> SimpleNamespace:
        windows.append(window)
        classes = np.full((16, 16), FOREST, dtype=np.uint8)
        if len(windows) > empty:
            classes[:4, :4] = classes[8:12, 8:12] = CROP
        return SimpleNamespace(classes=classes)

    monkeypatch.setattr(Frontier, "truth", truth)
    for name, bands in (("optical", S2_BANDS), ("radar", S1_BANDS)):
        nothing = SimpleNamespace(array=np.zeros((len(bands), 16, 16)))
        monkeypatch.setattr(Frontier, name, lambda _, nothing=nothing, **__: nothing)
    tile = dataset._cut(Frontier(seed=0, size_m=7680.0), 10.0, 16, np.random.default_rng(0))
    assert len(windows) == looks
    assert tile[PLOT].max() == (2 if empty < 4 else 0)
