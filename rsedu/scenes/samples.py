"""The real Sentinel scenes that come with the dependencies: no download, no network.

Two packages that the kit installs carry pixels as data files: `bigearthnet-common` six paired
patches of BigEarthNet, `spyndex` one scene of forest with clearings. Only these files are read; the
packages' code is never imported. Licences and citations: data/README.md.
"""

import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

from rsedu.errors import BrokenDataError, MissingDataError
from rsedu.scenes.bands import S2_QUANTIFICATION
from rsedu.scenes.scene import Scene
from rsedu.scenes.sentinel1 import read_sentinel1
from rsedu.scenes.sentinel2 import read_sentinel2


@dataclass(frozen=True, eq=False, kw_only=True)
class Pair:
    """One place seen by both Sentinels.

    Attributes:
        name: short name in this kit: country and what stands out.
        patch: name of the Sentinel-2 patch in BigEarthNet.
        optical: 12 bands of surface reflectance at 10 m, 120 x 120 px; the bands of 20 and 60 m
            were brought to 10 m bilinearly.
        radar: VV and VH in dB at 10 m, on the same pixels.
        labels: land cover from CORINE, as BigEarthNet gives it, for the patch as a whole.
        optical_date: day of the Sentinel-2 pass.
        radar_date: day of the Sentinel-1 pass, at most one day away.
        snow: whether BigEarthNet lists the patch as under seasonal snow.
    """

    name: str
    patch: str
    optical: Scene
    radar: Scene
    labels: tuple[str, ...]
    optical_date: date
    radar_date: date
    snow: bool


# Country and snow as listed in the package's own tables (s1_s2_name_country_season.csv,
# patches_with_seasonal_snow.csv), copied since unpacking their 590,326 rows takes seconds.
_NAMES = {
    "S2B_MSIL2A_20170924T93020_69_24": "finland-lake",
    "S2A_MSIL2A_20170613T101031_87_48": "austria-fields",
    "S2A_MSIL2A_20171221T112501_56_35": "portugal-winter",
    "S2A_MSIL2A_20170617T113321_4_55": "ireland-pasture",
    "S2A_MSIL2A_20170617T113321_36_85": "ireland-arable",
    "S2B_MSIL2A_20180204T94161_57_38": "finland-snow",
}
_UNDER_SNOW = {"S2B_MSIL2A_20180204T94161_57_38"}


def _data_file(package: str, distribution: str, *path: str) -> bytes:
    """A file inside an installed package, found without running the package's code.

    importlib.resources.files(package) would import it. Its resource reader does not, and is what
    files() itself asks.
    """
    spec = find_spec(package)
    reader: Any = getattr(spec.loader, "get_resource_reader", None) if spec else None
    if reader is None:
        raise MissingDataError(
            f"The sample scenes come with the package {distribution}, which is not installed: "
            f"pip install {distribution}"
        )
    resource = reader(package).files().joinpath(*path)
    if not resource.is_file():
        raise MissingDataError(
            f"{distribution} is installed, but has no file {'/'.join(path)}: "
            f"pip install --force-reinstall {distribution}"
        )
    content: bytes = resource.read_bytes()
    return content


def _broken(distribution: str, error: Exception | str) -> BrokenDataError:
    return BrokenDataError(
        f"The sample file of {distribution} is damaged ({error}): "
        f"pip install --force-reinstall {distribution}"
    )


def _unpacked(archive: str) -> dict[str, dict[str, bytes]]:
    """Patch name -> last part of the file name ("B02.tif", "metadata.json") -> content."""
    content = _data_file("bigearthnet_common", "bigearthnet-common", archive)
    patches: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(fileobj=BytesIO(content)) as tar:
            for path, data in _members(tar):
                folder, file = path.split("/")[-2:]
                patches.setdefault(folder, {})[file.rsplit("_", 1)[-1]] = data
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise _broken("bigearthnet-common", error) from error
    return patches


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in tar.getmembers():
        file = tar.extractfile(member) if member.isfile() else None
        if file is not None:
            yield member.name, file.read()


def _metadata(files: dict[str, bytes]) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(files["metadata.json"])
    return metadata


def _in_memory(stack: ExitStack, files: dict[str, bytes]) -> dict[str, str]:
    """Band name -> address of its file in GDAL's memory, until the stack closes."""
    rasters = {name[:-4]: data for name, data in files.items() if name.endswith(".tif")}
    return {name: stack.enter_context(MemoryFile(data)).name for name, data in rasters.items()}


def _pair(patch: str, optical_files: dict[str, bytes], radar_files: dict[str, bytes]) -> Pair:
    told, radar_told = _metadata(optical_files), _metadata(radar_files)
    # "S2A_MSIL1C_20171221T112501_N0206_R037_...": the fourth part is the processing baseline.
    baseline = told["tile_source"].split("_")[3]
    with ExitStack() as stack:
        optical = read_sentinel2(_in_memory(stack, optical_files), baseline=baseline)
        radar = read_sentinel1(_in_memory(stack, radar_files), unit="sigma0_db")
    return Pair(
        name=_NAMES[patch],
        patch=patch,
        optical=optical,
        radar=radar,
        labels=tuple(told["labels"]),
        optical_date=datetime.fromisoformat(told["acquisition_date"]).date(),
        radar_date=datetime.fromisoformat(radar_told["acquisition_time"]).date(),
        snow=patch in _UNDER_SNOW,
    )


@cache
def pairs() -> tuple[Pair, ...]:
    """Return the six real pairs, always in the same order; read once.

    Optical: Sentinel-2 level 2A, digital numbers / 10000. The products' baselines are 02.05 and
    02.06, from before the offset of -1000 came. Radar: Sentinel-1 ground range detected,
    terrain-corrected sigma0 in dB, with no filter against speckle. Source: Sumbul et al.,
    BigEarthNet-MM, IEEE Geoscience and Remote Sensing Magazine, 2021.

    Raises:
        MissingDataError: bigearthnet-common is not installed.
        BrokenDataError: its data files are damaged, or not the ones this kit knows.
    """
    optical = _unpacked("BigEarthNet-S2-Example.tar.bz2")
    radar = _unpacked("BigEarthNet-S1-Example.tar.bz2")
    try:
        partner = {_metadata(files)["corresponding_s2_patch"]: files for files in radar.values()}
        return tuple(_pair(patch, optical[patch], partner[patch]) for patch in _NAMES)
    except (KeyError, IndexError, ValueError) as error:
        raise _broken("bigearthnet-common", error) from error


@cache
def clearing() -> Scene:
    """Return a real Sentinel-2 scene of forest with clearings: B02 B03 B04 B08, 300 x 300 px, 10 m.

    Its place, date and processing baseline are not told, so the CRS is None and (0, 0) is the
    south-west corner. Reflectance is DN / 10000 without the offset of -1000: the darkest pixels
    have DN 133 to 252, and the offset would make nearly all of the blue band negative. Whether the
    numbers are surface or top-of-atmosphere reflectance is not told either; with 0.02 in the blue
    of the darkest hundredth they look corrected for the light that the air scatters.

    Raises:
        MissingDataError: spyndex is not installed.
        BrokenDataError: its data file is damaged.
    """
    content = _data_file("spyndex", "spyndex", "data", "S2_10m.json")
    try:
        numbers = np.array(json.loads(content), dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise _broken("spyndex", error) from error
    if numbers.shape != (4, 300, 300):
        raise _broken("spyndex", f"its numbers have shape {numbers.shape}, not (4, 300, 300)")
    return Scene(
        array=numbers / np.float32(S2_QUANTIFICATION),
        bands=("B02", "B03", "B04", "B08"),
        transform=Affine(10, 0, 0, 0, -10, 3000),
        crs=None,
        units=("reflectance",) * 4,
    )
