"""Small files with the true driver, names and CRS, made from a seed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from rsedu.scenes.bands import S2, S2_BANDS
from rsedu.scenes.scene import Scene

UTM = CRS.from_epsg(32721)
WEST, NORTH = 600_000.0, 9_000_000.0
WriteTif = Callable[..., Path]
MakeScene = Callable[..., Scene]


def _write(
    path: Path,
    array: np.ndarray,
    *,
    gsd_m: float = 10,
    west: float = WEST,
    north: float = NORTH,
    crs: CRS | None = UTM,
    transform: Affine | None = None,
    descriptions: Sequence[str] = (),
    overviews: Sequence[int] = (),
    **options: Any,
) -> Path:
    array = array if array.ndim == 3 else array[None]
    profile = {
        "driver": "GTiff",
        "count": array.shape[0],
        "height": array.shape[1],
        "width": array.shape[2],
        "dtype": array.dtype,
        "crs": crs,
        "transform": transform or Affine(gsd_m, 0, west, 0, -gsd_m, north),
    }
    with rasterio.open(path, "w", **profile, **options) as target:
        target.write(array)
        for i, text in enumerate(descriptions, start=1):
            target.set_band_description(i, text)
        if overviews:
            target.build_overviews(overviews, rasterio.enums.Resampling.average)
    return path


@pytest.fixture
def write_tif() -> WriteTif:
    return _write


@pytest.fixture
def make_scene() -> MakeScene:
    """A scene of seeded noise; keywords replace any field, `gsd_m` and `shape` make the grid."""

    def make(
        *, shape: tuple[int, int] = (12, 9), bands: Sequence[str] = ("B02", "B03"), **fields: Any
    ) -> Scene:
        gsd_m = fields.pop("gsd_m", 10.0)
        rng = np.random.default_rng(fields.pop("seed", 0))
        values: dict[str, Any] = {
            "array": rng.uniform(0.1, 0.9, (len(bands), *shape)).astype(np.float32),
            "bands": tuple(bands),
            "transform": Affine(gsd_m, 0, WEST, 0, -gsd_m, NORTH),
            "crs": UTM,
            "units": ("reflectance",) * len(bands),
        }
        return Scene(**(values | fields))

    return make


@pytest.fixture
def s2_folder(tmp_path: Path) -> Path:
    """A BigEarthNet-like patch, 120 m x 240 m: band k holds seeded numbers around 1000 + 100 k."""
    rng = np.random.default_rng(1)
    folder = tmp_path / "S2A_MSIL2A_20170613T101031_N0205_R022_T21LXX_87_48"
    folder.mkdir()
    for k, name in enumerate(S2_BANDS):
        side = int(S2[name].native_gsd_m)
        numbers = rng.integers(900, 1100, (120 // side, 240 // side)) + 100 * k
        _write(folder / f"{folder.name}_{name}.tif", numbers.astype(np.uint16), gsd_m=side)
    return folder
