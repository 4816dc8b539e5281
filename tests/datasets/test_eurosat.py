from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from rsedu.datasets.eurosat import (
    STORED,
    arrays,
    b8a_at,
    pairs,
    read_optical,
    read_pair,
    read_radar,
)
from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes.bands import S2, S2_BANDS
from rsedu.scenes.samples import pairs as samples

NUMBER = {name: i for i, name in enumerate(STORED)}


def _write(path: Path, array: np.ndarray, *, crs: str | None = "EPSG:32720") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, rows, cols = array.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=bands,
        height=rows,
        width=cols,
        dtype=array.dtype.name,
        crs=crs,
        transform=Affine(10.003, 0, 500_000, 0, -9.997, 8_000_000),
    ) as file:
        file.write(array)
    return path


def _numbered() -> np.ndarray:
    """Bands that hold their own number, x 1000, in the file's order."""
    return np.stack([np.full((64, 64), 1000 * (i + 1), np.uint16) for i in range(13)])


def _real(order: tuple[str, ...], which: int = 0) -> np.ndarray:
    """A real Sentinel-2 sample in an order of 13 bands, with an empty B10."""
    optical = samples()[which].optical
    dark = np.full(optical.shape, 0.001, np.float32)
    stack = [dark if name == "B10" else optical.band(name) for name in order]
    return np.round(np.stack(stack) * 10_000).astype(np.uint16)


def test_b8a_comes_last_and_is_moved_behind_b08(tmp_path: Path) -> None:
    scene = read_optical(_write(tmp_path / "Forest" / "Forest_1.tif", _numbered()))
    assert scene.bands == tuple(S2) and scene.units == ("reflectance",) * 13
    assert scene.bands.index("B8A") == scene.bands.index("B08") + 1
    for name in S2:
        assert scene.band(name)[0, 0] == pytest.approx((NUMBER[name] + 1) / 10)
    assert scene.select(*S2_BANDS).array[8, 0, 0] == pytest.approx(1.3)
    assert scene.gsd_m == 10 and scene.transform @ (0, 0) == (500_000, 8_000_000)


def test_a_pixel_without_data_is_not_valid(tmp_path: Path) -> None:
    array = _numbered()
    array[0, 2, 3] = 0
    path = _write(tmp_path / "Forest" / "Forest_1.tif", array)
    with rasterio.open(path, "r+") as file:
        file.nodata = 0
    assert np.argwhere(~read_optical(path).valid).tolist() == [[2, 3]]


@pytest.mark.parametrize("which", range(6))
def test_real_pixels_tell_where_b8a_is(which: int) -> None:
    naive = tuple(S2)
    right = b8a_at(_real(STORED, which).astype(np.float32))
    wrong = b8a_at(_real(naive, which).astype(np.float32))
    assert right in ("last", "unknown") and wrong in ("after B08", "unknown")


@pytest.mark.parametrize(
    ("behind", "last", "place"),
    [
        (0.89, 0.5, "unknown"),
        (0.91, 0.5, "after B08"),
        (0.5, 0.91, "last"),
        (0.95, 0.932, "unknown"),
        (0.95, 0.928, "after B08"),
        (0.928, 0.95, "last"),
    ],
)
def test_the_order_is_told_by_a_high_correlation_that_is_clearly_higher(
    behind: float, last: float, place: str
) -> None:
    near, other = np.array([[1, -1, 1, -1], [1, 1, -1, -1]], np.float32)  # uncorrelated
    array = np.zeros((13, 2, 2), np.float32)
    array[7] = near.reshape(2, 2)
    for at, correlation in ((8, behind), (12, last)):
        mixed = correlation * near + np.sqrt(1 - correlation**2) * other
        array[at] = mixed.reshape(2, 2)
    assert b8a_at(array) == place
    array[7] = 0.3
    assert b8a_at(array) == "unknown"


def test_at_least_half_of_the_real_samples_decide() -> None:
    told = [b8a_at(_real(STORED, which).astype(np.float32)) for which in range(6)]
    assert told.count("last") >= 3


def test_a_copy_in_another_order_is_refused(tmp_path: Path) -> None:
    told = [b8a_at(_real(STORED, which).astype(np.float32)) for which in range(6)]
    which = told.index("last")
    good = read_optical(_write(tmp_path / "good.tif", _real(STORED, which)))
    truth = samples()[which].optical
    np.testing.assert_allclose(good.band("B8A"), truth.band("B8A"), atol=1e-4)
    with pytest.raises(BrokenDataError, match="stores B8A there and not last"):
        read_optical(_write(tmp_path / "bad.tif", _real(tuple(S2), which)))


def test_radar_is_in_db_whatever_the_file_holds(tmp_path: Path) -> None:
    db = np.stack([np.full((64, 64), -10.0, np.float32), np.full((64, 64), -20.0, np.float32)])
    for name, values in (("db.tif", db), ("power.tif", (10 ** (db / 10)).astype(np.float32))):
        scene = read_radar(_write(tmp_path / name, values))
        assert scene.units == ("sigma0_db", "sigma0_db") and scene.bands == ("VV", "VH")
        np.testing.assert_allclose(scene.band("VV"), -10, atol=1e-4)
        np.testing.assert_allclose(scene.band("VH"), -20, atol=1e-4)


def test_pairs_go_by_name_and_class(tmp_path: Path) -> None:
    radar = np.full((2, 64, 64), -12.0, np.float32)
    for label, number in (("Forest", 1), ("River", 2)):
        _write(tmp_path / "ms" / "x" / label / f"{label}_{number}.tif", _numbered())
        _write(tmp_path / "sar" / label / f"{label}_{number}.tif", radar)
    _write(tmp_path / "ms" / "x" / "Forest" / "Forest_9.tif", _numbered())
    found = pairs(tmp_path / "ms", tmp_path / "sar")
    patches = [read_pair(each) for each in found]
    assert [(patch.name, patch.label) for patch in patches] == [
        ("Forest_1", "Forest"),
        ("River_2", "River"),
    ]
    optical, backscatter, labels = arrays(patches)
    assert optical.shape == (2, 13, 64, 64) and backscatter.shape == (2, 2, 64, 64)
    assert labels == ("Forest", "River") and (backscatter == -12).all()
    with pytest.raises(InputError, match="no pair"):
        read_pair((found[0][0], found[1][1]))
    with pytest.raises(InputError, match="no patch"):
        arrays([])


def test_what_does_not_fit_says_so(tmp_path: Path) -> None:
    _write(tmp_path / "ms" / "A_1.tif", _numbered())
    _write(tmp_path / "sar" / "A_2.tif", _numbered()[:2])
    with pytest.raises(MissingDataError, match="same --subset and --seed"):
        pairs(tmp_path / "ms", tmp_path / "sar")
    with pytest.raises(MissingDataError, match="no folder"):
        pairs(tmp_path / "none", tmp_path / "sar")
    with pytest.raises(BrokenDataError, match="has 2 bands; wanted 13"):
        read_optical(tmp_path / "sar" / "A_2.tif")
    with pytest.raises(BrokenDataError, match="has 13 bands; wanted 2"):
        read_radar(tmp_path / "ms" / "A_1.tif")
    degrees = _write(tmp_path / "d.tif", _numbered(), crs="EPSG:4326")
    assert read_optical(degrees).crs is None
