"""Pixels with a place: Sentinel-1 and Sentinel-2 scenes, real and synthetic.

`tiles` alone needs torch and is imported by name: `from rsedu.scenes.tiles import to_tensor`.
"""

from rsedu.scenes.bands import S1, S1_BANDS, S2, S2_BANDS, Band
from rsedu.scenes.samples import Pair, clearing, pairs
from rsedu.scenes.scene import Scene
from rsedu.scenes.sentinel2 import read_onto, read_sentinel1, read_sentinel2, read_window

__all__ = [
    "S1",
    "S1_BANDS",
    "S2",
    "S2_BANDS",
    "Band",
    "Pair",
    "Scene",
    "clearing",
    "pairs",
    "read_onto",
    "read_sentinel1",
    "read_sentinel2",
    "read_window",
]
