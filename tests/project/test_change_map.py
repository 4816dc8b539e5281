from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.project import change_map
from rsedu.project.place import Place

SMALL = Place(seed=3, size_m=100.0)  # 10 x 10 px


def store(path: Path, years: np.ndarray, place: Place = SMALL, **profile: Any) -> Path:
    """Write a file as another program would: no tags, no names of bands."""
    bands = years if years.ndim == 3 else years[None]
    grid = place.grid
    settings: dict[str, Any] = {
        "driver": "GTiff",
        "count": len(bands),
        "height": bands.shape[1],
        "width": bands.shape[2],
        "dtype": bands.dtype.name,
        "crs": grid.crs,
        "transform": grid.transform,
    }
    with rasterio.open(path, "w", **{**settings, **profile}) as file:
        file.write(bands)
    return path


@pytest.fixture
def years() -> np.ndarray:
    found = np.zeros((10, 10), dtype=np.float32)
    found[2, 3], found[4, 5] = 2021.25, 2024.75
    return found


def test_a_map_and_its_place_come_back(tmp_path: Path, place: Place, true: np.ndarray) -> None:
    path = change_map.write(tmp_path / "map.tif", true, place)
    assert Place.facts(change_map.tags(path)) == {
        "seed": 3, "size_m": 2000, "gsd_m": 10, "since": 2020.5, "until": 2025.5,
    }  # fmt: skip
    np.testing.assert_array_equal(change_map.read(path, place), true)


@given(
    arrays(
        np.float32,
        (10, 10),
        elements=st.one_of(st.just(np.float32(np.nan)), st.floats(2020.5, 2025.5, width=32)),
    ).filter(lambda years: bool(np.isfinite(years).any()))
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_decimal_years_round_trip(tmp_path: Path, years: np.ndarray) -> None:
    path = change_map.write(tmp_path / "map.tif", years, SMALL)
    np.testing.assert_array_equal(change_map.read(path, SMALL), years)


def test_zero_and_declared_nodata_both_mean_no_loss(tmp_path: Path, years: np.ndarray) -> None:
    plain = change_map.read(store(tmp_path / "plain.tif", years), SMALL)
    assert np.argwhere(np.isfinite(plain)).tolist() == [[2, 3], [4, 5]]
    assert plain[2, 3] == 2021.25
    for nodata in (-9999.0, np.nan, 255.0):
        other = np.where(years == 0, np.float32(nodata), years)
        other[9, 9] = 0
        found = change_map.read(store(tmp_path / "other.tif", other, nodata=nodata), SMALL)
        np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize("mask", ["inside", "alpha"])
def test_masked_pixels_are_no_loss_whatever_they_hold(
    tmp_path: Path, years: np.ndarray, mask: str
) -> None:
    valid = np.full((10, 10), 255, dtype=np.uint8)
    valid[7] = 0
    years[7, :2] = np.nan, 1850
    if mask == "alpha":  # is a mask beside whole numbers only
        years = np.stack([np.nan_to_num(years), valid]).astype(np.uint16)
    path = store(tmp_path / "map.tif", years)
    with rasterio.open(path, "r+") as file:
        if mask == "alpha":
            file.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
        else:
            file.write_mask(valid)
    found = change_map.read(path, SMALL)
    assert np.argwhere(np.isfinite(found)).tolist() == [[2, 3], [4, 5]]


def test_integers_are_calendar_years_and_stand_for_their_middle(tmp_path: Path) -> None:
    years = np.zeros((10, 10), dtype=np.int16)
    years[0, :6] = [2020, 2021, 2022, 2023, 2024, 2025]
    found = change_map.read(store(tmp_path / "map.tif", years), SMALL)
    # The period is 2020.5 to 2025.5, so of the first and the last year half counts.
    assert found[0, :6].tolist() == [2020.75, 2021.5, 2022.5, 2023.5, 2024.5, 2025.25]
    assert not np.isfinite(found[0, 6:]).any()
    # As floats the same numbers are moments.
    floats = years.astype(np.float32)
    floats[0, 0] = 0
    assert change_map.read(store(tmp_path / "map.tif", floats), SMALL)[0, 1] == 2021.0
    assert change_map.remark(found) == ""
    # The kit writes integers as integers.
    change_map.write(tmp_path / "own.tif", years.astype(np.int64), SMALL)
    np.testing.assert_array_equal(change_map.read(tmp_path / "own.tif", SMALL), found)


def test_whole_floats_are_remarked_on(tmp_path: Path, years: np.ndarray) -> None:
    assert change_map.remark(change_map.read(store(tmp_path / "map.tif", years), SMALL)) == ""
    years[years > 0] = 2022.0
    found = change_map.read(store(tmp_path / "map.tif", years), SMALL)
    assert "so 2022.0 was read as the first of January" in change_map.remark(found)


def test_the_band_called_year_is_taken_from_several(tmp_path: Path, years: np.ndarray) -> None:
    path = store(tmp_path / "map.tif", np.stack([np.ones_like(years), years]))
    with rasterio.open(path, "r+") as file:
        file.descriptions = ("score", "Year")
    assert np.isfinite(change_map.read(path, SMALL)).sum() == 2


def test_a_decimal_end_of_the_period_may_be_rounded(tmp_path: Path, years: np.ndarray) -> None:
    place = Place(seed=3, size_m=100.0, since=2020.7, until=2025.7)
    years[0, 0], years[0, 1] = 2020.7, 2025.7  # as float32 a little less
    years[0, 2] = np.nextafter(np.float32(2025.7), np.float32(3000))
    found = change_map.read(change_map.write(tmp_path / "map.tif", years, place), place)
    assert np.isfinite(found).sum() == 5


def _years(row: list[float], dtype: Any = np.float32) -> np.ndarray:
    """10 x 10 px, no loss but in the first of the northern row."""
    years = np.zeros((10, 10), dtype=dtype)
    years[0, : len(row)] = row
    return years


LOSS = _years([2021.25, 2024.75])
OWN = SMALL.grid.transform
PERIOD = "1 pixels with years outside the period of "
REFUSED: list[tuple[np.ndarray, dict[str, Any], str]] = [
    (LOSS, {"crs": "EPSG:32633"}, "is in EPSG:32633, the place in EPSG:32720: write"),
    (LOSS[1:], {}, "has 9 x 10 px, the place 10 x 10 px of 10 m"),
    (LOSS, {"transform": OWN @ Affine.translation(0.5, 0)}, "has its corner"),
    (LOSS, {"transform": OWN @ Affine.translation(0, 0.5)}, "has its corner"),
    (LOSS, {"transform": OWN @ Affine.translation(0.0011, 0)}, "has its corner"),
    (LOSS, {"transform": OWN @ Affine.scale(2, 1)}, "has its corner"),
    (LOSS, {"transform": OWN @ Affine.scale(1, 2)}, "has its corner"),
    (LOSS, {"transform": OWN @ Affine.translation(0, 10) @ Affine.scale(1, -1)}, "its corner"),
    (_years([]), {}, "shows no loss at all"),
    (_years([-1] * 10)[:1].repeat(10, 0), {"nodata": -1}, "shows no loss, or holds nodata only"),
    (_years([]), {"nodata": 0}, "shows no loss, or holds nodata only"),
    (_years([np.nan] * 3), {}, "NaN in 3 pixels and does not declare it"),
    (_years([np.nan] * 3), {"nodata": -1}, "NaN in 3 pixels"),
    (LOSS.astype(np.complex64), {}, "holds complex64"),
    (np.stack([LOSS, LOSS]), {}, "has 2 bands, of which 0 are called 'year'"),
    *((_years([year]), {}, f"{PERIOD}2020.5 to") for year in (3.0, 2020.498, -2021.0, np.inf)),
    (_years([2025.502]), {}, f"{PERIOD}2020.5 to 2025.5"),
    *(
        (_years([2023, year], np.int16), {}, f"{PERIOD}2020 to 2025")
        for year in (2019, 2026, 21, -5)
    ),
]


@pytest.mark.parametrize(("years", "profile", "message"), REFUSED)
def test_a_map_that_cannot_be_scored_is_refused(
    tmp_path: Path, years: np.ndarray, profile: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        change_map.read(store(tmp_path / "map.tif", years, **profile), SMALL)


def test_a_grid_within_a_thousandth_of_a_pixel_is_the_places(tmp_path: Path) -> None:
    near = OWN @ Affine.translation(0.0009, 0)
    path = store(tmp_path / "map.tif", LOSS, transform=near)
    assert np.isfinite(change_map.read(path, SMALL)).sum() == 2


def test_a_map_without_a_place_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.warns(NotGeoreferencedWarning):
        path = store(tmp_path / "map.tif", LOSS, crs=None, transform=None)
    with pytest.raises(InputError, match="is in no CRS at all, the place in EPSG:32720"):
        change_map.read(path, SMALL)


@pytest.mark.parametrize("year", [202206, 2**16 + 2022, 2**40])
def test_an_integer_too_large_for_a_year_is_not_wrapped(tmp_path: Path, year: int) -> None:
    path = change_map.write(tmp_path / "map.tif", _years([year], np.int64), SMALL)
    with pytest.raises(InputError, match=f"they run from {min(year, 2**31 - 1):.10g} to"):
        change_map.read(path, SMALL)


def test_missing_broken_and_cut_off_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="There is no file"):
        change_map.read(tmp_path / "none.tif", SMALL)
    (tmp_path / "text.tif").write_text("no map")
    with pytest.raises(BrokenDataError, match="cannot be read as a raster"):
        change_map.tags(tmp_path / "text.tif")
    path = store(tmp_path / "map.tif", LOSS)
    whole = path.read_bytes()
    for share in (0.2, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(BrokenDataError, match=r"cut off"):
            change_map.read(path, SMALL)


def test_a_map_of_another_shape_is_not_written(tmp_path: Path, years: np.ndarray) -> None:
    message = r"have \(9, 10\) \(rows, cols\), the place has \(10, 10\)"
    with pytest.raises(InputError, match=message):
        change_map.write(tmp_path / "map.tif", years[1:], SMALL)
    assert not list(tmp_path.iterdir())
