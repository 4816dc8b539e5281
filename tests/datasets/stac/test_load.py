import json
import os
import shutil
import socket
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.warp import Resampling, reproject, transform_bounds

from rsedu.datasets.stac import load
from rsedu.datasets.stac.load import Fetched, candidates, grid_of, load_scenes
from rsedu.datasets.stac.query import Query
from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.http import RetryPolicy
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.scene import Scene


@pytest.fixture
def get(stac: Any, request_: Query, folder: Path, quick: RetryPolicy) -> Any:
    def call(**changes: Any) -> Fetched:
        settings = {"catalogue": stac.catalogue, "folder": folder, "patience": quick, **changes}
        return load_scenes(settings.pop("request", request_), **settings)

    return call


def _nothing_is_left(folder: Path) -> bool:
    return not folder.parent.exists() or not list(folder.parent.iterdir())


def _is_whole(found: Fetched) -> bool:
    names = sorted(path.name for path in found.folder.iterdir())
    return names == ["optical.tif", "radar.tif", "scene.json"] and bool(found.optical.valid.all())


def test_the_grid_is_the_utm_zone_s_own() -> None:
    grid = grid_of(Query(bbox=(-63.9, -9.99, -63.89, -9.98), dates="2023-01-01/2023-01-02"))
    assert grid.crs == CRS.from_epsg(32720) and grid.gsd_m == 10
    assert all(edge % 10 == 0 for edge in grid.bounds)
    assert 105 <= grid.shape[1] <= 115


@pytest.mark.parametrize(
    ("bbox", "code"),
    [
        pytest.param((3.0, 60.0, 3.01, 60.01), 32631, id="north of the equator"),
        pytest.param((5.9, 50.0, 6.3, 50.1), 32632, id="begins in the zone before its middle"),
        pytest.param((5.7, 50.0, 6.1, 50.1), 32631, id="ends in the zone after its middle"),
        pytest.param((5.9, 50.0, 6.1, 50.1), 32632, id="its middle on the border"),
        pytest.param((9.0, -0.1, 9.1, 0.2), 32632, id="across the equator, more of it north"),
        pytest.param((9.0, -0.2, 9.1, 0.1), 32732, id="across the equator, more of it south"),
        pytest.param((-180.0, 10.0, -179.9, 10.1), 32601, id="the first zone"),
        pytest.param((179.9, 10.0, 180.0, 10.1), 32660, id="the last zone"),
    ],
)
def test_the_zone_is_that_of_the_middle(bbox: tuple[float, ...], code: int) -> None:
    assert grid_of(Query(bbox=bbox, dates="2023-01-01/2023-01-02")).crs == CRS.from_epsg(code)


def test_the_pixels_are_those_that_were_stored(get: Any, optical: Scene, radar: Scene) -> None:
    found = get()
    west, south, east, north = found.optical.bounds
    truth = optical.window(found.optical.bounds)
    assert truth.grid.matches(found.optical.grid)
    assert found.optical.bands == S2_BANDS and found.optical.units == ("reflectance",) * 12
    for name in ("B02", "B03", "B04", "B08"):
        np.testing.assert_allclose(found.optical.band(name), truth.band(name), atol=6e-5)
    for name in ("B05", "B11", "B01"):  # interpolated, so alike only on average
        assert abs(found.optical.band(name).mean() - truth.band(name).mean()) < 0.004
        assert np.corrcoef(found.optical.band(name).ravel(), truth.band(name).ravel())[0, 1] > 0.6
    assert found.radar.grid.matches(found.optical.grid)
    np.testing.assert_allclose(
        found.radar.array, radar.window((west, south, east, north)).array, atol=1e-3
    )
    assert found.radar.units == ("sigma0_db", "sigma0_db")


def test_bytes_are_counted_and_only_the_window_is_read(
    web: Any, get: Any, cogs: dict[str, bytes]
) -> None:
    ranges = web.sent
    found = get()
    searched = sum(len(web.files[path]) for path in ("/stac", "/stac/search"))
    whole = sum(map(len, cogs.values()))
    assert found.bytes_whole == whole
    assert 0 < found.bytes_read < 0.6 * whole
    assert web.sent - ranges - found.bytes_read < 4 * searched
    ranges_asked = [each for each in web.asked if each[0].endswith(".tif")]
    assert all(wanted for _, wanted in ranges_asked)
    assert len(set(ranges_asked)) == len(ranges_asked)  # nothing is fetched twice


def test_what_was_fetched_once_needs_no_network(web: Any, get: Any) -> None:
    first = get()
    asked = len(web.asked)
    again = get()
    assert len(web.asked) == asked and again.bytes_read == 0
    np.testing.assert_array_equal(again.optical.array, first.optical.array)
    np.testing.assert_array_equal(again.radar.array, first.radar.array)
    assert again.facts == first.facts
    assert first.facts["attribution"] == "Contains modified Copernicus Sentinel data 2023"
    assert first.facts["items"]["optical"]["id"] == "S2_CLEAR"


def test_the_folder_is_named_by_the_request(get: Any, request_: Query) -> None:
    one, other = get(folder=None), get(folder=None, request=replace(request_, max_cloud=30))
    assert one.folder.parent == load.FOLDER and one.folder != other.folder


@pytest.mark.parametrize(
    ("properties", "offset"),
    [
        ({"s2:processing_baseline": "05.09"}, -0.1),
        ({"s2:processing_baseline": "04.00"}, -0.1),
        ({"s2:processing_baseline": "03.01"}, 0.0),
        ({"processing:baseline": "04.00"}, -0.1),
        ({"s2:processing_baseline": "05.00", "earthsearch:boa_offset_applied": True}, 0.0),
        ({"s2:processing_baseline": "05.00", "earthsearch:boa_offset_applied": False}, -0.1),
    ],
)
def test_the_offset_follows_the_baseline(
    stac: Any, get: Any, optical: Scene, properties: dict[str, Any], offset: float
) -> None:
    del stac.optical["properties"]["s2:processing_baseline"]
    stac.optical["properties"].update(properties)
    found = get().optical
    truth = optical.window(found.bounds).band("B04") + 0.1 + offset
    np.testing.assert_allclose(found.band("B04"), truth, atol=6e-5)


def test_colours_are_bands_too(stac: Any, get: Any) -> None:
    bands = get(folder=Path("a")).optical
    assets = stac.optical["assets"]
    stac.optical["assets"] = {load._COLOURS[name]: assets[name] for name in S2_BANDS}
    np.testing.assert_array_equal(get(folder=Path("b")).optical.array, bands.array)


def test_the_clearest_comes_first_and_the_radar_nearest_to_it(
    stac: Any, request_: Query, get: Any, quick: RetryPolicy
) -> None:
    def like(item: dict[str, Any], name: str, **properties: Any) -> dict[str, Any]:
        return {**item, "id": name, "properties": {**item["properties"], **properties}}

    cloudy = {"eo:cloud_cover": 21.0, "datetime": "2023-06-30T14:00:00Z"}
    clear = {"eo:cloud_cover": 1.0, "datetime": "2023-08-20T14:00:00Z"}
    stac.items["sentinel-2-l2a"] += [
        like(stac.optical, "S2_CLOUDY", **cloudy),
        like(stac.optical, "S2_CLEARER", **clear),
    ]
    silent = like(stac.optical, "S2_SILENT")
    del silent["properties"]["eo:cloud_cover"]
    stac.items["sentinel-2-l2a"].append(silent)
    later = like(stac.radar, "S1_LATER", datetime="2023-08-18T10:00:00Z")
    stac.items["sentinel-1-rtc"].append(later)
    items, _ = candidates(request_, stac.catalogue, patience=quick)
    assert [item.id for item in items] == ["S2_CLEARER", "S2_CLEAR"]
    found = get()
    assert found.facts["items"]["optical"]["id"] == "S2_CLEARER"
    assert found.facts["items"]["radar"]["id"] == "S1_LATER"


def test_optical_alone_where_radar_is_not_open(stac: Any, get: Any) -> None:
    found = get(catalogue=replace(stac.catalogue, radar=""))
    assert found.radar is None and get(catalogue=replace(stac.catalogue, radar="")).radar is None
    assert {posted["collections"][0] for posted in stac.posted} == {"sentinel-2-l2a"}


def _blank(content: bytes, west: float | None = None) -> bytes:
    """The same file with no data, or moved elsewhere."""
    with rasterio.MemoryFile(content) as memory, memory.open() as source:
        profile, values = {**source.profile, "driver": "GTiff"}, source.read()
    if west is None:
        values[:] = 0
    else:
        profile["transform"] = rasterio.Affine(
            profile["transform"].a, 0, west, 0, profile["transform"].e, 8_900_000
        )
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(values)
        return bytes(memory.read())


def test_a_scene_that_saw_nothing_is_passed_over(
    stac: Any, web: Any, get: Any, cogs: dict[str, bytes]
) -> None:
    for name, west in (("dark", None), ("far", 700_000.0)):
        web.files[f"/{name}/B01.tif"] = _blank(cogs["B01"], west)
        blind = {**stac.optical["assets"], "B01": {"href": f"{web.base}/{name}/B01.tif"}}
        facts = {**stac.optical["properties"], "eo:cloud_cover": 0.5}
        stac.items["sentinel-2-l2a"].append(
            {**stac.optical, "id": name, "assets": blind, "properties": facts}
        )
    assert get().facts["items"]["optical"]["id"] == "S2_CLEAR"


def test_a_scene_of_another_zone_comes_onto_the_same_grid(
    stac: Any, web: Any, get: Any, optical: Scene
) -> None:
    part = optical.select("B04")
    west, south, east, north = transform_bounds(part.crs, "EPSG:32719", *part.bounds)
    transform = rasterio.Affine(10, 0, west, 0, -10, north)
    rows, cols = int((north - south) / 10), int((east - west) / 10)
    values = np.zeros((1, rows, cols), np.float32)
    reproject(
        part.array,
        values,
        src_transform=part.transform,
        src_crs=part.crs,
        dst_transform=transform,
        dst_crs="EPSG:32719",
        resampling=Resampling.bilinear,
    )
    profile = {"driver": "GTiff", "count": 1, "height": rows, "width": cols, "dtype": "uint16"}
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile, crs="EPSG:32719", transform=transform) as file:
            file.write(np.round(values * 10_000 + 1000).astype(np.uint16))
        web.files["/cog/B04.tif"] = bytes(memory.read())
    found = get().optical
    truth = optical.window(found.bounds).band("B04")
    assert found.crs == CRS.from_epsg(32720)
    assert np.corrcoef(found.band("B04").ravel(), truth.ravel())[0, 1] > 0.9


def _tree(band: str) -> str:
    return f"/cog/{band}.tif"


# Where a fault strikes, what it is, how often; then the error, and what it says.
FAULTS: dict[str, tuple[str, str, int, type[Exception], str]] = {
    "catalogue gone": ("/stac", "404", 1, MissingDataError, "answered 404; there is no such"),
    "catalogue broken": ("/stac", "500", 3, MissingDataError, "answered 500 .*, 3 times"),
    "catalogue busy": ("/stac/search", "429", 3, MissingDataError, "answered 429 .*, 3 times"),
    "catalogue stalled": ("/stac/search", "stalled", 3, MissingDataError, "nothing for 0.3 s, 3"),
    "catalogue is a web page": ("/stac", "html", 1, BrokenDataError, "sent a web page"),
    "search is a web page": ("/stac/search", "html", 1, BrokenDataError, "sent a web page"),
    "search is no JSON": ("/stac/search", "garbage", 1, BrokenDataError, "as a STAC catalogue"),
    "catalogue is no JSON": ("/stac", "garbage", 1, BrokenDataError, "as a STAC catalogue does"),
    "pixels gone": (_tree("B04"), "404", 1, MissingDataError, r"B04\.tif .*answered 404"),
    "pixels refused": (_tree("B04"), "403", 2, MissingDataError, "signed address may have exp"),
    "pixels broken": (_tree("VH"), "503", 3, MissingDataError, "answered 503 .*, 3 times"),
    "pixels truncated": (_tree("B08"), "truncated", 3, MissingDataError, r"after \d+ of \d+ by"),
    "pixels stalled": (_tree("B08"), "stalled", 3, MissingDataError, "sent nothing for 0.3 s"),
    "pixels reset": (_tree("VV"), "reset", 3, MissingDataError, "3 times"),
    "pixels too short": (_tree("B02"), "too long", 3, MissingDataError, r"ended after \d+ of"),
    "pixels altered": (_tree("B02"), "altered", 9, BrokenDataError, "cannot be read as a raster"),
    "pixels are a web page": (_tree("B03"), "html", 1, BrokenDataError, "sent a web page"),
    "no ranges": (_tree("B03"), "no ranges", 1, BrokenDataError, "sends whole files only"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_message_and_the_next_run_succeeds(
    web: Any, get: Any, folder: Path, name: str
) -> None:
    path, fault, times, error, message = FAULTS[name]
    web.faults[path] = [fault] * times
    with pytest.raises(error, match=message) as raised:
        get()
    assert "\n" not in str(raised.value)
    assert _nothing_is_left(folder)
    web.faults = {}
    assert _is_whole(get())


@pytest.mark.parametrize("fault", ["500", "429", "stalled", "truncated", "reset", "too long"])
def test_what_passes_is_outlasted(web: Any, get: Any, fault: str) -> None:
    web.faults = {"/stac/search": [fault], _tree("B04"): [fault], _tree("VV"): [fault]}
    assert _is_whole(get())
    assert web.faults == {"/stac/search": [], _tree("B04"): [], _tree("VV"): []}


def test_a_file_that_changes_in_between_is_not_glued(web: Any, get: Any, folder: Path) -> None:
    web.faults[_tree("B08")] = ["", "changed"]
    with pytest.raises(BrokenDataError, match="changed on the server while it was read"):
        get()
    assert _nothing_is_left(folder)
    assert _is_whole(get())


def _signed(stac: Any, web: Any) -> Any:
    web.token = "sig=good"
    web.put_json("/token/sentinel-2-l2a", {"token": "sig=good", "msft:expiry": "2999-01-01T00:00Z"})
    web.put_json("/token/sentinel-1-rtc", {"token": "sig=good", "msft:expiry": "2999-01-01T00:00Z"})
    return replace(stac.catalogue, tokens=f"{web.base}/token", hosts="127.0.0.1")


def test_addresses_are_signed_once_per_collection(stac: Any, web: Any, get: Any) -> None:
    assert _is_whole(get(catalogue=_signed(stac, web)))
    assert sum(path.startswith("/token") for path, _ in web.asked) == 2


def test_an_expired_signature_is_renewed(stac: Any, web: Any, get: Any) -> None:
    catalogue = _signed(stac, web)
    web.faults[_tree("B08")] = ["", "403"]  # expires between two parts
    assert _is_whole(get(catalogue=catalogue))
    assert sum(path == "/token/sentinel-2-l2a" for path, _ in web.asked) == 2


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("500", MissingDataError, "token/sentinel-2-l2a could not be downloaded"),
        ("garbage", BrokenDataError, "did not answer with a signature"),
        ("404", MissingDataError, "token/sentinel-2-l2a .*answered 404"),
    ],
)
def test_a_signature_service_that_is_down_says_so(
    stac: Any, web: Any, get: Any, folder: Path, fault: str, error: type[Exception], message: str
) -> None:
    catalogue = _signed(stac, web)
    web.faults["/token/sentinel-2-l2a"] = [fault] * 3
    with pytest.raises(error, match=message):
        get(catalogue=catalogue)
    assert _nothing_is_left(folder)
    web.faults = {}
    assert _is_whole(get(catalogue=catalogue))


def test_a_wrong_signature_is_not_shown(stac: Any, web: Any, get: Any, folder: Path) -> None:
    catalogue = _signed(stac, web)
    web.token = "sig=other"
    with pytest.raises(MissingDataError, match="access is refused") as raised:
        get(catalogue=catalogue)
    assert "sig=" not in str(raised.value)
    assert _nothing_is_left(folder)


def test_no_network_and_an_unknown_server_say_so(
    stac: Any, get: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(MissingDataError, match="the connection was refused"):
        get(catalogue=replace(stac.catalogue, url=f"http://127.0.0.1:{port}/stac"))

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(MissingDataError, match="name of its server is not known"):
            get(catalogue=replace(stac.catalogue, url="http://stac.invalid/v1"))
    assert _nothing_is_left(folder)
    assert _is_whole(get())


def test_nothing_found_says_what_would_help(stac: Any, get: Any, folder: Path) -> None:
    stac.optical["properties"]["eo:cloud_cover"] = 70.0
    with pytest.raises(MissingDataError, match="the clearest of 1 has 70 %: choose more days"):
        get()
    kept = stac.items["sentinel-2-l2a"]
    stac.items["sentinel-2-l2a"] = []
    with pytest.raises(MissingDataError, match=r"no optical scene of .* with at most 20 % cloud:"):
        get()
    kept[0]["properties"]["eo:cloud_cover"] = 5.0
    stac.items["sentinel-2-l2a"] = kept
    radar, stac.items["sentinel-1-rtc"] = stac.items["sentinel-1-rtc"], []
    with pytest.raises(MissingDataError, match="no radar scene of"):
        get()
    assert _nothing_is_left(folder)
    stac.items["sentinel-1-rtc"] = radar
    assert _is_whole(get())


def test_a_scene_whose_cloud_is_not_told_counts_as_cloudy(
    stac: Any, get: Any, request_: Query
) -> None:
    kept = stac.optical["properties"].pop("eo:cloud_cover")
    silent = r"20 % cloud; 1 that do not tell their cloud pass at 100 % only: choose more days"
    with pytest.raises(MissingDataError, match=silent):
        get()
    assert get(request=replace(request_, max_cloud=100.0)).facts["items"]["optical"]["id"]
    cloudy = {**stac.optical, "id": "S2_ALL", "properties": dict(stac.optical["properties"])}
    cloudy["properties"]["eo:cloud_cover"] = 100.0
    stac.items["sentinel-2-l2a"].append(cloudy)
    found, _ = candidates(replace(request_, max_cloud=100.0), stac.catalogue)
    assert [item.id for item in found] == ["S2_ALL", "S2_CLEAR"]
    cloudy["properties"]["eo:cloud_cover"] = kept + 50
    with pytest.raises(MissingDataError, match="the clearest of 1 has 54 %; 1 that do not"):
        candidates(request_, stac.catalogue)


def test_an_item_without_a_band_says_which(stac: Any, get: Any, folder: Path) -> None:
    href = stac.optical["assets"].pop("B11")
    with pytest.raises(MissingDataError, match="S2_CLEAR has no file of B11; it has B01, B02"):
        get()
    assert _nothing_is_left(folder)
    stac.optical["assets"]["B11"] = href
    assert _is_whole(get())


def test_an_item_without_a_baseline_is_not_guessed(stac: Any, get: Any, folder: Path) -> None:
    told = stac.optical["properties"].pop("s2:processing_baseline")
    with pytest.raises(BrokenDataError, match="does not tell its processing baseline"):
        get()
    assert _nothing_is_left(folder)
    stac.optical["properties"]["s2:processing_baseline"] = told
    assert _is_whole(get())


@pytest.mark.parametrize("band", ["B01", "VV"])
def test_a_window_without_data_says_so(
    web: Any, get: Any, folder: Path, cogs: dict[str, bytes], band: str
) -> None:
    blank = _blank(cogs[band])
    if band == "VV":  # no power has no logarithm, but nodata is NaN
        with rasterio.MemoryFile(cogs[band]) as memory, memory.open() as source:
            profile = {**source.profile, "driver": "GTiff"}
            values = np.full(source.read().shape, np.nan, np.float32)
        with rasterio.MemoryFile() as memory:
            with memory.open(**profile) as file:
                file.write(values)
            blank = bytes(memory.read())
    web.files[_tree(band)] = blank
    with pytest.raises(MissingDataError, match="scenes observed a pixel of this place"):
        get()
    assert _nothing_is_left(folder)
    web.files[_tree(band)] = cogs[band]
    assert _is_whole(get())


def test_pages_in_circles_end(stac: Any, get: Any, folder: Path) -> None:
    stac.next = True
    with pytest.raises(BrokenDataError, match="page after page without an end"):
        get()
    assert _nothing_is_left(folder)
    stac.next = False
    assert _is_whole(get())


def test_a_small_disk_is_seen_before(
    web: Any, get: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1000))
        with pytest.raises(InputError, match=r"has 0\.0 MB free: make room"):
            get()
    assert not web.asked and _nothing_is_left(folder)
    assert _is_whole(get())


def test_a_folder_that_cannot_be_written_says_so(
    web: Any, get: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match="cannot be written"):
        get(folder=tmp_path / "file" / "scene")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)  # root may write anywhere
        with pytest.raises(InputError, match="no permission to write there"):
            get()
    assert not web.asked
    assert _is_whole(get())


@pytest.mark.parametrize("where", ["reading", "writing"])
def test_an_interrupt_leaves_nothing(
    get: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if where == "reading":
            patch.setattr(load, "read_onto", interrupted)
        else:
            patch.setattr(json, "dumps", _only_first(json.dumps))
        with pytest.raises(KeyboardInterrupt):
            get()
    assert _nothing_is_left(folder)
    assert _is_whole(get())


def _only_first(dumps: Any) -> Any:
    """json.dumps, until a scene's facts are to be written."""

    def call(value: Any, **settings: Any) -> str:
        if isinstance(value, dict) and "bytes_read" in value:
            raise KeyboardInterrupt
        return str(dumps(value, **settings))

    return call


def test_a_folder_of_another_request_is_left_alone(get: Any, folder: Path, request_: Query) -> None:
    get()
    with pytest.raises(InputError, match="holds the scene of another request"):
        get(request=replace(request_, dates="2023-06-01/2023-08-30"))
    other = folder.with_name("other")
    other.mkdir()
    (other / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="holds no scene of ours"):
        get(folder=other)
    assert (other / "mine.txt").read_text() == "keep"
