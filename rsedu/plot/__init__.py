"""Every figure, with its unit and its sentence."""

from rsedu.plot.charts import correlation, curve, spectral_bands
from rsedu.plot.panels import COLOURS, panels, show, small_png
from rsedu.plot.scenes import (
    UNIT_LABELS,
    band,
    class_map,
    composite,
    false_colour,
    index_map,
    scale_bar,
    true_colour,
)
from rsedu.scenes.colours import unit_stretch as stretch

__all__ = [
    "COLOURS",
    "UNIT_LABELS",
    "band",
    "class_map",
    "composite",
    "correlation",
    "curve",
    "false_colour",
    "index_map",
    "panels",
    "scale_bar",
    "show",
    "small_png",
    "spectral_bands",
    "stretch",
    "true_colour",
]
