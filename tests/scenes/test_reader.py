import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as warp_points

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes.reader import read_onto, read_window
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
    with pytest.raises(InputError, match="B03 is B02; B02 is B03"):
        read_window(path, bands=["B03", "B02"])
    with pytest.raises(InputError, match="2 bands, but 1 names"):
        read_window(path, bands=["B02"])
    assert read_window(write_tif(tmp_path / "b.tif", array)).bands == ("band1", "band2")


def test_empty_window(cog: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(InputError, match="empty"):
        read_window(cog[0], rows=slice(5, 5))
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
