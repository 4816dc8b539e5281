"""GeoJSON of a prompter's state, which comes back the same: prompts and masks on the map."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.features import rasterize

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes.grid import Grid
from rsedu.segment.export import Segment, feature, write_features
from rsedu.widget.state import Box, Click, Kept, State, Step, checked

AT_HAND = 0  # number of the object whose mask is not kept yet; kept ones count from 1
_DIGITS = 6  # of a pixel that come back from map coordinates; below that is rounding


def _prompts(steps: Sequence[Step], number: int, grid: Grid) -> list[dict[str, Any]]:
    return [
        {
            "type": "Feature",
            "properties": {"role": _role(step), "object": number},
            "geometry": _place(step, grid),
        }
        for step in steps
    ]


def _object(one: Kept, number: int, role: str, grid: Grid) -> dict[str, Any]:
    segment = Segment(mask=one.mask, label=one.label, score=one.iou, properties={"role": role})
    return feature(segment, number, grid)


def _role(step: Step) -> str:
    if isinstance(step, Box):
        return "box"
    return "positive" if step.positive else "negative"


def _place(step: Step, grid: Grid) -> dict[str, Any]:
    if isinstance(step, Click):
        x, y = grid.transform @ (step.col + 0.5, step.row + 0.5)
        return {"type": "Point", "coordinates": [x, y]}
    west, north = grid.transform @ (step.left, step.top)
    east, south = grid.transform @ (step.right, step.bottom)
    ring = [[west, north], [west, south], [east, south], [east, north], [west, north]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_state(path: Path, state: State, grid: Grid, *, at_hand: Kept | None = None) -> Path:
    """Write a state as GeoJSON: kept masks, the mask at hand, and the prompts of each.

    Coordinates are metres in the scene's own CRS, so that each pixel comes back. The CRS is named
    in the member "crs" of the format of 2008, which GDAL and QGIS read, and null where the place
    is unknown; RFC 7946 knows degrees only. `read_state` passes over the mask at hand, which is
    there for other programs.
    """
    features = [_object(one, number, "kept", grid) for number, one in enumerate(state.kept, 1)]
    if at_hand is not None:
        features.append(_object(at_hand, AT_HAND, "at hand", grid))
    for number, steps in enumerate([state.steps, *(one.steps for one in state.kept)]):
        features += _prompts(steps, number, grid)
    facts = {"grid": _facts(grid), "choice": state.choice}
    return write_features(path, features, crs=_named(grid.crs), rsedu=facts)


def _facts(grid: Grid) -> dict[str, float]:
    west, _, _, north = grid.bounds
    rows, cols = grid.shape
    return {"gsd_m": grid.gsd_m, "rows": rows, "cols": cols, "west": west, "north": north}


def _named(crs: CRS | None) -> dict[str, Any] | None:
    if crs is None:
        return None
    authority = crs.to_authority()
    name = f"urn:ogc:def:crs:{authority[0]}::{authority[1]}" if authority else crs.to_wkt()
    return {"type": "name", "properties": {"name": name}}


def read_state(path: Path, grid: Grid) -> State:
    """Read a state that `write_state` wrote, for a scene on the same grid."""
    collection = _read(path)
    try:
        _check_grid(path, collection, grid)
        features = collection["features"]
        kept = [one for one in features if one["properties"]["role"] == "kept"]
        state = State(
            steps=tuple(_steps(features, AT_HAND, grid)),
            choice=collection["rsedu"]["choice"],
            kept=tuple(_kept(one, features, grid) for one in kept),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise BrokenDataError(
            f"{path} is no state of a prompter ({error!r}): give a file that its save() wrote."
        ) from error
    return checked(state, shape=grid.shape)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingDataError(
            f"There is no file {path}: check its name, or save first."
        ) from error
    except ValueError as error:
        raise BrokenDataError(f"{path} is not GeoJSON ({error}): save it anew.") from error


def _check_grid(path: Path, collection: Any, grid: Grid) -> None:
    stored, wanted = collection["rsedu"]["grid"], _facts(grid)
    if (collection["crs"], stored) != (_named(grid.crs), wanted):
        raise InputError(
            f"{path} is for the grid {stored} in CRS {collection['crs']}, the scene has {wanted} "
            f"in {_named(grid.crs)}: load it with the scene it was made on."
        )


def _kept(one: Any, features: Sequence[Any], grid: Grid) -> Kept:
    properties = one["properties"]
    score = properties["predicted_iou"]
    mask = rasterize([one["geometry"]], out_shape=grid.shape, transform=grid.transform)
    return Kept(
        mask=mask.astype(np.bool_),
        label=properties["label"],
        iou=math.nan if score is None else score,
        steps=tuple(_steps(features, properties["object"], grid)),
    )


def _steps(features: Sequence[Any], number: int, grid: Grid) -> Iterator[Step]:
    for one in features:
        properties, coordinates = one["properties"], one["geometry"]["coordinates"]
        if properties["object"] != number:
            continue
        if properties["role"] == "box":
            left, top = _pixel(coordinates[0][0], grid)
            right, bottom = _pixel(coordinates[0][2], grid)
            yield Box(left=left, top=top, right=right, bottom=bottom)
        elif properties["role"] in ("positive", "negative"):
            col, row = _pixel(coordinates, grid, centre=0.5)
            yield Click(col=col, row=row, positive=properties["role"] == "positive")


def _pixel(place: Sequence[float], grid: Grid, *, centre: float = 0.0) -> tuple[float, float]:
    col, row = ~grid.transform @ (place[0], place[1])
    return round(col - centre, _DIGITS), round(row - centre, _DIGITS)
