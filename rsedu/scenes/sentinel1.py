"""Sentinel-1 products on disk -> Scene: backscatter, in dB or as power."""

import re
from collections.abc import Sequence

from rsedu.errors import InputError
from rsedu.scenes.bands import S1_BANDS
from rsedu.scenes.reader import Files, band_files, read_window
from rsedu.scenes.scene import Scene, Unit

_FILE = re.compile(r"(?:^|_)(V[VH])\.tiff?$", re.IGNORECASE)


def read_sentinel1(source: Files, *, unit: Unit, bands: Sequence[str] = S1_BANDS) -> Scene:
    """Read VV and VH files of one product as a scene, in the unit in which they are stored.

    Args:
        source: a folder (names end on _VV.tif, _VH.tif), or band name -> path.
        unit: what the files hold: "sigma0_db" or "sigma0". Convert with to_db() and to_linear().
        bands: names wanted, in the order wanted.

    Returns:
        (bands, rows, cols) backscatter; dB is about [-30, 5] on land, power about [0.001, 3].

    Raises:
        MissingDataError, BrokenDataError: as `read_window`, or a band that is not there.
        InputError: another unit, numbers that cannot have it, or files on different grids.
    """
    if unit not in ("sigma0", "sigma0_db"):
        raise InputError(f"unit is {unit!r}; radar backscatter is 'sigma0' or 'sigma0_db'.")
    files = band_files(source, _FILE, bands)
    scenes = [read_window(path, bands=[name], unit=unit) for name, path in files.items()]
    scene = scenes[0].stack(*scenes[1:])
    _check_unit(scene, unit)
    return scene


def _check_unit(scene: Scene, unit: Unit) -> None:
    """Power is never negative, and land and sea in dB are hardly ever all above zero."""
    negative = scene.array[:, scene.valid] < 0
    if unit == "sigma0" and negative.any():
        raise InputError("There are values below 0, so this is no linear power: use 'sigma0_db'.")
    if unit == "sigma0_db" and negative.size and not negative.any():
        raise InputError("No value is below 0, so this is hardly dB: use unit='sigma0'.")
