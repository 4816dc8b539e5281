import re
from pathlib import Path

import numpy as np
import pytest
import rasterio

from rsedu.errors import InputError, MissingDataError
from rsedu.scenes.sentinel1 import BackscatterWarning, read_sentinel1
from tests.rasters import WriteTif


@pytest.fixture
def s1_folder(tmp_path: Path, write_tif: WriteTif) -> Path:
    for name, level in (("VH", -18), ("VV", -11)):
        noise = np.random.default_rng(level + 100).normal(level, 1, (6, 5))
        write_tif(tmp_path / f"S1A_IW_{name}.tif", noise.astype(np.float32))
    return tmp_path


def test_radar_is_read_in_croma_order(s1_folder: Path) -> None:
    scene = read_sentinel1(s1_folder, unit="sigma0_db")
    assert scene.bands == ("VV", "VH") and scene.units == ("sigma0_db", "sigma0_db")
    assert scene.band("VV").mean() > scene.band("VH").mean() + 5
    linear = scene.to_linear()
    np.testing.assert_allclose(linear.array, 10 ** (scene.array / 10), rtol=1e-6)


def test_a_unit_that_cannot_be(s1_folder: Path, tmp_path: Path, write_tif: WriteTif) -> None:
    with pytest.raises(InputError, match="below 0, so this is no linear power"):
        read_sentinel1(s1_folder, unit="sigma0")
    with pytest.raises(InputError, match="'dn'"):
        read_sentinel1(s1_folder, unit="dn")
    files = {"VV": write_tif(tmp_path / "power.tif", np.full((3, 3), 0.05, np.float32))}
    assert read_sentinel1(files, unit="sigma0", bands=["VV"]).units == ("sigma0",)
    with pytest.raises(InputError, match="hardly dB"):
        read_sentinel1(files, unit="sigma0_db", bands=["VV"])


def test_radar_on_two_grids(s1_folder: Path, write_tif: WriteTif) -> None:
    write_tif(s1_folder / "S1A_IW_VH.tif", np.full((6, 5), -18, np.float32), west=600_003)
    with pytest.raises(InputError, match="grids differ"):
        read_sentinel1(s1_folder, unit="sigma0_db")
    (s1_folder / "S1A_IW_VH.tif").unlink()
    with pytest.raises(MissingDataError, match="VH not found"):
        read_sentinel1(s1_folder, unit="sigma0_db")


POWER = np.random.default_rng(0).exponential(0.02, (50, 50)).astype(np.float32)


def with_share(values: np.ndarray, share: float, value: float) -> np.ndarray:
    """The values, of which a share is another one."""
    changed = values.copy()
    changed.ravel()[: round(share * values.size)] = value
    return changed


@pytest.mark.parametrize(
    ("array", "unit", "message"),
    [
        (with_share(POWER, 0.11, -4e-4), "sigma0", "11% of the values are below 0"),
        (np.full((4, 4), 10.1, np.float32), "sigma0", "+10 dB"),
        (np.full((4, 4), 240, np.uint16), "sigma0", "+24 dB"),
        (np.full((4, 4), -51.0, np.float32), "sigma0_db", "times 100"),
        (np.full((4, 4), -1245, np.int16), "sigma0_db", "times 100"),
        (with_share(np.full((4, 4), -11.0, np.float32), 0.25, -101), "sigma0_db", "nodata=-101"),
    ],
)
def test_numbers_that_backscatter_cannot_have_are_refused(
    tmp_path: Path, write_tif: WriteTif, array: np.ndarray, unit: str, message: str
) -> None:
    files = {"VV": write_tif(tmp_path / "a_VV.tif", array)}
    with pytest.raises(InputError, match=re.escape(message)):
        read_sentinel1(files, unit=unit, bands=["VV"])


@pytest.mark.parametrize(
    ("array", "unit"),
    [
        (with_share(POWER, 0.1, -4e-4), "sigma0"),
        (np.full((4, 4), 9.9, np.float32), "sigma0"),
        (np.full((4, 4), -49.0, np.float32), "sigma0_db"),
        (with_share(np.full((10, 10), -11.0, np.float32), 0.05, 0), "sigma0_db"),
        (with_share(np.full((4, 4), -11.0, np.float32), 0.25, -99), "sigma0_db"),
    ],
    ids=["noise below 0", "bright", "dark", "a few zeros", "very dark"],
)
def test_numbers_that_backscatter_can_just_have_are_read(
    tmp_path: Path, write_tif: WriteTif, array: np.ndarray, unit: str
) -> None:
    files = {"VV": write_tif(tmp_path / "a_VV.tif", array)}
    scene = read_sentinel1(files, unit=unit, bands=["VV"])
    np.testing.assert_array_equal(scene.array[0], array)


def test_what_lies_beside_the_swath_is_not_valid(tmp_path: Path, write_tif: WriteTif) -> None:
    power = np.full((12, 12), 0.1, np.float32)
    power[:, :5] = 0
    scene = read_sentinel1(
        {"VV": write_tif(tmp_path / "a.tif", power)}, unit="sigma0", bands=["VV"]
    )
    np.testing.assert_array_equal(scene.valid, power > 0)
    coarse = scene.resample(gsd_m=20).to_db()
    np.testing.assert_allclose(coarse.array[0][coarse.valid], -10, atol=1e-4)
    for empty in (-9999, 0):
        decibels = np.where(power > 0, np.float32(-11), np.float32(empty))
        files = {"VV": write_tif(tmp_path / "b.tif", decibels)}
        told = read_sentinel1(files, unit="sigma0_db", bands=["VV"], nodata=empty)
        np.testing.assert_array_equal(told.valid, power > 0)
    with pytest.warns(BackscatterWarning, match="42% of the values are 0 dB"):
        read_sentinel1(files, unit="sigma0_db", bands=["VV"])


def test_a_scale_in_the_tags_is_applied(tmp_path: Path, write_tif: WriteTif) -> None:
    path = write_tif(tmp_path / "a_VH.tif", np.full((3, 3), -1720, np.int16))
    with rasterio.open(path, "r+") as file:
        file.scales = (0.01,)
    scene = read_sentinel1({"VH": path}, unit="sigma0_db", bands=["VH"])
    np.testing.assert_allclose(scene.array, -17.2, rtol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "2023-06-05_Sentinel-1_AWS-IW-VVVH_VV_-_decibel_gamma0.tiff",
        "2023-06-05_Sentinel-1_AWS-IW-VVVH_VV_(Raw).tiff",
        "s1a-iw-grd-vv-20210101t093000-20210101t093025-035949-0435e5-001.tiff",
        "patch_vv.tif",
    ],
)
def test_a_polarisation_is_found_however_it_was_named(
    tmp_path: Path, write_tif: WriteTif, name: str
) -> None:
    write_tif(tmp_path / name, np.full((3, 3), -11, np.float32))
    write_tif(tmp_path / "patch_VV_mask.tif", np.ones((3, 3), np.uint8))  # of no band
    scene = read_sentinel1(tmp_path, unit="sigma0_db", bands=["VV"])
    np.testing.assert_array_equal(scene.array, -11)


def test_other_polarisations_are_read_or_named(tmp_path: Path, write_tif: WriteTif) -> None:
    for name in ("HH", "HV"):
        write_tif(tmp_path / f"ice_{name}.tif", np.full((3, 3), -12, np.float32))
    assert read_sentinel1(tmp_path, unit="sigma0_db", bands=["HH", "HV"]).bands == ("HH", "HV")
    with pytest.raises(MissingDataError, match=r"VV, VH not found in .*, which has HH, HV"):
        read_sentinel1(tmp_path, unit="sigma0_db")
