"""Files on the map: read by other programs at the right place, and read back the same."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as npst
from rasterio.crs import CRS

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes.grid import Grid
from rsedu.widget import persistence
from rsedu.widget.state import Box, Click, Kept, State

UTM = CRS.from_epsg(32631)
GRID = Grid(transform=Affine(10, 0, 500_000, 0, -10, 4_000_000), crs=UTM, shape=(6, 9))
NOWHERE = Grid(transform=Affine(2.5, 0, 0, 0, -2.5, 15), crs=None, shape=(6, 9))
CORNERS = np.zeros((6, 9), dtype=bool)
CORNERS[1:3, 2:6] = CORNERS[3, 6] = True  # a block, and a pixel that touches it at a corner
RING = np.zeros((6, 9), dtype=bool)
RING[0:4, 0:4] = True
RING[1:3, 1:3] = False


def kept(mask, label="farm", iou=0.75, steps=()) -> Kept:
    return Kept(mask=mask, label=label, iou=iou, steps=steps)


@pytest.mark.parametrize("mask", [CORNERS, RING])
def test_masks_follow_the_edges_of_pixels(mask):
    path = persistence.write_state(Path("a.geojson"), State(kept=(kept(mask),)), GRID)
    read = json.loads(path.read_text())
    shape = shapely.geometry.shape(read["features"][0]["geometry"])
    assert shape.is_valid
    assert shape.area == mask.sum() * 100
    rows, cols = np.mgrid[:6, :9]
    x, y = 500_000 + 10 * (cols + 0.5), 4_000_000 - 10 * (rows + 0.5)
    np.testing.assert_array_equal(shapely.contains_xy(shape, x, y), mask)
    assert CRS.from_user_input(read["crs"]["properties"]["name"]) == UTM


def test_masks_tell_label_hectares_and_number():
    state = State(kept=(kept(CORNERS), kept(RING, "lake")))
    path = persistence.write_state(Path("a.geojson"), state, GRID, at_hand=kept(RING))
    first, second, third = (one["properties"] for one in json.loads(path.read_text())["features"])
    assert first == {
        "role": "kept",
        "object": 1,
        "label": "farm",
        "hectares": 0.09,
        "predicted_iou": 0.75,
    }
    assert (second["label"], second["object"], second["hectares"]) == ("lake", 2, 0.12)
    assert (third["role"], third["object"]) == ("at hand", 0)


def test_a_plane_without_a_place_claims_none():
    path = persistence.write_state(Path("a.geojson"), State(kept=(kept(RING),)), NOWHERE)
    read = json.loads(path.read_text())
    assert read["crs"] is None
    shape = shapely.geometry.shape(read["features"][0]["geometry"])
    assert shape.bounds == (0, 5, 10, 15)


def test_a_crs_without_a_number_is_told_in_words():
    laea = CRS.from_proj4("+proj=laea +lat_0=12 +lon_0=34 +units=m +ellps=WGS84")
    grid = Grid(transform=GRID.transform, crs=laea, shape=(6, 9))
    state = State(kept=(kept(RING),))
    path = persistence.write_state(Path("a.geojson"), state, grid)
    assert CRS.from_wkt(json.loads(path.read_text())["crs"]["properties"]["name"]) == laea
    assert (persistence.read_state(path, grid).kept[0].mask == RING).all()


cols, rows = st.integers(0, 8), st.integers(0, 5)
fine = st.floats(0, 5).map(lambda number: round(number, 3))
clicks = st.builds(Click, col=cols | fine, row=rows | fine, positive=st.booleans())
boxes = st.builds(
    lambda left, top, wide, high: Box(left=left, top=top, right=left + wide, bottom=top + high),
    *(st.integers(0, 4), st.integers(0, 3), st.integers(1, 4), st.integers(1, 2)),
)
steps = st.lists(clicks | boxes, max_size=5).map(tuple)
masks = npst.arrays(bool, (6, 9)).filter(lambda mask: mask.any())
# Kept is built in the test: its checked annotation draws at random, which a strategy may not.
finished = st.tuples(masks, st.text(max_size=5), st.floats(0, 1), steps)


@given(
    steps,
    st.none() | st.integers(0, 2),
    st.lists(finished, max_size=3).map(tuple),
    st.sampled_from([GRID, NOWHERE]),
)
def test_a_state_comes_back_the_same(steps, choice, drawn, grid):
    objects = tuple(kept(mask, label, iou, at) for mask, label, iou, at in drawn)
    state = State(steps=steps, choice=choice, kept=objects)
    path = persistence.write_state(Path("state.geojson"), state, grid, at_hand=kept(RING))
    back = persistence.read_state(path, grid)
    assert (back.steps, back.choice) == (steps, choice)
    assert [(one.label, one.iou, one.steps) for one in back.kept] == [
        (one.label, one.iou, one.steps) for one in objects
    ]
    for one, other in zip(back.kept, objects, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)


def test_a_score_that_nobody_knows_comes_back_unknown():
    path = persistence.write_state(Path("a.geojson"), State(kept=(kept(RING, iou=math.nan),)), GRID)
    assert math.isnan(persistence.read_state(path, GRID).kept[0].iou)


def test_prompts_lie_at_pixel_centres_and_edges():
    state = State(
        steps=(Click(col=2, row=1, positive=False), Box(left=1, top=2, right=4, bottom=5))
    )
    path = persistence.write_state(Path("a.geojson"), state, GRID)
    point, box = json.loads(path.read_text())["features"]
    assert point["geometry"]["coordinates"] == [500_025, 4_000_000 - 15]
    assert point["properties"] == {"role": "negative", "object": 0}
    assert shapely.geometry.shape(box["geometry"]).bounds == (
        *(500_010, 4_000_000 - 50),
        *(500_040, 4_000_000 - 20),
    )


@pytest.mark.parametrize(
    "other",
    [
        NOWHERE,
        replace(GRID, crs=CRS.from_epsg(32632)),
        replace(GRID, shape=(9, 6)),
        replace(GRID, transform=GRID.transform @ Affine.translation(1, 0)),
        replace(GRID, transform=GRID.transform @ Affine.translation(0, 1)),
    ],
    ids=["no CRS", "another zone", "another shape", "a pixel east", "a pixel south"],
)
def test_a_file_of_another_grid_is_refused(other):
    path = persistence.write_state(Path("a.geojson"), State(steps=(Click(col=0, row=0),)), GRID)
    with pytest.raises(InputError, match="the scene it was made on"):
        persistence.read_state(path, other)


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "FeatureCollection", "features": []}', None])
def test_a_file_of_another_kind_is_refused_and_none_is_missed(text):
    if text is not None:
        Path("a.geojson").write_text(text)
    expected = (MissingDataError, "no file a") if text is None else (BrokenDataError, r"a\S+ is no")
    with pytest.raises(expected[0], match=expected[1]):
        persistence.read_state(Path("a.geojson"), GRID)
