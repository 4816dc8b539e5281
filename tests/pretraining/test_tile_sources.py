from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from torch import Tensor

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.pretraining.recipes import RECIPES
from rsedu.pretraining.tile_sources import (
    DatasetTiles,
    Downsample,
    GeoTiffTiles,
    RandomSymmetry,
    SelectInputs,
)
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.tensors import STATISTICS, as_tiles, normalise
from rsedu.training.loop import train
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import TrainConfig

BANDS = ("B04", "VV", "B02")


def at(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def position_image(rows: int, cols: int, bands: int = 1) -> np.ndarray:
    """A value that says where it came from: 10000 * band + 100 * row + col."""
    band, row, col = np.indices((bands, rows, cols))
    return (10000 * band + 100 * row + col).astype(np.float32)


def tensor_source(size: int = 4) -> TensorSource:
    images = torch.from_numpy(np.stack([position_image(size, size, 2) + 7 * i for i in range(3)]))
    return TensorSource({"optical": images, "radar": images + 0.5, "gsd": torch.arange(3.0) + 1})


def test_tiles_are_standardised_and_sorted_by_sensor_and_band() -> None:
    array = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    tiles = as_tiles(array, BANDS, np.array([10.0, 20.0]))
    assert tiles["optical"].shape == (2, 2, 5, 4)
    optical = normalise(array[1, [2, 0]], ["B02", "B04"])
    np.testing.assert_array_equal(tiles["optical"][1], optical)
    np.testing.assert_array_equal(tiles["radar"][0], normalise(array[0, [1]], ["VV"]))
    assert tiles["gsd"].tolist() == [10.0, 20.0]


def test_turned_tiles_are_the_eight_symmetries_alike_for_both_sensors() -> None:
    source = RandomSymmetry(tensor_source())
    image = tensor_source().tensors["optical"][1].numpy()
    rotated = [np.rot90(image, k, axes=(1, 2)) for k in range(4)]
    expected = {turned.tobytes() for base in rotated for turned in (base, base[:, ::-1])}
    assert len(expected) == 8
    seen = set()
    for position in range(100):
        tiles = source.batch(at(1), at(position))
        seen.add(tiles["optical"][0].numpy().tobytes())
        assert torch.equal(tiles["radar"], tiles["optical"] + 0.5)
        assert tiles["gsd"].tolist() == [2.0]
    assert seen == expected


def test_the_turn_depends_on_the_position_and_the_seed_only() -> None:
    once = RandomSymmetry(tensor_source()).batch(at(0, 1, 2), at(5, 6, 7))
    alone = RandomSymmetry(tensor_source()).batch(at(2), at(7))
    assert torch.equal(once["optical"][2], alone["optical"][0])
    positions = at(*range(30))
    zeros = np.zeros(30, dtype=np.int64)
    first = RandomSymmetry(tensor_source(), seed=0).batch(zeros, positions)["optical"]
    other = RandomSymmetry(tensor_source(), seed=1).batch(zeros, positions)["optical"]
    assert not torch.equal(first, other)


def test_shrunk_tiles_are_block_means_with_a_coarser_gsd() -> None:
    tiles = Downsample(tensor_source(), 2).batch(at(0, 2), at(0, 1))
    image = tensor_source().tensors["optical"][2].numpy()
    assert tiles["optical"].shape == (2, 2, 2, 2)
    for row in range(2):
        for col in range(2):
            block = image[:, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
            np.testing.assert_allclose(tiles["optical"][1, :, row, col], block.mean(axis=(1, 2)))
    assert tiles["gsd"].tolist() == [2.0, 6.0]


def test_renamed_tiles_carry_the_names_of_the_model_and_say_what_is_missing() -> None:
    source = SelectInputs(tensor_source(), {"images": "optical", "gsd": "gsd"})
    assert set(source.batch(at(0), at(0))) == {"images", "gsd"}
    with pytest.raises(InputError, match="needs thermal and the data has optical, radar, gsd"):
        SelectInputs(tensor_source(), {"images": "thermal"}).batch(at(0), at(0))
    assert len(source) == len(RandomSymmetry(source)) == len(Downsample(source, 2)) == 3


def write_tif(path: Path, array: np.ndarray, **changes: object) -> Path:
    names = changes.pop("names", BANDS)
    scale = changes.pop("scale", None)
    profile = {
        "driver": "GTiff",
        "count": array.shape[0],
        "height": array.shape[1],
        "width": array.shape[2],
        "dtype": "float32",
        "crs": "EPSG:32721",
        "transform": Affine(20, 0, 5e5, 0, -20, 9e6),
        **changes,
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(array)
        file.descriptions = names
        if scale is not None:
            file.scales, file.offsets = scale
    return path


def unstandardised(tiles: Mapping[str, Tensor], band: str) -> np.ndarray:
    sensor, names = ("radar", ["VV"]) if band == "VV" else ("optical", ["B02", "B04"])
    statistic = STATISTICS[band]
    plane = tiles[sensor][:, names.index(band)].numpy()
    return plane * statistic.deviation + statistic.mean


def test_geotiff_tiles_are_windows_of_the_named_bands_at_the_gsd_of_the_file(
    tmp_path: Path,
) -> None:
    image = position_image(9, 14, 3)
    write_tif(tmp_path / "a.tif", image)
    source = GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS, windows_per_file=3)
    corners = set()
    for position in range(300):
        tiles = source.batch(at(position % 3), at(position))
        red = unstandardised(tiles, "B04")[0]
        row, col = divmod(round(float(red[0, 0])), 100)
        np.testing.assert_allclose(red, image[0, row : row + 4, col : col + 4], rtol=1e-4, atol=0.1)
        blue = unstandardised(tiles, "B02")[0]
        np.testing.assert_allclose(blue, image[2, row : row + 4, col : col + 4], rtol=1e-4)
        corners.add((row, col))
    assert len(source) == 3
    assert tiles["gsd"].tolist() == [20.0]
    assert corners == {(row, col) for row in range(6) for col in range(11)}


def test_geotiff_indices_choose_the_file_and_positions_the_window(tmp_path: Path) -> None:
    for number, name in enumerate(("b.tif", "a.TIF", "c.tiff")):
        write_tif(tmp_path / name, np.full((3, 5, 5), number, dtype=np.float32))
    source = GeoTiffTiles(folder=tmp_path, size_px=5, bands=BANDS, windows_per_file=2)
    red = unstandardised(source.batch(at(0, 1, 2, 5), at(0, 1, 2, 3)), "B04")
    np.testing.assert_allclose(red[:, 0, 0], [1, 1, 0, 2], atol=1e-5)


def test_scales_in_the_file_go_before_those_given(tmp_path: Path) -> None:
    image = np.full((3, 4, 4), 3000, dtype=np.float32)
    write_tif(tmp_path / "a.tif", image)
    given = GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS, scale=1e-4, offset=-0.1)
    assert unstandardised(given.batch(at(0), at(0)), "B04")[0, 0, 0] == pytest.approx(0.2)
    write_tif(tmp_path / "a.tif", image, scale=((2e-4,) * 3, (0.0, 0.0, 0.1)))
    tiles = given.batch(at(0), at(0))
    assert unstandardised(tiles, "B04")[0, 0, 0] == pytest.approx(0.6, rel=1e-4)
    assert unstandardised(tiles, "B02")[0, 0, 0] == pytest.approx(0.7, rel=1e-4)


def test_windows_with_invalid_pixels_are_drawn_again(tmp_path: Path) -> None:
    image = position_image(8, 8, 3)
    image[:, :, :4] = np.nan
    write_tif(tmp_path / "a.tif", image)
    source = GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS)
    for position in range(20):
        assert torch.isfinite(source.batch(at(0), at(position))["optical"]).all()


def test_the_few_windows_of_a_swaths_edge_are_found(tmp_path: Path) -> None:
    """Of 160 columns six are left, so that one draw in some forty finds a window."""
    image = position_image(8, 160, 3)
    image[:, :, 6:] = np.nan
    write_tif(tmp_path / "a.tif", image)
    source = GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS)
    corners = set()
    for position in range(60):
        red = unstandardised(source.batch(at(0), at(position)), "B04")[0]
        corners.add(divmod(round(float(red[0, 0])), 100))
    assert {col for _, col in corners} == {0, 1, 2}


def test_the_size_of_a_pixel_is_that_on_the_ground(tmp_path: Path) -> None:
    where = {"crs": "EPSG:3857", "transform": Affine(10, 0, 2.8e6, 0, -10, 8.4e6)}
    write_tif(tmp_path / "web.tif", position_image(6, 6, 3), **where)
    tiles = GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS).batch(at(0), at(0))
    assert float(tiles["gsd"][0]) == pytest.approx(5.02, abs=0.02)  # cos 60 degrees, nearly


@pytest.mark.parametrize(
    ("stored", "dtype", "scale", "reflectance"),
    [
        (0.3, "float32", 1e-4, 0.3),
        (1.9, "float32", 1e-4, 1.9),
        (2.1, "float32", 0.1, 0.21),
        (3000, "uint16", 1e-4, 0.3),
        (1, "uint16", 0.1, 0.1),
    ],
)
def test_the_scale_that_is_given_is_for_digital_numbers(
    tmp_path: Path, stored: float, dtype: str, scale: float, reflectance: float
) -> None:
    write_tif(tmp_path / "a.tif", np.full((3, 4, 4), stored, dtype), dtype=dtype)
    source = GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS, scale=scale)
    red = unstandardised(source.batch(at(0), at(0)), "B04")
    np.testing.assert_allclose(red, reflectance, rtol=1e-4)


def test_hidden_files_and_zeros_beside_the_swath_are_passed_over(tmp_path: Path) -> None:
    dn = np.full((2, 8, 32), 2500, np.uint16)
    dn[:, :, :20] = 0  # not declared
    names = ("B04", "B02")
    write_tif(tmp_path / "a.tif", dn, names=names, dtype="uint16")
    (tmp_path / "._a.tif").write_bytes(b"Mac OS X")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "b.tif").write_bytes(b"Mac OS X")
    source = GeoTiffTiles(folder=tmp_path, size_px=8, bands=names, scale=1e-4)
    assert [path.name for path in source.files] == ["a.tif"]
    for position in range(40):
        red = unstandardised(source.batch(at(0), at(position)), "B04")
        np.testing.assert_allclose(red, 0.25, rtol=1e-4)


def test_folders_and_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"no \.tif"):
        GeoTiffTiles(folder=tmp_path, size_px=4)
    path = write_tif(tmp_path / "a.tif", position_image(6, 3, 3))
    with pytest.raises(InputError, match=r"6 x 3 pixels, fewer than a tile's 4 x 4"):
        GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS)
    with pytest.raises(InputError, match="no band called B03"):
        GeoTiffTiles(folder=tmp_path, size_px=2, bands=("B03",))
    write_tif(path, np.full((3, 6, 6), -1, np.float32), nodata=-1)
    with pytest.raises(InputError, match=r"a\.tif has no window of 4 x 4 px that was observed"):
        GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS)
    far = Affine(1e-4, 0, 25, 0, -1e-4, 60)
    write_tif(path, position_image(6, 6, 3), crs="EPSG:4326", transform=far)
    with pytest.raises(InputError, match=r"5\.58 m wide and 11\.1 m high"):
        GeoTiffTiles(folder=tmp_path, size_px=2, bands=BANDS)
    write_tif(path, np.random.default_rng(0).normal(size=(3, 90, 90)).astype(np.float32))
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(BrokenDataError, match=r"a\.tif (is cut off|cannot be read)"):
        GeoTiffTiles(folder=tmp_path, size_px=4, bands=BANDS)


class Images:
    """A data set of torch whose samples look as `wrap` makes them."""

    def __init__(self, wrap: Callable[[Tensor], Any] = lambda image: image) -> None:
        self.wrap = wrap

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        return self.wrap(torch.from_numpy(position_image(6, 8, 3) + index))


WRAPS = {
    "as torchgeo has it": lambda image: {"image": image, "label": torch.tensor(1)},
    "as torchvision has it": lambda image: (image, 1),
    "alone": lambda image: image,
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=list(WRAPS))
def test_samples_of_a_torch_data_set_become_scaled_crops(wrap: Callable[[Tensor], Any]) -> None:
    shape = {"bands": BANDS, "gsd_m": 10.0, "size_px": 5, "scale": 0.5, "offset": 1.0}
    source = DatasetTiles(dataset=Images(wrap), **shape)
    corners = set()
    for position in range(60):
        tiles = source.batch(at(1), at(position))
        red = (unstandardised(tiles, "B04")[0] - 1.0) / 0.5 - 1
        row, col = divmod(round(float(red[0, 0])), 100)
        expected = position_image(6, 8)[0, row : row + 5, col : col + 5]
        np.testing.assert_allclose(red, expected, rtol=1e-3, atol=0.1)
        corners.add((row, col))
    assert corners == {(row, col) for row in range(2) for col in range(4)}
    assert (len(source), tiles["gsd"].tolist()) == (2, [10.0])


DATASETS_REFUSED = {
    "too few bands": (Images(), S2_BANDS, 5, r"shape \(3, 6, 8\); wanted 12 bands"),
    "too few pixels": (Images(), BANDS, 7, "7 pixels or more"),
    "no bands at all": (Images(lambda image: image[0]), BANDS, 5, r"shape \(6, 8\)"),
}


@pytest.mark.parametrize(
    ("dataset", "bands", "size_px", "pattern"),
    DATASETS_REFUSED.values(),
    ids=list(DATASETS_REFUSED),
)
def test_images_that_do_not_fit_are_refused(
    dataset: Images, bands: tuple[str, ...], size_px: int, pattern: str
) -> None:
    source = DatasetTiles(dataset=dataset, bands=bands, gsd_m=10.0, size_px=size_px)
    with pytest.raises(InputError, match=pattern):
        source.batch(at(0), at(0))


def test_any_recipe_trains_on_such_a_data_set() -> None:
    images = Images(lambda _: torch.rand(12, 40, 40))
    tiles = DatasetTiles(dataset=images, bands=S2_BANDS, gsd_m=10.0, size_px=32)
    source = RECIPES["mae"].inputs_of(tiles, turn=True)
    config = TrainConfig(steps=2, batch_size=2, warmup_steps=0)
    assert np.isfinite(train(RECIPES["mae"].build(), source, config, device="cpu").losses).all()
