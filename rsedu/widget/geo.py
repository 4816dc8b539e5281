"""Prompts and masks on the map: GeoJSON that comes back the same, and GeoTIFF."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from rasterio.crs import CRS  # type: ignore[import-untyped]
from rasterio.features import rasterize, shapes  # type: ignore[import-untyped]

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.files import write_atomically
from rsedu.scenes.grid import Grid
from rsedu.scenes.writers import write_cog
from rsedu.widget.state import Box, Click, Kept, State, Step, checked

AT_HAND = 0  # number of the object whose mask is not kept yet; kept ones count from 1
_SQUARE_METRES = 10_000  # of a hectare
_DIGITS = 6  # of a pixel that come back from map coordinates; below that is rounding


def hectares(mask: Bool[np.ndarray, "rows cols"], *, gsd_m: float) -> float:
    """Area of a mask, from the side of its pixels in metres."""
    return float(mask.sum()) * gsd_m**2 / _SQUARE_METRES


def polygons(mask: Bool[np.ndarray, "rows cols"], grid: Grid) -> dict[str, Any]:
    """Return a mask's pixels as a MultiPolygon along pixel edges, in the grid's metres."""
    parts = shapes(mask.astype(np.uint8), mask=mask, transform=grid.transform)
    coordinates = [geometry["coordinates"] for geometry, _ in parts]
    return {"type": "MultiPolygon", "coordinates": coordinates}


def objects(kept: Sequence[Kept], grid: Grid) -> list[dict[str, Any]]:
    """Return one GeoJSON feature for each mask, with label, hectares and predicted IoU."""
    return [_object(one, number, "kept", grid) for number, one in enumerate(kept, 1)]


def prompts(steps: Sequence[Step], number: int, grid: Grid) -> list[dict[str, Any]]:
    """Return one GeoJSON feature for each click (a point) and box (a polygon).

    Args:
        steps: clicks and boxes.
        number: of the object that they are for.
        grid: that they are on.
    """
    return [
        {
            "type": "Feature",
            "properties": {"role": _role(step), "object": number},
            "geometry": _place(step, grid),
        }
        for step in steps
    ]


def _object(one: Kept, number: int, role: str, grid: Grid) -> dict[str, Any]:
    properties = {
        "role": role,
        "object": number,
        "label": one.label,
        "hectares": round(hectares(one.mask, gsd_m=grid.gsd_m), 4),
        "predicted_iou": round(one.iou, 4),
    }
    return {"type": "Feature", "properties": properties, "geometry": polygons(one.mask, grid)}


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


def write_objects(path: Path, kept: Sequence[Kept], grid: Grid) -> Path:
    """Write kept masks as GeoJSON in the grid's own CRS; an older file is replaced.

    The CRS is named in the member "crs" of the format of 2008, which GDAL and QGIS read; RFC 7946
    knows degrees only. It is null where the place is unknown.
    """
    return _write(path, objects(kept, grid), grid, {})


def write_state(path: Path, state: State, grid: Grid, *, at_hand: Kept | None = None) -> Path:
    """Write a state as GeoJSON: kept masks, the mask at hand, and the prompts of each.

    Args:
        path: of the file; an older one is replaced.
        state: what to write.
        grid: of the scene.
        at_hand: the mask at hand, for other programs to show; `read_state` passes it over.
    """
    features = objects(state.kept, grid)
    if at_hand is not None:
        features.append(_object(at_hand, AT_HAND, "at hand", grid))
    for number, steps in enumerate([state.steps, *(one.steps for one in state.kept)]):
        features += prompts(steps, number, grid)
    return _write(path, features, grid, {"choice": state.choice})


def _write(path: Path, features: list[Any], grid: Grid, more: Mapping[str, Any]) -> Path:
    collection = {
        "type": "FeatureCollection",
        "crs": _named(grid.crs),
        "rsedu": {"grid": _told(grid), **more},
        "features": features,
    }
    text = json.dumps(collection, allow_nan=False)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def _told(grid: Grid) -> dict[str, float]:
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
    """Read a state that `write_state` wrote, for a scene on the same grid.

    Raises:
        MissingDataError: there is no such file.
        BrokenDataError: it is no GeoJSON of this kind.
        InputError: it belongs to another grid.
    """
    collection = _read(path)
    try:
        _check_grid(path, collection, grid)
        features = collection["features"]
        kept = [_kept(one, features, grid) for one in _having(features, "kept")]
        steps = tuple(_steps(features, AT_HAND, grid))
        state = State(steps=steps, choice=collection["rsedu"]["choice"], kept=tuple(kept))
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
    found, wanted = collection["rsedu"]["grid"], _told(grid)
    if (collection["crs"], found) != (_named(grid.crs), wanted):
        raise InputError(
            f"{path} is for the grid {found} in CRS {collection['crs']}, the scene has {wanted} in "
            f"{_named(grid.crs)}: load it with the scene it was made on."
        )


def _having(features: Sequence[Any], role: str) -> list[Any]:
    return [one for one in features if one["properties"]["role"] == role]


def _kept(feature: Any, features: Sequence[Any], grid: Grid) -> Kept:
    told = feature["properties"]
    mask = rasterize([feature["geometry"]], out_shape=grid.shape, transform=grid.transform)
    return Kept(
        mask=mask.astype(np.bool_),
        label=told["label"],
        iou=told["predicted_iou"],
        steps=tuple(_steps(features, told["object"], grid)),
    )


def _steps(features: Sequence[Any], number: int, grid: Grid) -> Iterator[Step]:
    for feature in features:
        told, coordinates = feature["properties"], feature["geometry"]["coordinates"]
        if told["object"] != number:
            continue
        if told["role"] == "box":
            left, top = _pixel(coordinates[0][0], grid)
            right, bottom = _pixel(coordinates[0][2], grid)
            yield Box(left=left, top=top, right=right, bottom=bottom)
        elif told["role"] in ("positive", "negative"):
            col, row = _pixel(coordinates, grid, centre=0.5)
            yield Click(col=col, row=row, positive=told["role"] == "positive")


def _pixel(place: Sequence[float], grid: Grid, *, centre: float = 0.0) -> tuple[float, float]:
    col, row = ~grid.transform @ (place[0], place[1])
    return round(col - centre, _DIGITS), round(row - centre, _DIGITS)


def write_map(path: Path, kept: Sequence[Kept], grid: Grid) -> Path:
    """Write kept masks as a cloud-optimised GeoTIFF of two bands; an older file is replaced.

    Band "class" holds the number of the label, 0 where there is none; the tag "classes" tells the
    labels. Band "object" holds the number of the mask, as in the GeoJSON. Where masks overlap the
    later one is on top.
    """
    labels = list(dict.fromkeys(one.label for one in kept))
    bands = np.zeros((2, *grid.shape), dtype=np.uint16)
    for number, one in enumerate(kept, 1):
        bands[:, one.mask] = [[labels.index(one.label) + 1], [number]]
    tags = {"classes": json.dumps(dict(enumerate(labels, 1)), ensure_ascii=False)}
    return write_cog(
        path, bands, names=("class", "object"), transform=grid.transform, crs=grid.crs, tags=tags
    )
