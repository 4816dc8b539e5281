"""The geometry of a synthetic place: river, roads, settlements, and clearings with their dates.

Everything is drawn in metres from one seed, x to the east and y to the north of the south-west
corner, before any pixel exists; so a place is the same at every ground sample distance.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import shapely
from numpy.random import Generator
from shapely import Polygon, box
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

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

FIRST_YEAR, LAST_YEAR = 1995.0, 2026.0
_SIDE_ROAD_EVERY_M = 2000.0
_LOT_M = (180.0, 420.0)  # how wide a plot is along the road, at least and at most
_LOT_DEPTH_M = 850.0
_ALWAYS = -np.inf


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One thing on the ground.

    Attributes:
        shape: in metres from the south-west corner.
        year: decimal year in which it appears; minus infinity for what was always there.
        then: (years since it appeared, class), ascending: what it is, and what becomes of it.
        brightness: its own factor on reflectance, about 1.
    """

    shape: BaseGeometry
    year: float
    then: tuple[tuple[float, int], ...]
    brightness: float

    def cover(self, date: float) -> int:
        """Its class at a decimal year; forest before it appears."""
        age = date - self.year
        reached = [kind for since, kind in self.then if age >= since]
        return reached[-1] if reached else FOREST


@lru_cache(maxsize=8)
def features(seed: int, size_m: float) -> tuple[Feature, ...]:
    """All things of a place, in drawing order: later ones lie on top.

    Args:
        seed: of the place.
        size_m: side of the square world, metres.
    """
    rng = np.random.default_rng((20_231, seed))
    trunk = _trunk_road(rng, size_m)
    sides = _side_roads(rng, trunk, size_m)
    cleared = [lot for line, opened in sides for lot in _lots(rng, line, opened)]
    fixed = [_town(rng, line) for line, _ in sides[1::4]]
    fixed += [_river(rng, size_m), _fixed(trunk.buffer(6.0), ROAD)]
    fixed += [_fixed(line.buffer(4.0), ROAD, year=opened) for line, opened in sides]
    # What lies on top is taken out of the clearings, so that their outlines are what one sees.
    ground = box(0.0, 0.0, size_m, size_m)
    on_top = shapely.union_all([feature.shape for feature in fixed])
    shapes = shapely.difference([lot.shape for lot in cleared], on_top)
    shapes = shapely.intersection(shapes, ground)
    visible = [replace(lot, shape=shape) for lot, shape in zip(cleared, shapes, strict=True)]
    return (*(lot for lot in visible if lot.shape.area > 0), *fixed)


def _trunk_road(rng: Generator, size_m: float) -> LineString:
    """The first road, from west to east; x grows along it."""
    x = np.linspace(-200.0, size_m + 200.0, 24)
    y = size_m * rng.uniform(0.35, 0.65) + np.cumsum(rng.normal(0, size_m / 220, x.size))
    return LineString(np.column_stack([x, y]))


def _side_roads(rng: Generator, trunk: LineString, size_m: float) -> list[tuple[LineString, float]]:
    """Roads to the north and south of the trunk, each with the year in which it was opened."""
    roads = []
    for x in np.arange(rng.uniform(0.2, 0.8) * _SIDE_ROAD_EVERY_M, size_m, _SIDE_ROAD_EVERY_M):
        foot = float(np.interp(x, *np.transpose(trunk.coords)))
        for way in (-1.0, 1.0):
            y = foot + way * np.linspace(0.0, rng.uniform(0.6, 1.0) * size_m / 2, 9)
            bends = np.cumsum(rng.normal(0, 18.0, y.size))
            line = LineString(np.column_stack([x + bends - bends[0], y]))
            roads.append((line, float(rng.uniform(FIRST_YEAR, FIRST_YEAR + 8))))
    return roads


def _lots(rng: Generator, road: LineString, opened: float) -> list[Feature]:
    """Clearings on both sides of a road: each lot is eaten from the road inwards, year by year."""
    x, y = np.transpose(road.coords)
    order = np.argsort(y)
    reach = abs(y[-1] - y[0])
    cleared: list[Feature] = []
    start, width = 40.0, float(rng.uniform(*_LOT_M))
    while start + width < reach:
        along = y[0] + np.sign(y[-1] - y[0]) * np.array([start, start + width - 12.0])
        base = float(np.interp(along.mean(), y[order], x[order]))
        for side in (-1.0, 1.0):
            if rng.random() < 0.8:
                first = opened + start / 450.0 + rng.exponential(4.0)
                cleared += _slices(rng, base, side, along, first)
        start, width = start + width, float(rng.uniform(*_LOT_M))
    return cleared


def _slices(
    rng: Generator, base: float, side: float, along: np.ndarray, first: float
) -> list[Feature]:
    """The clearings of one lot, from the road inwards."""
    depth, year, clearings = 15.0, first, []
    while depth < _LOT_DEPTH_M - 60.0 and year < LAST_YEAR:
        step = min(float(rng.uniform(70.0, 260.0)), _LOT_DEPTH_M - depth)
        across = base + side * np.array([depth, depth + step - 6.0])
        shape = _ragged(rng, across, along)
        clearings.append(
            Feature(
                shape=shape,
                year=year,
                then=_fate(rng),
                brightness=float(np.clip(rng.normal(1.0, 0.09), 0.75, 1.25)),
            )
        )
        depth += step
        year += 0.6 + float(rng.exponential(3.0))
    return clearings


def _ragged(rng: Generator, x: np.ndarray, y: np.ndarray) -> Polygon:
    """A rectangle whose edges were cut by hand: points along it, moved inwards by up to 14 m."""
    outline = box(x.min(), y.min(), x.max(), y.max()).exterior
    corners = outline.segmentize(35.0)
    points = np.array(corners.coords[:-1])
    centre = np.array([x.mean(), y.mean()])
    # Never past the middle of a side, so that the outline does not cross itself.
    inwards = np.clip(0.4 * (centre - points), -14.0, 14.0) * rng.random(points.shape)
    return Polygon(points + inwards)


def _fate(rng: Generator) -> tuple[tuple[float, int], ...]:
    """Bare for about a year; then pasture, crop, or pasture that is given up and grows back."""
    bare = float(rng.uniform(0.6, 1.6))
    kind = rng.choice(3, p=(0.62, 0.16, 0.22))
    if kind == 1:
        return ((0.0, CLEARING), (bare, CROP))
    if kind == 2:
        return ((0.0, CLEARING), (bare, PASTURE), (bare + float(rng.uniform(3, 9)), REGROWTH))
    return ((0.0, CLEARING), (bare, PASTURE))


def _fixed(shape: BaseGeometry, kind: int, year: float = _ALWAYS) -> Feature:
    return Feature(shape=shape, year=year, then=((0.0, kind),), brightness=1.0)


def _town(rng: Generator, side: LineString) -> Feature:
    """A settlement where a side road leaves the trunk."""
    x, y = side.coords[0]
    half_x, half_y = rng.uniform(120.0, 300.0, 2)
    return _fixed(box(x - half_x, y - half_y, x + half_x, y + half_y).buffer(25.0), SETTLEMENT)


def _river(rng: Generator, size_m: float) -> Feature:
    """A meandering river from north to south."""
    y = np.linspace(-300.0, size_m + 300.0, 400)
    phase = rng.uniform(0, 2 * np.pi, 3)
    x = size_m * rng.uniform(0.15, 0.85) + sum(
        amplitude * np.sin(2 * np.pi * y / length + shift)
        for amplitude, length, shift in zip(
            (420.0, 170.0, 60.0), (5200.0, 1900.0, 640.0), phase, strict=True
        )
    )
    return _fixed(LineString(np.column_stack([x, y])).buffer(rng.uniform(25.0, 55.0)), WATER)
