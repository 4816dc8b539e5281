import bz2
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from rasterio.io import MemoryFile

from rsedu.errors import BrokenDataError, MissingDataError
from rsedu.scenes import samples
from rsedu.scenes.bands import S2, S2_BANDS
from rsedu.scenes.indices import ndvi
from rsedu.scenes.samples import clearing, pairs

NAMES = (
    "finland-lake",
    "austria-fields",
    "portugal-winter",
    "ireland-pasture",
    "ireland-arable",
    "finland-snow",
)


@pytest.fixture(params=NAMES)
def pair(request: pytest.FixtureRequest) -> samples.Pair:
    return next(pair for pair in pairs() if pair.name == request.param)


@pytest.fixture
def _nothing_read_yet() -> Iterator[None]:
    pairs.cache_clear()
    clearing.cache_clear()
    yield
    pairs.cache_clear()
    clearing.cache_clear()


def installed(*path: str) -> Path:
    return Path(str(distribution("bigearthnet-common").locate_file("/".join(path))))


def test_six_pairs_in_a_fixed_order() -> None:
    assert [pair.name for pair in pairs()] == list(NAMES)
    assert pairs() is pairs()


def test_both_sensors_lie_on_the_same_pixels(pair: samples.Pair) -> None:
    assert pair.optical.grid == pair.radar.grid
    assert pair.optical.shape == (120, 120) and pair.optical.gsd_m == 10
    assert pair.optical.bands == S2_BANDS and pair.radar.bands == ("VV", "VH")
    assert pair.radar.units == ("sigma0_db", "sigma0_db")
    assert not pair.optical.is_masked and not pair.radar.is_masked
    assert abs(pair.optical_date - pair.radar_date) <= timedelta(days=1)


def test_values_are_the_files_own(pair: samples.Pair) -> None:
    files = samples._unpacked("BigEarthNet-S2-Example.tar.bz2")[pair.patch]
    for name in S2_BANDS:
        with MemoryFile(files[f"{name}.tif"]) as memory, memory.open() as source:
            stored = source.read(1) / 10_000
        fine = pair.optical.band(name)
        if S2[name].native_gsd_m == 10:
            np.testing.assert_allclose(fine, stored, rtol=1e-6)
        else:
            assert stored.min() - 1e-6 <= fine.min() and fine.max() <= stored.max() + 1e-6
            assert fine.mean() == pytest.approx(stored.mean(), rel=0.02)


def test_the_metadata_agrees(pair: samples.Pair) -> None:
    told = json.loads(
        samples._unpacked("BigEarthNet-S2-Example.tar.bz2")[pair.patch]["metadata.json"]
    )
    at = told["coordinates"]
    assert pair.optical.bounds == (at["ulx"], at["lry"], at["lrx"], at["uly"])
    assert pair.labels == tuple(told["labels"])
    assert pair.optical_date.strftime("%Y%m%d") in pair.patch


def test_names_and_snow_agree_with_the_packages_own_tables() -> None:
    table = installed("bigearthnet_common", "s1_s2_name_country_season.csv.bz2").read_bytes()
    lines = bz2.decompress(table).decode().splitlines()
    wanted = {pair.patch: pair for pair in pairs()}
    countries = {row[1]: row[2] for row in (line.split(",") for line in lines) if row[1] in wanted}
    snow = bz2.decompress(
        installed("bigearthnet_common", "patches_with_seasonal_snow.csv.bz2").read_bytes()
    )
    under_snow = set(snow.decode().split())
    for patch, pair in wanted.items():
        assert pair.snow == (patch in under_snow)
        if patch in countries:
            assert pair.name.split("-")[0] == countries[patch].lower()
    assert len(countries) >= 3


def test_radar_and_optical_see_the_same_lake() -> None:
    """Water is dark to both: an independent sign that the two are not shifted or flipped."""
    pair = pairs()[0]
    water = pair.optical.band("B08") < 0.05
    assert 100 < water.sum() < 14_000

    def contrast(dark: np.ndarray) -> float:
        vh = pair.radar.band("VH")
        return float(vh[~dark].mean() - vh[dark].mean())

    assert contrast(water) > 5
    for moved in (water[::-1], water[:, ::-1], water.T):
        assert contrast(water) > contrast(moved) + 2


def test_the_clearing_scene() -> None:
    scene = clearing()
    assert scene.bands == ("B02", "B03", "B04", "B08") and scene.shape == (300, 300)
    assert scene.crs is None and scene.bounds == (0, 0, 3000, 3000)
    np.testing.assert_allclose(
        scene.array.min(axis=(1, 2)) * 10_000, [182, 252, 190, 133], atol=0.01
    )
    assert np.median(ndvi(scene)) > 0.3


def test_an_offset_would_make_the_clearings_blue_negative() -> None:
    assert (clearing().band("B02") - 0.1 < 0).mean() > 0.99


def test_the_packages_code_is_not_imported() -> None:
    program = (
        "import sys; from rsedu.scenes.samples import clearing, pairs; pairs(); clearing(); "
        "print([m for m in sys.modules if m.startswith(('spyndex', 'bigearthnet', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.usefixtures("_nothing_read_yet")
def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda _: None)
    with pytest.raises(MissingDataError, match="pip install bigearthnet-common"):
        pairs()


def test_a_missing_file_says_so() -> None:
    with pytest.raises(MissingDataError, match="force-reinstall spyndex"):
        samples._data_file("spyndex", "spyndex", "data", "none.json")


@pytest.mark.parametrize("content", [b"", b"BZh9 no", b"[1, 2", b"[[1, 2], [3, 4]]", b'{"a": 1}'])
@pytest.mark.usefixtures("_nothing_read_yet")
def test_damaged_files_say_so(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(samples, "_data_file", lambda *_: content)
    with pytest.raises(BrokenDataError, match="spyndex is damaged"):
        clearing()
    with pytest.raises(BrokenDataError, match="bigearthnet-common is damaged"):
        pairs()


@pytest.mark.usefixtures("_nothing_read_yet")
def test_half_an_archive_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = installed("bigearthnet_common", "BigEarthNet-S2-Example.tar.bz2").read_bytes()
    monkeypatch.setattr(samples, "_data_file", lambda *_: whole[: len(whole) // 2])
    with pytest.raises(BrokenDataError, match="damaged"):
        pairs()
