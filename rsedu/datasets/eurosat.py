"""EuroSAT's patches, optical and radar, as scenes in the kit's band order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from jaxtyping import Float32
from rasterio.crs import CRS

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.raster_file import as_float32, open_raster, read_stored
from rsedu.scenes.bands import S1_BANDS, S2, S2_QUANTIFICATION
from rsedu.scenes.scene import Scene, Unit

#: The order in the files: B8A stands last, not after B08. Source: torchgeo's EuroSAT class.
STORED = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B12", "B8A")
GSD_M = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """One place, seen by both sensors.

    Attributes:
        name: of both files, such as "Forest_12".
        label: the class, which is the folder's name.
        optical: 13 bands of top-of-atmosphere reflectance (level 1C) in the order of `S2`.
        radar: VV and VH.
    """

    name: str
    label: str
    optical: Scene
    radar: Scene


def read_optical(path: Path) -> Scene:
    """Read a patch of EuroSAT-MS: B01 to B12 with B8A after B08, unlike in the file.

    These are top-of-atmosphere reflectances (level 1C), where CROMA and the kit's samples have
    surface reflectances: the blue bands are brighter by what the air scatters. DN / 10000, without
    offset: the set was made before baseline 04.00. Drop B10 by ``select(*S2_BANDS)``.

    Returns:
        (13, 64, 64) reflectance, about [0, 1].

    Raises:
        MissingDataError: no such file.
        BrokenDataError: unreadable, not 13 bands, or the bands are in another order.
    """
    array, transform, crs = _read(path, len(STORED))
    unit: Unit = "reflectance"
    stored = Scene(
        array=array / np.float32(S2_QUANTIFICATION),
        bands=STORED,
        transform=transform,
        crs=crs,
        units=(unit,) * len(STORED),
    )
    if b8a_at(array) == "after B08":
        raise BrokenDataError(
            f"In {path}, the band after B08 is the one that resembles it most, so this copy stores "
            "B8A there and not last: take the copy that `rsedu data get eurosat-ms` fetches."
        )
    return stored.select(*S2)


def b8a_at(array: Float32[np.ndarray, "13 rows cols"]) -> str:
    """Tell where a stack of 13 bands holds B8A: "last", "after B08", or "unknown".

    B8A and B08 are both near infrared at 10 to 20 m, so their pixels rise and fall together, while
    B09 (water vapour, 60 m) and B12 (short-wave infrared) follow B08 less.

    Args:
        array: B01 to B08 in the first eight places; any linear unit.

    Returns:
        The place that correlates more with B08; "unknown" where a band is constant, or neither
        correlates by 0.9, or the two differ by less than 0.02.
    """
    three = array[[7, 8, 12]].astype(np.float64)
    nir, behind, last = three[:, np.isfinite(three).all(axis=0)]
    if not nir.size or min(band.std() for band in (nir, behind, last)) == 0:
        return "unknown"
    as_behind = float(np.corrcoef(nir, behind)[0, 1])
    as_last = float(np.corrcoef(nir, last)[0, 1])
    if max(as_behind, as_last) < 0.9 or abs(as_behind - as_last) < 0.02:
        return "unknown"
    return "after B08" if as_behind > as_last else "last"


def read_radar(path: Path) -> Scene:
    """Read a patch of EuroSAT-SAR.

    Returns:
        (2, 64, 64) VV, VH in dB; linear power, where a file holds that, is converted.

    Raises:
        MissingDataError: no such file.
        BrokenDataError: unreadable, or not 2 bands.
    """
    array, transform, crs = _read(path, len(S1_BANDS))
    unit: Unit = "sigma0_db" if (array[np.isfinite(array)] < 0).any() else "sigma0"
    scene = Scene(array=array, bands=S1_BANDS, transform=transform, crs=crs, units=(unit,) * 2)
    return scene.to_db()


def _read(path: Path, bands: int) -> tuple[np.ndarray, Affine, CRS | None]:
    with open_raster(path) as source:
        if source.count != bands:
            raise BrokenDataError(f"{path} has {source.count} bands; wanted {bands}: another set?")
        array = as_float32(str(path), *read_stored(source, range(1, bands + 1)))
        west, north = source.transform @ (0, 0)
        crs = source.crs
    # The patches' pixels are 10 m to within some thousandths, which no grid of squares can hold:
    # the corner stays, and the far edge moves by less than a pixel.
    projected = crs if crs is not None and crs.is_projected else None
    return array, Affine(GSD_M, 0, west, 0, -GSD_M, north), projected


def pairs(optical: Path, radar: Path) -> list[tuple[Path, Path]]:
    """Pair the patches of two folders by name.

    Args:
        optical: folder of EuroSAT-MS, or a part of it.
        radar: folder of EuroSAT-SAR, or a part of it.

    Returns:
        (optical file, radar file), sorted by name.

    Raises:
        MissingDataError: no name is in both.
    """
    left, right = _by_name(optical), _by_name(radar)
    both = sorted(set(left) & set(right))
    if not both:
        raise MissingDataError(
            f"No patch of {optical} ({len(left)}) has the name of one of {radar} ({len(right)}): "
            "get both with the same --subset and --seed."
        )
    return [(left[name], right[name]) for name in both]


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise MissingDataError(f"There is no folder {folder}: rsedu data get eurosat-ms first.")
    return {path.stem: path for path in sorted(folder.rglob("*.tif"))}


def read_pair(files: tuple[Path, Path]) -> Patch:
    """Read one of `pairs`.

    Raises:
        InputError: the two lie in different classes.
    """
    optical, radar = files
    if optical.parent.name != radar.parent.name:
        raise InputError(f"{optical} and {radar} are of different classes, so they are no pair.")
    return Patch(
        name=optical.stem,
        label=optical.parent.name,
        optical=read_optical(optical),
        radar=read_radar(radar),
    )


def arrays(
    patches: Sequence[Patch],
) -> tuple[
    Float32[np.ndarray, "n 13 rows cols"], Float32[np.ndarray, "n 2 rows cols"], tuple[str, ...]
]:
    """Stack patches for learning.

    Returns:
        Reflectances in the order of `S2`, VV and VH in dB, and one label per patch.

    Raises:
        InputError: no patch.
    """
    if not patches:
        raise InputError("There is no patch to stack: give at least one.")
    optical = np.stack([patch.optical.array for patch in patches])
    radar = np.stack([patch.radar.array for patch in patches])
    return optical, radar, tuple(patch.label for patch in patches)
