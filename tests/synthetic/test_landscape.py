import numpy as np
import pytest
import shapely
from shapely import box

from rsedu.synthetic.land_cover import (
    CLEARING,
    CROP,
    FOREST,
    PASTURE,
    REGROWTH,
    ROAD,
    SETTLEMENT,
    WATER,
)
from rsedu.synthetic.landscape import FIRST_YEAR, LAST_YEAR, Feature, features

SIDE_M = 5120.0


def kind(feature: Feature) -> int:
    return feature.then[0][1]


@pytest.fixture(scope="module")
def place() -> tuple[Feature, ...]:
    return features(5, SIDE_M)


def test_a_thing_is_forest_before_it_appears_and_turns_when_its_time_comes() -> None:
    feature = Feature(
        shape=box(0, 0, 1, 1),
        year=2000.5,
        then=((0.0, CLEARING), (1.5, PASTURE), (7.0, REGROWTH)),
        brightness=1.0,
    )
    dates = [2000.49, 2000.5, 2001.99, 2002.0, 2007.4, 2007.5, 2100]
    expected = [FOREST, CLEARING, CLEARING, PASTURE, PASTURE, REGROWTH, REGROWTH]
    assert [feature.cover(date) for date in dates] == expected


def test_a_seed_is_a_place() -> None:
    again = features.__wrapped__(5, SIDE_M)
    assert all(
        ours.shape.equals(theirs.shape) and ours.then == theirs.then and ours.year == theirs.year
        for ours, theirs in zip(features(5, SIDE_M), again, strict=True)
    )
    assert not features(6, SIDE_M)[0].shape.equals(again[0].shape)


@pytest.mark.parametrize("seed", range(12))
def test_every_outline_is_valid_and_clearings_share_no_ground(seed: int) -> None:
    found = features(seed, 2560.0)
    assert all(feature.shape.is_valid for feature in found)
    cleared = [feature.shape for feature in found if kind(feature) == CLEARING]
    overlap = sum(shape.area for shape in cleared) - shapely.union_all(cleared).area
    assert overlap == pytest.approx(0, abs=1e-3)
    on_top = shapely.union_all([each.shape for each in found if kind(each) != CLEARING])
    assert shapely.union_all(cleared).intersection(on_top).area == pytest.approx(0, abs=1e-3)


def test_a_place_has_all_that_belongs_to_a_frontier(place: tuple[Feature, ...]) -> None:
    kinds = [kind(feature) for feature in place]
    assert kinds.count(WATER) == 1
    assert kinds.count(ROAD) >= 5  # the trunk and side roads to both sides
    assert kinds.count(SETTLEMENT) >= 1
    assert kinds.count(CLEARING) > 100
    assert {feature.cover(LAST_YEAR) for feature in place if kind(feature) == CLEARING} == {
        CLEARING,
        PASTURE,
        CROP,
        REGROWTH,
    }


def test_clearings_lie_within_the_place(place: tuple[Feature, ...]) -> None:
    ground = box(0, 0, SIDE_M, SIDE_M).buffer(1e-6)
    assert all(ground.contains(each.shape) for each in place if kind(each) == CLEARING)


def test_clearing_begins_after_the_roads_and_goes_on(place: tuple[Feature, ...]) -> None:
    years = np.array([each.year for each in place if kind(each) == CLEARING])
    opened = [each.year for each in place if kind(each) == ROAD and np.isfinite(each.year)]
    assert years.min() > min(opened) >= FIRST_YEAR
    assert years.max() < LAST_YEAR
    assert np.histogram(years, 4, (FIRST_YEAR, LAST_YEAR))[0].min() > 5


def test_clearings_grow_from_the_road_inwards() -> None:
    """Of neighbouring patches of one plot, the one that is further from the road is younger."""
    found = features(3, 2560.0)
    roads = shapely.union_all([each.shape for each in found if kind(each) == ROAD])
    cleared = [each for each in found if kind(each) == CLEARING]
    younger = []
    for first in cleared:
        for second in cleared:
            same_plot = abs(first.shape.centroid.y - second.shape.centroid.y) < 20
            if same_plot and 7 < first.shape.centroid.x - second.shape.centroid.x < 300:
                near, far = sorted((first, second), key=lambda each: roads.distance(each.shape))
                if roads.distance(far.shape) > roads.distance(near.shape) + 30:
                    younger.append(far.year > near.year)
    assert len(younger) > 20
    assert np.mean(younger) > 0.9


def test_outlines_are_hand_cut_not_ruled() -> None:
    cleared = [each.shape for each in features(3, 2560.0) if kind(each) == CLEARING]
    fill = [shape.area / shape.minimum_rotated_rectangle.area for shape in cleared]
    assert 0.7 < np.median(fill) < 0.99
    widths = {round(shape.bounds[3] - shape.bounds[1], -1) for shape in cleared}
    assert max(widths) - min(widths) > 100
