import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform
from shapely.geometry import shape

from rsedu.errors import InputError
from rsedu.scenes.grid import Grid, hectares
from rsedu.segment.export import Segment, polygon, write_geojson, write_geotiff

UTM = CRS.from_epsg(32720)
GRID = Grid(transform=Affine(10, 0, 400_000, 0, -10, 8_900_000), crs=UTM, shape=(30, 40))
NOWHERE = Grid(transform=Affine(10, 0, 0, 0, -10, 300), crs=None, shape=(30, 40))


def _mask() -> np.ndarray:
    mask = np.zeros((30, 40), dtype=bool)
    mask[5:15, 8:28] = True
    mask[8:10, 12:16] = False  # a hole of eight pixels
    return mask


def test_the_polygon_runs_along_the_pixels_and_has_the_hole() -> None:
    found = polygon(_mask(), GRID)
    assert found.bounds == (400_080.0, 8_899_850.0, 400_280.0, 8_899_950.0)
    assert found.area == pytest.approx(19_200)
    assert len(found.interiors) == 1
    assert hectares(_mask(), GRID.gsd_m) == pytest.approx(192 * 100 / 10_000)


def test_geojson_is_in_degrees_and_comes_back_to_the_place(tmp_path: Path) -> None:
    segment = Segment(mask=_mask(), label="clearing", score=0.81234, properties={"kept": True})
    path = write_geojson(tmp_path / "out.geojson", [segment, segment], GRID)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["scene_crs"] == "EPSG:32720"
    assert "crs" not in written  # longitude and latitude is what the format means without it
    first, second = written["features"]
    assert first["properties"] == {
        "kept": True,
        "object": 1,
        "label": "clearing",
        "hectares": 1.92,
        "predicted_iou": 0.8123,
    }
    assert second["properties"]["object"] == 2
    lon, lat = np.transpose(first["geometry"]["coordinates"][0])
    x, y = transform(CRS.from_epsg(4326), UTM, lon, lat)
    assert (min(x), max(x)) == pytest.approx((400_080, 400_280), abs=0.05)
    assert (min(y), max(y)) == pytest.approx((8_899_850, 8_899_950), abs=0.05)


def _turn(ring: Sequence[Sequence[float]]) -> float:
    """Twice the signed area (shoelace): above 0 for a counter-clockwise ring."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in itertools.pairwise(ring))


@pytest.mark.parametrize("parts", [1, 2])
def test_rings_run_as_the_format_demands(tmp_path: Path, parts: int) -> None:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[1:8, 1:8] = True
    mask[3:5, 3:5] = False
    mask[10, 1:4] = parts == 2
    path = write_geojson(tmp_path / "fields.geojson", [Segment(mask=mask)], GRID)
    geometry = json.loads(path.read_text())["features"][0]["geometry"]
    several = geometry["type"] == "MultiPolygon"
    polygons = geometry["coordinates"] if several else [geometry["coordinates"]]
    assert len(polygons) == parts and max(len(rings) for rings in polygons) == 2
    for exterior, *holes in polygons:
        west, south = exterior[0]
        rings = [[(x - west, y - south) for x, y in ring] for ring in (exterior, *holes)]
        assert _turn(rings[0]) > 0 and all(_turn(hole) < 0 for hole in rings[1:])


def test_infinity_is_refused_since_json_has_no_word_for_it(tmp_path: Path) -> None:
    mask = np.ones(GRID.shape, dtype=bool)
    for facts in ({"score": float("inf")}, {"properties": {"ndvi": float("inf")}}):
        with pytest.raises(InputError, match="JSON has no word for"):
            write_geojson(tmp_path / "a", [Segment(mask=mask, **facts)], GRID)
    assert not (tmp_path / "a").exists()


def test_properties_that_numpy_made_are_numbers_and_nan_is_null(tmp_path: Path) -> None:
    facts = {
        "pixels": (np.int64(9), 9),
        "ndvi": (np.float32(0.5), 0.5),
        "sure": (np.bool_(True), True),
        "unknown": (np.float32("nan"), None),
        "none": (float("nan"), None),
        "bands": (np.array([1.5, np.nan]), [1.5, None]),
        "by": ({"year": (np.uint16(2020), "x")}, {"year": [2020, "x"]}),
    }
    segment = Segment(mask=_mask(), properties={name: came for name, (came, _) in facts.items()})
    path = write_geojson(tmp_path / "out.geojson", [segment], GRID)
    found = json.loads(path.read_text())["features"][0]["properties"]
    assert {name: found[name] for name in facts} == {
        name: want for name, (_, want) in facts.items()
    }
    assert found["sure"] is True


@pytest.mark.parametrize("yes", [1, 255])
def test_a_mask_of_numbers_has_the_same_hectares_outline_and_band(tmp_path: Path, yes: int) -> None:
    mask = _mask().astype(np.uint8) * np.uint8(yes)
    assert hectares(mask, GRID.gsd_m) == 1.92
    assert polygon(mask, GRID).equals(polygon(_mask(), GRID))
    path = write_geotiff(tmp_path / "out.tif", [Segment(mask=mask)], GRID)
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(1), _mask())


def test_geojson_without_a_place_is_in_metres(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "out.geojson", [Segment(mask=_mask())], NOWHERE)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["scene_crs"] is None
    assert written["crs"] is None
    assert written["features"][0]["properties"]["predicted_iou"] is None
    assert shape(written["features"][0]["geometry"]).bounds == (80.0, 150.0, 280.0, 250.0)


def test_geotiff_numbers_the_objects_at_their_place(tmp_path: Path) -> None:
    other = np.zeros((30, 40), dtype=bool)
    other[12:20, 0:10] = True
    path = write_geotiff(
        tmp_path / "out.tif",
        [Segment(mask=_mask(), label="clearing"), Segment(mask=other, label="lake")],
        GRID,
    )
    with rasterio.open(path) as file:
        numbers, tags = file.read(1), file.tags()
        assert file.crs == UTM and file.transform == GRID.transform
    np.testing.assert_array_equal(numbers == 2, other)
    np.testing.assert_array_equal(numbers == 1, _mask() & ~other)
    assert (tags["LABEL_1"], tags["LABEL_2"]) == ("clearing", "lake")


def test_empty_masks_and_other_grids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        polygon(_mask() & False, GRID)
    with pytest.raises(InputError, match="not on this grid"):
        write_geotiff(tmp_path / "x.tif", [Segment(mask=_mask()[1:])], GRID)
    assert not list(tmp_path.iterdir())
