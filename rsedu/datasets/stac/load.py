"""A place and some days -> one optical and one radar scene on the same pixels of 10 m."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from rsedu.datasets.stac.query import CATALOGUES, Catalogue, Item, Query, search
from rsedu.datasets.stac.remote import Remote, Sign, explain_error
from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.http import RetryPolicy
from rsedu.io.progress_bar import progress_bar
from rsedu.scenes import folder as scene_folder
from rsedu.scenes.bands import S1_BANDS, S2_BANDS, S2_NODATA_DN
from rsedu.scenes.folder import Fetched, check_room, save_scenes
from rsedu.scenes.grid import Grid
from rsedu.scenes.reader import read_onto
from rsedu.scenes.scene import Scene, Unit

FOLDER = Path(".rsedu") / "scenes"
GSD_M = 10.0
_LOOKS = 8  # scenes that are looked at, at most
_ALL = 0.99  # of a place is all of it
#: What Earth Search calls the bands; the Planetary Computer calls them by their names.
_COLOURS = {
    **{"B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge1"},
    **{"B06": "rededge2", "B07": "rededge3", "B08": "nir", "B8A": "nir08", "B09": "nir09"},
    **{"B11": "swir16", "B12": "swir22"},
}


def grid_of(request: Query) -> Grid:
    """Return the pixels of 10 m, in the UTM zone of its middle, that hold the place.

    Edges are multiples of 10 m, so that Sentinel-2's own pixels of the zone fall onto them.
    """
    west, south, east, north = request.bbox
    zone = min(int(((west + east) / 2 + 180) // 6) + 1, 60)
    crs = CRS.from_epsg((32600 if south + north >= 0 else 32700) + zone)
    left, low, right, top = transform_bounds("EPSG:4326", crs, west, south, east, north)
    left, low = (math.floor(edge / GSD_M) * GSD_M for edge in (left, low))
    right, top = (math.ceil(edge / GSD_M) * GSD_M for edge in (right, top))
    shape = (round((top - low) / GSD_M), round((right - left) / GSD_M))
    return Grid(transform=Affine(GSD_M, 0, left, 0, -GSD_M, top), crs=crs, shape=shape)


def candidates(
    request: Query, catalogue: Catalogue, *, patience: RetryPolicy | None = None
) -> tuple[list[Item], list[Item]]:
    """Search both collections.

    Returns:
        Optical items with no more cloud than allowed, the clearest first, and radar items. Where
        the catalogue is silent, a scene counts as under cloud wholly.

    Raises:
        MissingDataError: nothing fits, or the catalogue cannot be reached.
        BrokenDataError: the catalogue's answers are no STAC.
    """
    found = search(catalogue, catalogue.optical, request, patience=patience)
    clouds = {item.id: 100.0 if item.cloud is None else item.cloud for item in found}
    clear = [item for item in found if clouds[item.id] <= request.max_cloud]
    if not clear:
        known = [item.cloud for item in found if item.cloud is not None]
        least = f"; the clearest of {len(known)} has {min(known):.0f} %" if known else ""
        silent = len(found) - len(known)
        least += f"; {silent} that do not tell their cloud pass at 100 % only" if silent else ""
        raise MissingDataError(
            f"{catalogue.url} has no optical scene of {request.dates} with at most "
            f"{request.max_cloud:g} % cloud{least}: choose more days, or allow more cloud."
        )
    radar: list[Item] = []
    if catalogue.radar:
        radar = search(catalogue, catalogue.radar, request, patience=patience)
        if not radar:
            raise MissingDataError(
                f"{catalogue.url} has no radar scene of {request.dates}: choose more days, or "
                "leave radar away."
            )
    order = sorted(clear, key=lambda item: (clouds[item.id], item.cloud is None, item.taken))
    return order, radar


def load_scenes(
    request: Query,
    *,
    catalogue: Catalogue = CATALOGUES["planetary"],
    folder: Path | None = None,
    patience: RetryPolicy | None = None,
) -> Fetched:
    """Return the clearest optical scene and the radar scene nearest in time, from disk if there.

    Of each file only the blocks under the place are fetched. Reflectance = (DN + offset) / 10000,
    with the offset that the processing baseline asks for; 20 and 60 m bands go to 10 m bilinearly.
    Single clouds may remain: the share of cloud is that of the whole scene, of 110 km.
    Radar is gamma0 (power over the sloped ground's area), in dB; it has the unit of sigma0 here.

    Args:
        request: place, days, clouds.
        catalogue: where to look; one with ``radar=""`` gives optical only.
        folder: for the results, which appear whole or not at all; None: one named by the request
            in `.rsedu/scenes`.
        patience: how long to wait, how often to try.

    Raises:
        MissingDataError: no network, nothing that fits, or no pixel observed.
        BrokenDataError: a server answers with something else than what it promised.
        InputError: the folder holds another scene, cannot be written, or the disk is too small.
    """
    asked = _asked(request, catalogue)
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
    folder = folder or FOLDER / key
    if folder.exists():
        return scene_folder.load_scenes(folder, asked)
    check_room(folder, grid_of(request))
    items = candidates(request, catalogue, patience=patience)
    reader = _Reader(like=_empty(grid_of(request)), patience=patience)
    optical, item = reader.optical(items[0], catalogue.signer(catalogue.optical, patience))
    used, scenes = {"optical": item}, {"optical": optical}
    if items[1]:
        near = sorted(items[1], key=lambda each: abs(each.taken - item.taken))
        sign = catalogue.signer(catalogue.radar, patience)
        scenes["radar"], used["radar"] = reader.radar(near, sign)
    facts = {
        "asked": asked,
        "items": {sensor: _told(each) for sensor, each in used.items()},
        "bytes_read": reader.bytes_read,
        "bytes_whole": reader.bytes_whole,
        "attribution": f"Contains modified Copernicus Sentinel data {item.taken.year}",
    }
    save_scenes(folder, scenes, facts)
    return Fetched(
        folder=folder,
        optical=optical,
        radar=scenes.get("radar"),
        facts=facts,
        bytes_read=reader.bytes_read,
        bytes_whole=reader.bytes_whole,
    )


def _asked(request: Query, catalogue: Catalogue) -> dict[str, Any]:
    return {
        **asdict(request),
        "bbox": list(request.bbox),
        "catalogue": catalogue.url,
        "collections": [catalogue.optical, catalogue.radar],
    }


def _told(item: Item) -> dict[str, Any]:
    return {"id": item.id, "taken": item.taken.isoformat(), "cloud_percent": item.cloud}


def _empty(grid: Grid) -> Scene:
    """A scene without a valid pixel, for its grid."""
    unit: Unit = "dn"
    blank = np.full((1, *grid.shape), np.nan, dtype=np.float32)
    return Scene(
        array=blank, bands=("none",), units=(unit,), transform=grid.transform, crs=grid.crs
    )


class _Reader:
    """Reads items onto one grid, and counts the bytes."""

    def __init__(self, *, like: Scene, patience: RetryPolicy | None) -> None:
        self.like = like
        self.bytes_read = 0
        self.bytes_whole = 0
        self._patience = patience

    def look(
        self, item: Item, band: str, sign: Sign, *, unit: Unit, nodata: int | None
    ) -> Scene | None:
        """One of an item's files, to see how much of the place it observed; None: no pixel."""
        try:
            return self._band(band, _address(item, band), sign, unit=unit, nodata=nodata)
        except InputError:  # no pixel in common
            return None

    def optical(self, items: Sequence[Item], sign: Sign) -> tuple[Scene, Item]:
        """12 bands of reflectance; DN 0 is no data."""
        # Of 60 m, B01 is the smallest file.
        dn: dict[str, Any] = {"unit": "dn", "nodata": S2_NODATA_DN}
        item, first = _covering(items, lambda each: self.look(each, "B01", sign, **dn))
        if item is None or first is None:
            raise MissingDataError(
                f"None of {len(items)} optical scenes observed a pixel of this place (nodata "
                "only): choose other days."
            )
        item.reflectance(_asset(item, "B01"), first.array)  # refuses before 11 more are fetched
        whole = self._bands(item, S2_BANDS, sign, first, **dn)
        unit: Unit = "reflectance"
        planes = zip(S2_BANDS, whole.array, strict=True)
        reflectance = np.stack([item.reflectance(_asset(item, name), dn) for name, dn in planes])
        return replace(whole, array=reflectance, units=(unit,) * len(S2_BANDS)), item

    def radar(self, items: Sequence[Item], sign: Sign) -> tuple[Scene, Item]:
        """VV and VH in dB."""
        power: dict[str, Any] = {"unit": "sigma0", "nodata": None}
        item, first = _covering(items, lambda each: self.look(each, "VV", sign, **power))
        if item is None or first is None:
            raise MissingDataError(
                f"None of {len(items)} radar scenes observed a pixel of this place (nodata "
                "only): choose other days."
            )
        return self._bands(item, S1_BANDS, sign, first, **power).to_db(), item

    def _bands(
        self,
        item: Item,
        names: Sequence[str],
        sign: Sign,
        first: Scene,
        *,
        unit: Unit,
        nodata: int | None,
    ) -> Scene:
        """All bands of an item, of which `first`, that it was looked at by, isn't read again."""
        addresses = {name: _address(item, name) for name in names}  # all are there, or none is read
        scenes = [
            first
            if (name,) == first.bands
            else self._band(name, address, sign, unit=unit, nodata=nodata)
            for name, address in progress_bar(addresses.items(), desc=item.id, unit="band")
        ]
        return scenes[0].stack(*scenes[1:])

    def _band(
        self, name: str, address: str, sign: Sign, *, unit: Unit, nodata: int | None
    ) -> Scene:
        remote = Remote(address, sign=sign, patience=self._patience)
        try:
            with explain_error(remote):
                scene = read_onto(
                    address,
                    self.like,
                    unit=unit,
                    nodata=nodata,
                    opener=remote.open,
                    use_tags=unit != "dn",  # of digital numbers, the catalogue has the word
                )
        finally:
            self.bytes_read += remote.bytes_read
            self.bytes_whole += remote.size
        if len(scene.bands) != 1:
            raise BrokenDataError(f"{address} has {len(scene.bands)} bands; wanted {name}.")
        return replace(scene, bands=(name,))


def _address(item: Item, band: str) -> str:
    return item.assets[_asset(item, band)]


def _asset(item: Item, band: str) -> str:
    """Name of a band's file: the band's, or its colour's."""
    for name in (band, band.lower(), _COLOURS.get(band, band)):
        if name in item.assets:
            return name
    raise MissingDataError(
        f"{item.id} has no file of {band}; it has {', '.join(sorted(item.assets)) or 'none'}: "
        "choose other days, or another catalogue."
    )


def _covering(
    items: Sequence[Item], look: Callable[[Item], Scene | None]
) -> tuple[Item | None, Scene | None]:
    """The first item that observed all of the place, else the one that observed most of it.

    A place can lie at the dark edge of a swath, or in the corner of a tile.

    Returns:
        The item, and what it was looked at by; both None where none observed a pixel.
    """
    best: tuple[Item | None, Scene | None] = None, None
    most = 0.0
    for item in items[:_LOOKS]:
        scene = look(item)
        seen = 0.0 if scene is None else float(scene.valid.mean())
        if seen > most:
            best, most = (item, scene), seen
        if most >= _ALL:
            break
    return best
