"""GeoJSON and GeoTIFF of masks: polygons with label and hectares, and numbers at their place."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from rasterio.crs import CRS
from rasterio.features import shapes
from rasterio.warp import transform_geom
from shapely.geometry import MultiPolygon, mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.ops import unary_union

from rsedu.errors import InputError
from rsedu.io.files import write_atomically
from rsedu.io.masks import as_mask
from rsedu.io.raster_file import write_cog
from rsedu.scenes.grid import Grid, hectares

_LONGITUDES = CRS.from_epsg(4326)
_DIGITS = 7  # of a degree: a centimetre


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """One object, ready to leave.

    Attributes:
        mask: its pixels; bool, 0 and 1, or 0 and 255, and an InputError for others.
        label: what it is.
        score: predicted IoU, about 0 to 1; NaN where there is none.
        properties: more facts for its feature; numpy's numbers are numbers, and NaN is null.
    """

    mask: Shaped[np.ndarray, "rows cols"]
    label: str = ""
    score: float = float("nan")
    properties: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", as_mask(self.mask))


def polygon(mask: Shaped[np.ndarray, "rows cols"], grid: Grid) -> BaseGeometry:
    """Outline of a mask along the edges of its pixels, in metres of the grid's CRS.

    Exterior rings run counter-clockwise and holes clockwise, seen with north up (RFC 7946); parts
    that touch at a corner only stay apart.

    Raises:
        InputError: the mask is empty, or has other pixels than the grid.
    """
    mask = as_mask(mask)
    _check(mask, grid)
    parts = shapes(mask.astype(np.uint8), mask=mask, transform=grid.transform)
    whole = unary_union([shape(geometry) for geometry, _ in parts])
    if isinstance(whole, MultiPolygon):
        return MultiPolygon([orient(part) for part in whole.geoms])
    return orient(whole)


def feature(segment: Segment, number: int, grid: Grid) -> dict[str, Any]:
    """One object in metres of the grid's CRS: outline, label, hectares, predicted IoU."""
    own = {
        "object": number,
        "label": segment.label,
        "hectares": round(hectares(segment.mask, grid.gsd_m), 4),
        "predicted_iou": None if np.isnan(segment.score) else float(segment.score),
    }
    geometry = mapping(polygon(segment.mask, grid))
    facts = _plain(segment.properties)
    return {"type": "Feature", "geometry": geometry, "properties": {**facts, **own}}


def _plain(value: Any) -> Any:
    """What numpy made as JSON knows it; NaN, which JSON doesn't know, as None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def write_geojson(path: Path, segments: Sequence[Segment], grid: Grid) -> Path:
    """Write one feature per object: polygon, label, predicted IoU and hectares.

    With a CRS, coordinates are longitude and latitude as the format demands (RFC 7946), hectares
    are counted in the scene's own metres, and "scene_crs" names its CRS. Without one, coordinates
    are metres in the scene's plane, and both "scene_crs" and "crs" are null: by the older standard
    (GeoJSON 2008), which GDAL still follows, that keeps readers from taking metres for degrees.

    Raises:
        InputError: a mask is empty or has other pixels than the grid, or a score or property is
            infinite, which JSON has no word for.
    """
    features = [_in_degrees(feature(one, at, grid), grid) for at, one in enumerate(segments, 1)]
    place = {"scene_crs": grid.crs.to_string()} if grid.crs else {"scene_crs": None, "crs": None}
    return write_features(path, features, indent=1, **place)


def write_features(
    path: Path, features: Sequence[Mapping[str, Any]], *, indent: int | None = None, **members: Any
) -> Path:
    """Write features as one GeoJSON collection with further members of its own."""
    collection = {"type": "FeatureCollection", **members, "features": features}
    try:
        text = json.dumps(collection, indent=indent, allow_nan=False) + "\n"
    except ValueError as error:
        raise InputError(
            "A score or a property is NaN or infinite, which JSON has no word for: write None, or "
            "leave the property away."
        ) from error
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def write_geotiff(path: Path, segments: Sequence[Segment], grid: Grid) -> Path:
    """Write one band of numbers: 0 outside, then 1 for the first object and so on; later ones win.

    Labels go into the file's tags.

    Raises:
        InputError: a mask is empty or has other pixels than the grid, or more than 65,535.
    """
    if len(segments) > np.iinfo(np.uint16).max:
        raise InputError(f"{len(segments)} objects are more than a 16-bit band can number.")
    numbers = np.zeros(grid.shape, dtype=np.uint16)
    tags = {}
    for number, segment in enumerate(segments, 1):
        _check(segment.mask, grid)
        numbers[segment.mask] = number
        tags[f"LABEL_{number}"] = segment.label
    return write_cog(
        path, numbers[None], names=("object",), transform=grid.transform, crs=grid.crs, tags=tags
    )


def _in_degrees(metres: dict[str, Any], grid: Grid) -> dict[str, Any]:
    """A feature as the format demands, with its number for an id and a rounded score."""
    geometry, properties = metres["geometry"], metres["properties"]
    if grid.crs is not None:
        geometry = transform_geom(grid.crs, _LONGITUDES, geometry, precision=_DIGITS)
    if (score := properties["predicted_iou"]) is not None:
        properties["predicted_iou"] = round(score, 4)
    return {**metres, "id": properties["object"], "geometry": geometry}


def _check(mask: np.ndarray, grid: Grid) -> None:
    if mask.shape != grid.shape:
        raise InputError(
            f"A mask of {mask.shape} (rows, cols) is not on this grid of {grid.shape}."
        )
    if not mask.any():
        raise InputError("A mask is empty: leave it away, since it has neither outline nor area.")
