import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import transform as warp_points

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes import reader
from rsedu.scenes.reader import BandNameWarning, read_classes, read_onto, read_window
from rsedu.scenes.scene import Scene

MakeScene = Callable[..., Scene]
WriteTif = Callable[..., Path]


class RangeServer:
    """What the server program serves and has sent."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def url(self, path: Path) -> str:
        return f"/vsicurl/{self.address}/{path.name}"

    @property
    def sent(self) -> int:
        with urllib.request.urlopen(f"{self.address}/sent") as answer:
            return int(answer.read())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    program = [sys.executable, Path(__file__).with_name("range_server.py"), tmp_path]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield RangeServer(int(running.stdout.readline()))
        running.terminate()


@pytest.fixture
def cog(tmp_path: Path, write_tif: WriteTif) -> tuple[Path, np.ndarray]:
    """2048 x 2048 px of noise in blocks of 256, uncompressed: 8 MB, with overviews."""
    array = np.random.default_rng(0).integers(1, 60_000, (2048, 2048)).astype(np.uint16)
    path = write_tif(
        tmp_path / "noise.tif", array, tiled=True, blockxsize=256, blockysize=256, overviews=[2, 8]
    )
    return path, array


def test_a_window_far_away_brings_only_its_blocks(
    server: RangeServer, cog: tuple[Path, np.ndarray]
) -> None:
    path, array = cog
    scene = read_window(server.url(path), rows=slice(300, 500), cols=slice(600, 700))
    np.testing.assert_array_equal(scene.array[0], array[300:500, 600:700])
    block = 256 * 256 * 2
    # The window lies in one block; the rest is the header, in GDAL's steps of 16 KiB.
    assert block <= server.sent < 2 * block
    assert path.stat().st_size > 60 * block


def test_large_pixels_far_away_come_from_an_overview(
    server: RangeServer, cog: tuple[Path, np.ndarray]
) -> None:
    path, array = cog
    scene = read_window(server.url(path), gsd_m=80)
    blocks = array.reshape(256, 8, 256, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(scene.array[0], blocks, atol=2)  # overviews hold whole numbers
    assert server.sent < path.stat().st_size / 10
    assert scene.gsd_m == 80 and scene.bounds[0] == 600_000


def test_bounds_and_slices_say_the_same(cog: tuple[Path, np.ndarray]) -> None:
    path, array = cog
    by_slice = read_window(path, rows=slice(10, 31), cols=slice(40, 45))
    by_bounds = read_window(path, bounds=by_slice.bounds)
    np.testing.assert_array_equal(by_bounds.array, by_slice.array)
    assert by_bounds.grid == by_slice.grid
    assert by_slice.bounds == (600_400, 8_999_690, 600_450, 8_999_900)
    np.testing.assert_array_equal(by_slice.array[0], array[10:31, 40:45])


def test_large_pixels_are_means_and_odd_ends_are_left_away(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    array = np.random.default_rng(0).random((3, 11, 8), dtype=np.float32)
    path = write_tif(tmp_path / "a.tif", array)
    scene = read_window(path, gsd_m=30)
    blocks = array[:, :9, :6].reshape(3, 3, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(scene.array, blocks, atol=1e-6)
    assert read_window(path, gsd_m=9.995).shape == (11, 8)
    with pytest.raises(InputError, match="invent"):
        read_window(path, gsd_m=9.98)


def test_nodata_and_nan_are_not_valid(tmp_path: Path, write_tif: WriteTif) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    array[0, 1] = np.nan
    array[1, 2] = -999
    by_file = read_window(write_tif(tmp_path / "a.tif", array, nodata=-999))
    assert np.argwhere(~by_file.valid).tolist() == [[0, 1], [1, 2]]
    told = read_window(write_tif(tmp_path / "b.tif", array), nodata=5)
    assert np.argwhere(~told.valid).tolist() == [[0, 1], [1, 1]]


def test_names_come_from_the_file_or_are_checked_against_it(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    array = np.ones((2, 3, 3), np.float32)
    path = write_tif(tmp_path / "a.tif", array, descriptions=["B02", "B03"])
    assert read_window(path).bands == ("B02", "B03")
    assert read_window(path, bands=["B02", "B03"], unit="reflectance").units[1] == "reflectance"
    with pytest.warns(BandNameWarning, match="B03 is B02; B02 is B03"):
        assert read_window(path, bands=["B03", "B02"]).bands == ("B03", "B02")
    foreign = write_tif(tmp_path / "c.tif", array, descriptions=["B4", "nir (832 nm)"])
    assert read_window(foreign, bands=["B04", "B08"]).bands == ("B04", "B08")
    with pytest.raises(InputError, match="2 bands, but 1 names"):
        read_window(path, bands=["B02"])
    assert read_window(write_tif(tmp_path / "b.tif", array)).bands == ("band1", "band2")


def test_empty_window(cog: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(InputError, match="empty"):
        read_window(cog[0], rows=slice(5, 5))
    with pytest.raises(InputError, match="step 1"):
        read_window(cog[0], rows=slice(0, 8, 2))
    with pytest.raises(InputError, match="covers no pixel"):
        read_window(cog[0], bounds=(0, 0, 100, 100))


def test_missing_truncated_and_foreign_files(cog: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no file"):
        read_window(tmp_path / "none.tif")
    cut = tmp_path / "cut.tif"
    cut.write_bytes(cog[0].read_bytes()[:100_000])
    with pytest.raises(BrokenDataError, match=r"cut off|cannot be read"):
        read_window(cut)
    text = tmp_path / "text.tif"
    text.write_text("not a raster")
    with pytest.raises(BrokenDataError, match="cannot be read"):
        read_window(text)


@pytest.mark.parametrize("code", [32720, 4326])
def test_onto_another_scene_across_crs(
    code: int, tmp_path: Path, write_tif: WriteTif, make_scene: MakeScene
) -> None:
    """The file holds a formula of the place, so the formula says what must come out."""
    like, other = make_scene(shape=(20, 16)), CRS.from_epsg(code)
    (x,), (y,) = warp_points(like.crs, other, [600_080.0], [8_999_900.0])
    step = 9e-5 if code == 4326 else 10
    transform = Affine(step, 0, x - 100 * step, 0, -step, y + 100 * step)
    at = transform @ np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5)
    east, north = warp_points(other, like.crs, at[0].ravel(), at[1].ravel())
    surface = 0.01 * (np.array(east) - 600_000) + 0.02 * (np.array(north) - 9_000_000)
    path = write_tif(
        tmp_path / "a.tif",
        surface.reshape(200, 200).astype(np.float32),
        crs=other,
        transform=transform,
    )
    scene = read_onto(path, like, bands=["height"])
    want_x, want_y = like.transform @ np.meshgrid(np.arange(16) + 0.5, np.arange(20) + 0.5)
    expected = 0.01 * (want_x - 600_000) + 0.02 * (want_y - 9_000_000)
    np.testing.assert_allclose(scene.array[0], expected, atol=0.006)
    assert scene.grid == like.grid and like.stack(scene).bands[-1] == "height"


def test_db_is_laid_on_as_power(tmp_path: Path, write_tif: WriteTif, make_scene: MakeScene) -> None:
    decibel = np.random.default_rng(0).uniform(-25, 0, (12, 8)).astype(np.float32)
    path = write_tif(tmp_path / "VV.tif", decibel)
    like = make_scene(shape=(3, 2), gsd_m=40.0)
    scene = read_onto(path, like, bands=["VV"], unit="sigma0_db")
    power = (10 ** (decibel.astype(float) / 10)).reshape(3, 4, 2, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(scene.array[0], 10 * np.log10(power), atol=1e-4)
    assert scene.units == ("sigma0_db",)


def test_onto_a_scene_elsewhere_or_nowhere(
    tmp_path: Path, write_tif: WriteTif, make_scene: MakeScene
) -> None:
    path = write_tif(tmp_path / "a.tif", np.ones((4, 4), np.float32), west=700_000)
    with pytest.raises(InputError, match="different places"):
        read_onto(path, make_scene())
    with pytest.raises(InputError, match="need a CRS"):
        read_onto(path, make_scene(crs=None))


def test_masks_of_every_kind_are_taken_out_before_any_mean(
    tmp_path: Path, write_tif: WriteTif, make_scene: MakeScene
) -> None:
    """One image, its west without data in five ways: what is left is 3000 and nothing between."""
    image = np.full((3, 40, 40), 3000, np.uint16)
    empty = np.zeros((40, 40), np.bool_)
    empty[:, :21] = True
    filled = np.where(empty, np.uint16(7), image)
    paths = {"declared": write_tif(tmp_path / "a.tif", filled, nodata=7)}
    paths["told"] = write_tif(tmp_path / "b.tif", filled)
    for name, inside in (("inside", True), ("beside", False)):
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside):
            paths[name] = write_tif(tmp_path / f"{name}.tif", filled)
            with rasterio.open(paths[name], "r+") as file:
                file.write_mask(~empty)
    four = np.concatenate([filled, np.where(empty, 0, 65535)[None]]).astype(np.uint16)
    paths["alpha"] = write_tif(tmp_path / "alpha.tif", four, photometric="RGB", alpha="YES")
    like = make_scene(shape=(20, 20), gsd_m=20.0)
    for name, path in paths.items():
        nodata = 7 if name == "told" else None
        whole = read_window(path, nodata=nodata)
        np.testing.assert_array_equal(whole.valid, ~empty, err_msg=name)
        assert len(whole.bands) == 3
        for coarse in (
            read_window(path, gsd_m=20, nodata=nodata),
            read_onto(path, like, nodata=nodata),
        ):
            assert coarse.valid.mean() == 0.5, name
            np.testing.assert_array_equal(coarse.array[:, coarse.valid], 3000, err_msg=name)


@pytest.mark.parametrize("observed", [1, 2, 3])
def test_a_larger_pixel_counts_from_half_of_its_area_whichever_way(
    tmp_path: Path, write_tif: WriteTif, observed: int
) -> None:
    """1, 2 or 3 of 4: 25, 50 and 75 %."""
    block = np.array([1, 2, 3, 4]) <= observed
    seen = np.tile(block.reshape(2, 2), (10, 10))
    path = write_tif(tmp_path / "a.tif", np.where(seen, 3000, 0).astype(np.uint16), nodata=0)
    at_once, after = read_window(path, gsd_m=20), read_window(path).resample(gsd_m=20)
    np.testing.assert_array_equal(at_once.valid, after.valid)
    np.testing.assert_array_equal(at_once.array, after.array)
    assert at_once.valid.all() == (observed >= 2)


def test_decibels_are_averaged_as_power_at_once_too(tmp_path: Path, write_tif: WriteTif) -> None:
    power = np.random.default_rng(0).exponential(0.1, (200, 200))
    path = write_tif(tmp_path / "a.tif", (10 * np.log10(power)).astype(np.float32))
    at_once = read_window(path, gsd_m=100, unit="sigma0_db")
    after = read_window(path, unit="sigma0_db").resample(gsd_m=100)
    np.testing.assert_allclose(at_once.array, after.array, atol=1e-4)
    means = power.reshape(20, 10, 20, 10).mean(axis=(1, 3))
    np.testing.assert_allclose(at_once.array[0], 10 * np.log10(means), atol=1e-3)


def test_strips_meet_without_a_seam(
    tmp_path: Path, write_tif: WriteTif, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.random.default_rng(0).uniform(size=(2, 97, 61)).astype(np.float32)
    path = write_tif(tmp_path / "a.tif", array)
    for gsd_m in (20, 23, 40):
        whole = read_window(path, gsd_m=gsd_m)
        with monkeypatch.context() as patch:
            patch.setattr(reader, "_STRIP_PX", 400)
            np.testing.assert_allclose(read_window(path, gsd_m=gsd_m).array, whole.array, rtol=1e-6)


def test_each_band_has_a_nodata_value_of_its_own(tmp_path: Path, write_tif: WriteTif) -> None:
    bands = []
    for number, nodata, rows in ((1, 0, [[0, 5], [5, 5]]), (2, -99, [[7, -99], [7, 0]])):
        path = write_tif(tmp_path / f"{number}.tif", np.array(rows, np.int16))
        bands.append(
            f'<VRTRasterBand dataType="Int16" band="{number}"><NoDataValue>{nodata}</NoDataValue>'
            f'<SimpleSource><SourceFilename relativeToVRT="1">{path.name}</SourceFilename>'
            "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
        )
    head = "<SRS>EPSG:32721</SRS><GeoTransform>6e5, 10, 0, 9e6, 0, -10</GeoTransform>"
    vrt = tmp_path / "stack.vrt"
    vrt.write_text(
        f'<VRTDataset rasterXSize="2" rasterYSize="2">{head}{"".join(bands)}</VRTDataset>'
    )
    assert read_window(vrt).valid.tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("nodata", [-3.4028230607370965e38, -9999.0, np.nan])
def test_nodata_of_floats_is_meant_to_its_few_digits(
    tmp_path: Path, write_tif: WriteTif, nodata: float
) -> None:
    lowest = np.finfo(np.float32).min
    values = np.full((4, 4), lowest if nodata < -1e38 else nodata, np.float32)
    values[1, 1] = 0.5
    declared = read_window(write_tif(tmp_path / "a.tif", values, nodata=nodata))
    told = read_window(write_tif(tmp_path / "b.tif", values), nodata=nodata)
    assert declared.valid.sum() == told.valid.sum() == 1


def test_scale_and_offset_tags_are_applied_after_the_mask(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    stored = np.array([[4000, 0], [2000, 1000]], np.uint16)
    path = write_tif(tmp_path / "a.tif", stored, nodata=0, descriptions=["B04"])
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (1e-4,), (-0.1,)
    scene = read_window(path, unit="reflectance")
    np.testing.assert_allclose(scene.array[0], [[0.3, np.nan], [0.1, 0.0]], atol=1e-7)


def test_sentinel_2_numbers_that_are_0_in_every_band_were_not_observed(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    dn = np.array([[[0, 0, 5]], [[0, 7, 5]]], np.uint16)
    path = write_tif(tmp_path / "a.tif", dn, descriptions=["B02", "B03"])
    assert read_window(path).valid.tolist() == [[False, True, True]]
    floats = np.concatenate([dn, dn[:1]]).astype(np.float32)
    for count, first in ((2, True), (3, False)):
        names = ["B02", "B03", "B04"][:count]
        path = write_tif(tmp_path / "c.tif", floats[:count], descriptions=names)
        assert read_window(path).valid[0].tolist() == [first, True, True]
    other = write_tif(tmp_path / "b.tif", dn, descriptions=["lost", "found"])
    assert read_window(other).valid.all()  # a mask may well be 0


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((1, 4, 4), 3 + 4j, np.complex64), "complex numbers"),
        (np.full((1, 4, 4), 20230615, np.int32), "whole numbers such as 20230615"),
        (np.full((1, 4, 4), 2**24 + 1, np.uint32), "whole numbers such as 16777217"),
        (np.full((1, 4, 4), 20230615.0, np.float64), "whole numbers such as 20230615"),
        (np.full((1, 4, 4), 1e300), r"such as 1e\+300, .* pass nodata=1e\+300"),
    ],
)
def test_numbers_that_a_scene_would_change_are_refused(
    tmp_path: Path, write_tif: WriteTif, array: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_window(write_tif(tmp_path / "a.tif", array))


@pytest.mark.parametrize("value", [2**24, -(2**24), 2**24 + 2])
def test_numbers_that_float32_holds_are_read(
    tmp_path: Path, write_tif: WriteTif, value: int
) -> None:
    path = write_tif(tmp_path / "a.tif", np.full((1, 4, 4), value, np.int32))
    assert int(read_window(path).array[0, 0, 0]) == value


def test_a_0_1_mask_at_larger_pixels_is_a_share(tmp_path: Path, write_tif: WriteTif) -> None:
    mask = np.zeros((512, 512), np.uint8)
    mask[::2, ::2] = 1
    for dtype in (np.uint8, np.uint16):
        path = write_tif(tmp_path / f"{np.dtype(dtype)}.tif", mask.astype(dtype), overviews=[2, 4])
        np.testing.assert_array_equal(read_window(path, gsd_m=40).array, 0.25)


def test_classes_are_laid_on_by_their_nearest_pixel_and_never_averaged(
    tmp_path: Path, write_tif: WriteTif, make_scene: MakeScene
) -> None:
    classes = np.where(np.arange(8) < 3, 4, 9)[None] * np.ones((8, 1), np.uint8)
    path = write_tif(tmp_path / "SCL.tif", classes.astype(np.uint8), gsd_m=20, nodata=0)
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {4: (0, 160, 0, 255), 9: (255, 255, 255, 255)})
    like = make_scene(shape=(20, 16))
    for refused in (lambda: read_onto(path, like), lambda: read_window(path, gsd_m=40)):
        with pytest.raises(InputError, match="read_classes"):
            refused()
    laid, observed = read_classes(path, like)
    np.testing.assert_array_equal(laid[:16], np.repeat(np.repeat(classes, 2, 0), 2, 1))
    assert laid.dtype == np.uint8 and observed[:16].all() and not observed[16:].any()
    own, _ = read_classes(path)
    np.testing.assert_array_equal(own, classes)
    days = write_tif(tmp_path / "days.tif", np.full((3, 3), 20230615, np.int32))
    assert read_classes(days)[0].max() == 20230615


def test_a_part_is_read_pixel_for_pixel_where_its_corner_is_no_binary_number(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    values = np.random.default_rng(0).normal(size=(97, 97)).astype(np.float32)
    values[:, ::7] = values[::5] = np.nan
    transform = Affine(0.1, 0, 500000.1, 0, -0.1, 4999999.9)
    path = write_tif(tmp_path / "drone.tif", values, transform=transform, nodata=np.nan)
    for row, col in ((0, 0), (7, 5), (42, 33), (85, 80)):
        part = np.s_[row : row + 11, col : col + 13]
        np.testing.assert_array_equal(
            read_window(path, rows=part[0], cols=part[1]).array[0], values[part]
        )


def test_a_place_across_180_degrees_has_the_pixels_of_both_sides(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    rows = np.repeat(np.arange(180, dtype=np.float32)[:, None], 360, axis=1)
    world = Affine(1, 0, -180, 0, -1, 90)
    path = write_tif(tmp_path / "world.tif", rows, crs=CRS.from_epsg(4326), transform=world)
    zone = CRS.from_epsg(32660)
    (x,), (y,) = warp_points(CRS.from_epsg(4326), zone, [180.0], [-17.0])
    like = Scene(
        array=np.zeros((1, 20, 20)),
        bands=("x",),
        units=("dn",),
        transform=Affine(5000, 0, x - 50_000, 0, -5000, y + 50_000),
        crs=zone,
    )
    scene = read_onto(path, like)
    assert scene.valid.all()
    np.testing.assert_allclose(scene.array.mean(), 106.5, atol=0.1)  # row of 17 degrees south


def test_a_raster_without_a_place_or_with_control_points_only_says_what_to_do(
    tmp_path: Path, write_tif: WriteTif
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        path = write_tif(
            tmp_path / "a.tif", np.ones((4, 4), np.uint16), transform=Affine.identity()
        )
    with pytest.raises(InputError, match="no georeference"):
        read_window(path)
    with warnings.catch_warnings(), rasterio.open(path, "r+") as file:
        corners = [(0, 0), (0, 4), (4, 0), (4, 4)]
        points = [GroundControlPoint(r, c, 15 + c * 1e-4, 45 - r * 1e-4) for r, c in corners]
        file.gcps = (points, CRS.from_epsg(4326))
    with pytest.raises(InputError, match=r"control points only, .* terrain-correct it"):
        read_window(path)


def test_an_overview_decides_no_half_observed_pixel(tmp_path: Path, write_tif: WriteTif) -> None:
    """Nobody declared the NaN, and the overview took them into its means by its own rule."""
    values = np.random.default_rng(0).uniform(1, 900, (2, 64, 64)).astype(np.float32)
    values[1, ::2, ::2] = np.nan  # a quarter of every larger pixel
    path = write_tif(tmp_path / "a.tif", values, overviews=[2])
    at_once, after = read_window(path, gsd_m=20), read_window(path).resample(gsd_m=20)
    assert after.valid.all()
    np.testing.assert_array_equal(at_once.valid, after.valid)
    np.testing.assert_allclose(at_once.array, after.array, rtol=1e-6)
