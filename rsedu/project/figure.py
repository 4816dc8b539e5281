"""Figures of a score: truth, map and errors side by side, and hectares of each year."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.axes import Axes

from rsedu import plot
from rsedu.errors import BrokenDataError, InputError
from rsedu.io.files import write_atomically
from rsedu.project.place import Place
from rsedu.project.score import NO_INTERVAL, Score, YearHectares, in_words
from rsedu.scenes.scene import Scene

NAMES = ("neither", "found", "missed", "false alarm")
NEITHER, FOUND, MISSED, FALSE_ALARM = range(len(NAMES))
# Of the palette of rsedu.plot.scenes, told apart by colour-blind readers and by how dark they are.
COLOURS = ("#F4F4F4", "#56B4E9", "#000000", "#D55E00")
_DOTS_PER_INCH = 150


def errors(
    mapped: Float32[np.ndarray, "rows cols"], true: Float32[np.ndarray, "rows cols"]
) -> UInt8[np.ndarray, "rows cols"]:
    """Return for each pixel an index into `NAMES`; arguments as in `rsedu.project.score.score`."""
    ours, theirs = np.isfinite(mapped), np.isfinite(true)
    kinds = np.select([ours & theirs, theirs, ours], [FOUND, MISSED, FALSE_ALARM], NEITHER)
    return kinds.astype(np.uint8)


def draw(
    mapped: Float32[np.ndarray, "rows cols"],
    true: Float32[np.ndarray, "rows cols"],
    place: Place,
    score: Score,
) -> str:
    """Draw truth, map and errors side by side, as the current figure; return their sentence.

    Years are decimal, NaN for no loss.
    """
    grid = place.grid
    scene = Scene(
        array=true[None], bands=("year",), transform=grid.transform, crs=grid.crs, units=("index",)
    )
    axes = plot.panels(1, 3, title=f"SYNTHETIC {place}", size_in=(4.6, 4.2))
    period = (place.since, place.until)
    style: Any = {"label": "year of the loss", "cmap": "cividis"}
    for ax, years, title in ((axes[0], true, "truth"), (axes[1], mapped, "map")):
        plot.index_map(years, scene, title=title, ax=ax, limits=period, **style)
    kinds = errors(mapped, true)
    plot.class_map(kinds, scene, names=NAMES, colours=COLOURS, title="errors", ax=axes[2])
    return (
        f"Loss of forest in truth, on the map, and where the two differ: F1 {score.f1:.3f}; "
        f"{score.mapped_ha:.0f} ha on the map, {in_words(score.estimated_ha, '.0f', 'ha')} "
        f"estimated ({score.interval}), {score.true_ha:.0f} ha in truth."
    )


def draw_years(years: tuple[YearHectares, ...], *, ax: Axes | None = None) -> str:
    """Draw the hectares of each calendar year: estimated, counted, true; return their sentence.

    Years are those of `rsedu.project.score.by_year`.
    """
    ax = ax or plt.gca()
    at = np.arange(len(years))
    middle = np.array([year.estimated_ha for year in years])
    ends = np.array([[year.low_ha, year.high_ha] for year in years]).T
    reach = np.maximum([middle - ends[0], ends[1] - middle], 0)
    ax.bar(at, middle, 0.7, yerr=reach, capsize=4, color=COLOURS[FOUND], label="estimated, 95 %")
    counted, true = [year.mapped_ha for year in years], [year.true_ha for year in years]
    ax.plot(at, counted, "D", color=COLOURS[FALSE_ALARM], label="counted on the map")
    ax.plot(at, true, "_", color=COLOURS[MISSED], markersize=22, markeredgewidth=2, label="truth")
    ax.set_xticks(at, [str(year.year) for year in years])
    ax.set(ylabel="hectares lost", title="hectares of each year", ylim=(0, None))
    ax.legend(fontsize="small")
    if math.isnan(middle[0]):
        return f"Hectares lost in each calendar year, counted and true. {NO_INTERVAL}"
    worst = max(years, key=lambda year: year.estimated_ha)
    held = sum(year.low_ha <= year.true_ha <= year.high_ha for year in years)
    return (
        f"Hectares lost in each calendar year: most in {worst.year}, {worst.estimated_ha:.0f} "
        f"estimated ({worst.low_ha:.0f} to {worst.high_ha:.0f}); the intervals hold the truth in "
        f"{held} of {len(years)} years."
    )


def check_name(
    path: Path, suffix: str = ".png", what: str = "The figure is written as PNG"
) -> None:
    """Refuse a name for a file that does not end as it should."""
    if path.suffix.lower() != suffix:
        raise InputError(f"{what}; name a file that ends in {suffix}, not {path}.")


def save(path: Path) -> None:
    """Write the current figure as a PNG, and close it; errors as `check_name` and `write`."""
    check_name(path)
    figure = plt.gcf()
    try:
        write(path, lambda file: figure.savefig(file, format="png", dpi=_DOTS_PER_INCH))
    finally:
        plt.close(figure)


def write(path: Path, content: Callable[[Path], object]) -> None:
    """Write a file that somebody named, whole or not at all; BrokenDataError where none can be."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise BrokenDataError(f"{path} cannot be written: choose another ({error}).") from error
