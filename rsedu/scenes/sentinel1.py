"""Sentinel-1 products -> backscatter, in the unit in which it is stored."""

import re
import warnings
from collections.abc import Sequence

import numpy as np

from rsedu.errors import InputError
from rsedu.scenes.bands import S1_BANDS
from rsedu.scenes.grid import Number
from rsedu.scenes.product_files import Files, band_files
from rsedu.scenes.reader import read_window
from rsedu.scenes.scene import Scene, Unit

# "..._VV.tif", EO Browser's "..._VV_(Raw).tiff" and "..._VV_-_decibel_gamma0.tiff", and ESA's
# "s1a-iw-grd-vv-20210101t093000-...tiff".
_FILE = re.compile(
    r"(?:^|[_-])(VV|VH|HH|HV)(?:_\(Raw\)|_-_(?:linear|decibel)_\w+|-\d{8}t\d{6}-.*)?\.tiff?$",
    re.IGNORECASE,
)
_MOST_NEGATIVE = 0.1  # share of power below 0 that calibration's noise subtraction may leave
_MOST_POWER = 10.0  # median of a scene: +10 dB, above any land or city
_LEAST_DB, _LEAST_MEDIAN_DB = -100.0, -50.0  # of a pixel, and of a scene
_MOST_ZERO_DB = 0.05  # share of pixels at 0 dB exactly


class BackscatterWarning(UserWarning):
    """Numbers that radar backscatter hardly has."""


def read_sentinel1(
    source: Files,
    *,
    unit: Unit,
    bands: Sequence[str] = S1_BANDS,
    nodata: Number | None = None,
) -> Scene:
    """Read the polarisations of one product as a scene, in the unit in which they are stored.

    Args:
        source: a folder (names end on _VV.tif, _VH.tif), or band name -> path.
        unit: what the files hold, after their scale and offset tags: "sigma0_db" or "sigma0".
            Convert with to_db() and to_linear().
        bands: names wanted, in the order wanted; over ice and sea also "HH" and "HV".
        nodata: stored value outside the swath, such as -9999, where the files do not say it.

    Returns:
        (bands, rows, cols) backscatter; dB is about [-30, 5] on land, power about [0.001, 3]. Power
        of exactly 0 is not valid; some below 0, which calibration leaves over water, stays.

    Raises:
        InputError: another unit, numbers that cannot have it, files on different grids, or as
            `product_files.band_files`.
        MissingDataError, BrokenDataError: as `read_window`.
    """
    if unit not in ("sigma0", "sigma0_db"):
        raise InputError(f"unit is {unit!r}; radar backscatter is 'sigma0' or 'sigma0_db'.")
    files = band_files(source, _FILE, bands)
    scenes = [
        read_window(path, bands=[name], unit=unit, nodata=nodata) for name, path in files.items()
    ]
    scene = scenes[0].stack(*scenes[1:])
    values = scene.array[:, scene.valid]
    if values.size:
        (_check_db if unit == "sigma0_db" else _check_power)(values)
    return scene


def _check_power(values: np.ndarray) -> None:
    """Power is hardly ever negative, nor as large as an uncalibrated digital number."""
    if (values < 0).mean() > _MOST_NEGATIVE:
        raise InputError(
            f"{(values < 0).mean():.0%} of the values are below 0, so this is no linear power: "
            "use 'sigma0_db'."
        )
    median = float(np.median(values))
    if median > _MOST_POWER:
        raise InputError(
            f"Half of the values are above {median:.4g} ({10 * np.log10(median):+.0f} dB), and no "
            "land echoes so much: these are digital numbers; calibrate them to sigma0 first."
        )


def _check_db(values: np.ndarray) -> None:
    """Land and sea in dB lie between about -40 and +20, hardly ever all above zero."""
    if not (values < 0).any():
        raise InputError("No value is below 0, so this is hardly dB: use unit='sigma0'.")
    median = float(np.median(values))
    if median < _LEAST_MEDIAN_DB:
        raise InputError(
            f"Half of the values are below {median:.4g}, which are no decibels: are they stored "
            "times 100? Write the scale 0.01 into the files' tags, or divide by 100."
        )
    if values.min() < _LEAST_DB:
        raise InputError(
            f"There are values such as {values.min():.5g}, which are no decibels: if that stands "
            f"for no data, pass nodata={values.min():.5g}."
        )
    if (values == 0).mean() > _MOST_ZERO_DB:
        warnings.warn(
            f"{(values == 0).mean():.0%} of the values are 0 dB exactly: if that stands for no "
            "data outside the swath, pass nodata=0.",
            BackscatterWarning,
            stacklevel=3,
        )
