from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from rsedu.errors import InputError
from rsedu.io.raster_file import write_cog

TRANSFORM = Affine(10, 0, 4e5, 0, -10, 8.9e6)
UTM = CRS.from_epsg(32720)


def write(path: Path, array: np.ndarray, names: tuple[str, ...]) -> Path:
    return write_cog(
        path, array, names=names, transform=TRANSFORM, crs=UTM, tags={"SOURCE": "synthetic"}
    )


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    array = np.random.default_rng(0).uniform(size=(2, 700, 300)).astype(np.float32)
    path = write(tmp_path / "scene.tif", array, ("B02", "B03"))
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), array)
        assert file.descriptions == ("B02", "B03")
        assert file.transform == TRANSFORM
        assert file.crs == UTM
        assert file.tags()["SOURCE"] == "synthetic"


def test_it_is_a_cloud_optimised_geotiff(tmp_path: Path) -> None:
    path = write(tmp_path / "scene.tif", np.zeros((1, 1100, 900), np.uint8), ("class",))
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.block_shapes == [(256, 256)]
        assert file.overviews(1)
        assert file.compression.name == "deflate"


def test_floats_that_are_no_measurements_can_be_kept(tmp_path: Path) -> None:
    years = np.where(np.random.default_rng(3).random((1, 1024, 1024)) < 0.5, 0.0, 2016.0)
    path = write_cog(
        tmp_path / "years.tif",
        years.astype(np.float32),
        names=("year",),
        transform=TRANSFORM,
        crs=UTM,
        overviews="nearest",
    )
    with rasterio.open(path, overview_level=0) as file:
        assert set(np.unique(file.read())) == {0, 2016}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_overviews_of_classes_hold_no_other_class(tmp_path: Path, dtype: type) -> None:
    rng = np.random.default_rng(3)
    classes = rng.choice(np.array([0, 1, 50], dtype), (1, 1024, 1024))
    path = write(tmp_path / "classes.tif", classes, ("class",))
    for level in range(2):
        with rasterio.open(path, overview_level=level) as file:
            assert set(np.unique(file.read())) == {0, 1, 50}


def test_overviews_of_values_are_means(tmp_path: Path) -> None:
    values = np.random.default_rng(3).uniform(size=(1, 1024, 1024)).astype(np.float32)
    path = write(tmp_path / "values.tif", values, ("B02",))
    with rasterio.open(path, overview_level=0) as file:
        means = values.reshape(1, 512, 2, 512, 2).mean(axis=(2, 4))
        np.testing.assert_allclose(file.read(), means, atol=1e-6)


@pytest.mark.parametrize("array", [np.zeros((4, 5)), np.zeros((3, 4, 5))])
def test_bands_and_names_have_to_agree(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(InputError, match="one name for each band"):
        write(tmp_path / "scene.tif", array, ("B02", "B03"))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write(tmp_path / "scene.tif", np.ones((1, 8, 8), np.uint8), ("class",))
    with pytest.raises(InputError, match="cannot be written as a GeoTIFF"):
        write(path, np.ones((1, 8, 8), np.dtype("U1")), ("class",))
    with rasterio.open(path) as file:
        assert file.read().min() == 1
    assert [each.name for each in tmp_path.iterdir()] == ["scene.tif"]


@pytest.mark.parametrize(
    ("array", "dtype", "valid"),
    [
        (np.eye(4, dtype=np.bool_), "uint8", 16),
        (np.where(np.eye(4) > 0, np.nan, 0.5).astype(np.float32), "float32", 12),
        (np.where(np.eye(4) > 0, np.nan, 0.5), "float64", 12),
        (np.eye(4, dtype=np.uint16), "uint16", 16),
    ],
    ids=["a mask", "float32 with NaN", "float64 with NaN", "whole numbers"],
)
def test_masks_and_gaps_are_what_other_programs_see(
    tmp_path: Path, array: np.ndarray, dtype: str, valid: int
) -> None:
    with rasterio.open(write(tmp_path / "a.tif", array[None], ("x",))) as file:
        assert file.dtypes == (dtype,)
        np.testing.assert_array_equal(file.read(1), array)
        assert int((file.read_masks(1) > 0).sum()) == valid
