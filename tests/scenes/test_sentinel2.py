import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes.bands import S2, S2_BANDS
from rsedu.scenes.reader import BandNameWarning
from rsedu.scenes.sentinel2 import ReflectanceWarning, read_sentinel2

WriteTif = Callable[..., Path]


def band_file(folder: Path, name: str) -> Path:
    return folder / f"{folder.name}_{name}.tif"


def numbers(folder: Path, name: str) -> np.ndarray:
    with rasterio.open(band_file(folder, name)) as source:
        return source.read(1).astype(float)


def test_a_folder_becomes_one_scene_of_reflectance(s2_folder: Path) -> None:
    scene = read_sentinel2(s2_folder)
    assert scene.bands == S2_BANDS and scene.shape == (12, 24) and scene.gsd_m == 10
    assert set(scene.units) == {"reflectance"} and not scene.is_masked
    np.testing.assert_allclose(scene.band("B02"), numbers(s2_folder, "B02") / 10_000, rtol=1e-6)
    # 20 m and 60 m bands: between pixel centres linear, so the middle of four is their mean.
    coarse = numbers(s2_folder, "B11") / 10_000
    fine = scene.band("B11")
    across = 0.75 * coarse[:, :-1] + 0.25 * coarse[:, 1:]
    expected = 0.75 * across[:-1] + 0.25 * across[1:]
    np.testing.assert_allclose(fine[1:-1:2, 1:-1:2], expected, rtol=1e-5)
    for k, name in enumerate(S2_BANDS):
        assert scene.band(name).mean() == pytest.approx((1000 + 100 * k) / 1e4, abs=0.005)


@pytest.mark.parametrize("baseline", ["04.00", "N0400", "0511", 4.0, 5])
def test_from_baseline_4_on_1000_is_taken_off(s2_folder: Path, baseline: str | float) -> None:
    old = read_sentinel2(s2_folder, bands=["B03"], baseline="02.06")
    new = read_sentinel2(s2_folder, bands=["B03"], baseline=baseline)
    np.testing.assert_allclose(new.array, old.array - 0.1, atol=1e-6)


def test_the_baseline_is_found_in_names_and_metadata(s2_folder: Path) -> None:
    plain = s2_folder.rename(s2_folder.parent / "patch")
    files = {"B02": next(plain.glob("*_B02.tif"))}
    assert read_sentinel2(files, bands=["B02"]).array.mean() == pytest.approx(
        0.11, abs=0.003
    )  # the file is still called ..._N0205_...
    files = {"B02": files["B02"].rename(plain / "x_B02.tif")}
    with pytest.raises(InputError, match=r"none is told.*pass baseline='02.06'"):
        read_sentinel2(files, bands=["B02"])
    for path in plain.glob("*_B*.tif"):
        path.rename(plain / path.name[-7:])
    (plain / "MTD_MSIL2A.xml").write_text("<PROCESSING_BASELINE>05.09</PROCESSING_BASELINE>")
    assert read_sentinel2(plain, bands=["B02"]).array.mean() == pytest.approx(0.01, abs=0.003)
    (plain / "other.json").write_text('{"tile_source": "S2A_MSIL1C_20170613_N0205_R022"}')
    with pytest.raises(InputError, match="several"):
        read_sentinel2(plain, bands=["B02"])
    with pytest.raises(InputError, match="not one"):
        read_sentinel2(plain, bands=["B02"], baseline="new")


def test_esas_own_tree_is_read_at_native_pixels(tmp_path: Path, write_tif: WriteTif) -> None:
    root = tmp_path / "S2B_MSIL2A_20230101T140049_N0509_R067_T21LXX_20230101T170000.SAFE"
    for side in (10, 20, 60):
        folder = root / "GRANULE" / "L2A" / "IMG_DATA" / f"R{side}m"
        folder.mkdir(parents=True)
        for name in [n for n in S2_BANDS if S2[n].native_gsd_m <= side]:
            numbers = np.full((120 // side, 120 // side), 2000 + side, np.uint16)
            write_tif(folder / f"T21LXX_20230101T140049_{name}_{side}m.tif", numbers, gsd_m=side)
    scene = read_sentinel2(root)
    assert scene.bands == S2_BANDS
    for name in S2_BANDS:
        expected = (1000 + S2[name].native_gsd_m) / 10_000
        np.testing.assert_allclose(scene.band(name), expected, rtol=1e-5)


def test_digital_number_0_is_no_data(s2_folder: Path) -> None:
    with rasterio.open(band_file(s2_folder, "B04"), "r+") as target:
        array = target.read(1)
        array[3, 5] = 0
        target.write(array, 1)
    scene = read_sentinel2(s2_folder)
    assert np.argwhere(~scene.valid).tolist() == [[3, 5]]


def test_a_part_is_the_part_of_the_whole(s2_folder: Path) -> None:
    whole = read_sentinel2(s2_folder)
    bounds = (600_070.0, 8_999_890.0, 600_150.0, 8_999_960.0)
    part = read_sentinel2(s2_folder, bounds=bounds)
    assert part.bounds == bounds
    np.testing.assert_allclose(part.array, whole.window(bounds).array, atol=1e-6)
    with pytest.raises(InputError, match="empty"):
        read_sentinel2(s2_folder, bounds=(1, 0, 0, 1))
    with pytest.raises(InputError, match="covers no pixel"):
        read_sentinel2(s2_folder, bounds=(0, 0, 10, 10))


def test_a_missing_band_is_named(s2_folder: Path, tmp_path: Path) -> None:
    band_file(s2_folder, "B8A").unlink()
    with pytest.raises(MissingDataError, match="B8A not found"):
        read_sentinel2(s2_folder)
    with pytest.raises(MissingDataError, match="no folder"):
        read_sentinel2(tmp_path / "none")
    with pytest.raises(InputError, match="no band"):
        read_sentinel2(s2_folder, bands=["B13"])


def test_swapped_files_are_found_by_their_pixels(s2_folder: Path) -> None:
    one, two = band_file(s2_folder, "B02"), band_file(s2_folder, "B01")
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)
    with pytest.raises(InputError, match=r"pixels of 10 m, but B01 comes at 60 m"):
        read_sentinel2(s2_folder)


def test_swapped_files_are_found_by_their_description(s2_folder: Path) -> None:
    with rasterio.open(band_file(s2_folder, "B02"), "r+") as target:
        target.set_band_description(1, "B03")
    with pytest.warns(BandNameWarning, match="B02 is B03"):
        assert read_sentinel2(s2_folder).bands == S2_BANDS


def test_files_of_two_products(s2_folder: Path, write_tif: WriteTif) -> None:
    write_tif(s2_folder / "again_B02.tif", np.ones((12, 24), np.uint16))
    with pytest.raises(InputError, match="two files of B02"):
        read_sentinel2(s2_folder)


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ({"crs": CRS.from_epsg(32720)}, "not of one product"),
        ({"west": 600_060}, "different places"),
    ],
)
def test_files_of_two_places(
    s2_folder: Path, write_tif: WriteTif, place: dict[str, object], word: str
) -> None:
    write_tif(band_file(s2_folder, "B04"), np.ones((12, 24), np.uint16), **place)
    with pytest.raises(InputError, match=word):
        read_sentinel2(s2_folder)


def test_a_file_that_is_cut_off(s2_folder: Path) -> None:
    path = band_file(s2_folder, "B05")
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(BrokenDataError, match="B05"):
        read_sentinel2(s2_folder)


XML = """<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE unit="none">{quantification}</BOA_QUANTIFICATION_VALUE>
<BOA_ADD_OFFSET band_id="2">{green}</BOA_ADD_OFFSET>
<BOA_ADD_OFFSET band_id="8">-500</BOA_ADD_OFFSET>
"""


def one_band(
    folder: Path, write_tif: WriteTif, dn: float, *, name: str = "B03", dtype: str = "uint16"
) -> Path:
    """A product of one band, of which neither name nor metadata tell the baseline."""
    folder.mkdir()
    side = 6 if S2[name].native_gsd_m == 10 else 3
    array = np.full((side, side), dn, dtype)
    write_tif(folder / f"x_{name}.tif", array, gsd_m=S2[name].native_gsd_m)
    return folder


@pytest.mark.parametrize(
    ("name", "green", "quantification", "reflectance"),
    [
        ("B03", 0, 10_000, 0.08),
        ("B03", -1000, 10_000, -0.02),
        ("B03", 0, 1000, 0.8),
        ("B8A", 0, 10_000, 0.03),
    ],
)
def test_the_offset_of_the_metadata_goes_before_its_baseline(
    tmp_path: Path,
    write_tif: WriteTif,
    name: str,
    green: int,
    quantification: int,
    reflectance: float,
) -> None:
    folder = one_band(tmp_path / "S2A_MSIL2A_N9999_x", write_tif, 800, name=name)
    xml = XML.format(baseline="99.99", green=green, quantification=quantification)
    (folder / "MTD_MSIL2A.xml").write_text(xml)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReflectanceWarning)
        scene = read_sentinel2(folder, bands=[name])
    np.testing.assert_allclose(scene.array, reflectance, atol=1e-6)


def test_a_products_own_baseline_9999_tells_nothing(tmp_path: Path, write_tif: WriteTif) -> None:
    folder = one_band(tmp_path / "S2A_MSIL2A_N9999_R022", write_tif, 800)
    with pytest.raises(InputError, match="baseline"):
        read_sentinel2(folder, bands=["B03"])
    scene = read_sentinel2(folder, bands=["B03"], baseline="02.06")
    np.testing.assert_allclose(scene.array, 0.08, atol=1e-7)


@pytest.mark.parametrize(
    ("stored", "reflectance"),
    [(0.3, 0.3), (1.9, 1.9), (3000.0, 0.3), (101.0, 0.0101)],
    ids=["reflectance", "snow", "digital numbers", "small digital numbers"],
)
def test_floats_are_reflectance_where_they_can_be(
    tmp_path: Path, write_tif: WriteTif, stored: float, reflectance: float
) -> None:
    folder = one_band(tmp_path / "a", write_tif, stored, dtype="float32")
    scene = read_sentinel2(folder, bands=["B03"], baseline="02.06")
    np.testing.assert_allclose(scene.array, reflectance, rtol=1e-6)


def test_scale_tags_of_the_files_go_before_all(tmp_path: Path, write_tif: WriteTif) -> None:
    folder = one_band(tmp_path / "S2A_N0511_x", write_tif, 4000)
    with rasterio.open(folder / "x_B03.tif", "r+") as file:
        file.scales, file.offsets = (1e-4,), (-0.05,)
    np.testing.assert_allclose(read_sentinel2(folder, bands=["B03"]).array, 0.35, atol=1e-6)


@pytest.mark.parametrize(
    ("folder", "dn", "baseline", "message"),
    [
        ("a", 410, "05.00", "negative"),
        ("a", 30_000, "02.06", "brighter than snow"),
        ("S2B_MSIL1C_20190627T104029_N0207_R008.SAFE", 1200, None, "level 1C"),
    ],
)
def test_what_is_hardly_surface_reflectance_is_said(
    tmp_path: Path, write_tif: WriteTif, folder: str, dn: int, baseline: str | None, message: str
) -> None:
    made = one_band(tmp_path / folder, write_tif, dn)
    with pytest.warns(ReflectanceWarning, match=message):
        read_sentinel2(made, bands=["B03"], baseline=baseline)


def test_metadata_that_names_the_1c_it_was_made_from_is_level_2a(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    folder = one_band(tmp_path / "S2A_MSIL2A_N0206_x", write_tif, 800)
    (folder / "labels.json").write_text('{"tile_source": "S2A_MSIL1C_20170613_N0206_R022"}')
    read_sentinel2(folder, bands=["B03"])


def test_reading_takes_little_more_memory_than_the_scene(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    for name in S2_BANDS:
        side = int(4800 / S2[name].native_gsd_m)
        write_tif(
            tmp_path / f"x_{name}.tif",
            np.full((side, side), 900, np.uint16),
            gsd_m=S2[name].native_gsd_m,
        )
    tracemalloc.start()
    scene = read_sentinel2(tmp_path, baseline="02.06")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * scene.array.nbytes


@pytest.mark.parametrize(
    ("dn", "dtype", "baseline", "message"),
    [
        (2.1, "float32", "02.06", "neither reflectance, below 2, nor digital numbers"),
        (99.0, "float32", "02.06", "neither reflectance"),
        (120, "uint8", "02.06", "has 8 bits"),
        (800, "uint16", "99.99", "baseline '99.99' is not one"),
        (800, "uint16", "N9999", "not one"),
        (800, "uint16", -1, "not one"),
        (800, "uint16", float("nan"), "not one"),
    ],
)
def test_numbers_and_baselines_that_tell_nothing_are_refused(
    tmp_path: Path, write_tif: WriteTif, dn: float, dtype: str, baseline: Any, message: str
) -> None:
    folder = one_band(tmp_path / "a", write_tif, dn, dtype=dtype)
    with pytest.raises(InputError, match=message):
        read_sentinel2(folder, bands=["B03"], baseline=baseline)
