"""A scene of odd shape with a place, and a segmenter whose masks can be foretold."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from rsedu.scenes.scene import Scene
from rsedu.widget import Prompter

SHAPE = (30, 47)


@pytest.fixture
def discs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module beside this file, which the browser's notebooks import too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import discs

    return discs


@pytest.fixture
def scene() -> Scene:
    """30 x 47 px of 10 m in UTM zone 31N."""
    array = np.random.default_rng(0).random((3, *SHAPE), dtype=np.float32)
    return Scene(
        array=array,
        bands=("B04", "B03", "B02"),
        transform=Affine(10, 0, 500_000, 0, -10, 4_000_000),
        crs=CRS.from_epsg(32631),
        units=("reflectance",) * 3,
    )


@pytest.fixture
def segmenter(discs):
    return discs.Discs(SHAPE)


@pytest.fixture
def prompter(segmenter, scene) -> Prompter:
    return Prompter(segmenter, scene)
