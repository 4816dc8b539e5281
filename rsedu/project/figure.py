"""A change map beside the truth, and where the two differ."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float32, UInt8

from rsedu import plot
from rsedu.errors import BrokenDataError, InputError
from rsedu.files import write_atomically
from rsedu.project.place import Place
from rsedu.project.score import Score
from rsedu.scenes.scene import Scene

NAMES = ("neither", "found", "missed", "false alarm")
NEITHER, FOUND, MISSED, FALSE_ALARM = range(len(NAMES))
# Of the palette of rsedu.plot, told apart by colour-blind readers and by how dark they are.
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
    found: Score,
) -> str:
    """Draw truth, map and errors side by side, as the current figure.

    Args:
        mapped: decimal year of the loss, NaN for none.
        true: likewise.
        place: of both.
        found: the score of the map.

    Returns:
        The sentence that belongs under the figure.
    """
    grid = place.grid
    scene = Scene(
        array=true[None], bands=("year",), transform=grid.transform, crs=grid.crs, units=("index",)
    )
    axes = plot.panels(1, 3, title=f"SYNTHETIC {place}", size_in=(4.6, 4.2))
    period = (place.since, place.until)
    for ax, years, title in ((axes[0], true, "truth"), (axes[1], mapped, "map")):
        plot.index_map(
            years,
            scene,
            label="year of the loss",
            title=title,
            ax=ax,
            cmap="cividis",
            limits=period,
        )
    kinds = errors(mapped, true)
    plot.class_map(kinds, scene, names=NAMES, colours=COLOURS, title="errors", ax=axes[2])
    low, high = found.interval_ha
    return (
        f"Loss of forest in truth, on the map, and where the two differ: F1 {found.f1:.3f}; "
        f"{found.mapped_ha:.0f} ha on the map, {found.estimated_ha:.0f} ha estimated "
        f"({low:.0f} to {high:.0f}), {found.true_ha:.0f} ha in truth."
    )


def check_name(path: Path) -> None:
    """Refuse a name for the figure that does not end in .png.

    Raises:
        InputError: it does not.
    """
    if path.suffix.lower() != ".png":
        raise InputError(
            f"The figure is written as PNG; name a file that ends in .png, not {path}."
        )


def save(path: Path) -> None:
    """Write the current figure as a PNG, whole or not at all, and close it.

    Raises:
        InputError: the name does not end in .png.
        BrokenDataError: nothing can be written there.
    """
    check_name(path)
    figure = plt.gcf()
    try:
        write_atomically(
            path, lambda temporary: figure.savefig(temporary, format="png", dpi=_DOTS_PER_INCH)
        )
    except OSError as error:
        raise BrokenDataError(f"{path} cannot be written: choose another ({error}).") from error
    finally:
        plt.close(figure)
