"""Sentinel-1 and Sentinel-2 scenes: pixels with a place, read from real files.

`tensors` alone needs torch and is imported by name: `from rsedu.scenes.tensors import to_tensor`.
"""

from rsedu.scenes.bands import S1, S1_BANDS, S2, S2_BANDS, Band
from rsedu.scenes.indices import ndvi, normalised_difference
from rsedu.scenes.reader import read_classes, read_onto, read_window
from rsedu.scenes.samples import Pair, clearing, pairs
from rsedu.scenes.scene import Scene
from rsedu.scenes.sentinel1 import read_sentinel1
from rsedu.scenes.sentinel2 import read_sentinel2

__all__ = [
    "S1",
    "S1_BANDS",
    "S2",
    "S2_BANDS",
    "Band",
    "Pair",
    "Scene",
    "clearing",
    "ndvi",
    "normalised_difference",
    "pairs",
    "read_classes",
    "read_onto",
    "read_sentinel1",
    "read_sentinel2",
    "read_window",
]
