"""What a prompter shows, as a figure."""

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from rsedu import plot
from rsedu.scenes.scene import Scene
from rsedu.widget.state import Click, State

# The colours of canvas.js, from the palette of rsedu.plot.scenes.
MASK, KEPT, POSITIVE, NEGATIVE, BOX = "#56B4E9", "#E69F00", "#0072B2", "#D55E00", "#F0E442"


def draw(
    scene: Scene,
    state: State,
    mask: Bool[np.ndarray, "rows cols"],
    *,
    bands: tuple[str, str, str],
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a scene with the mask at hand, kept ones, clicks (+ or -) and the box (dashed)."""
    ax = plot.composite(scene, bands, title=title, ax=ax or plt.gca())
    for kept in state.kept:
        _overlay(ax, kept.mask, KEPT)
    _overlay(ax, mask, MASK)
    if state.box is not None:
        left, top, right, bottom = state.box.edges
        for colour, width, style in (("black", 3.0, "-"), (BOX, 1.5, "--")):
            # matplotlib has the centre of pixel (0, 0) at (0, 0), not its edge.
            corner, size = (left - 0.5, top - 0.5), (right - left, bottom - top)
            frame = Rectangle(corner, *size, fill=False, edgecolor=colour)
            frame.set(linewidth=width, linestyle=style)
            ax.add_patch(frame)
    for click in state.clicks:
        _point(ax, click)
    return ax


def _overlay(ax: Axes, mask: Bool[np.ndarray, "rows cols"], colour: str) -> None:
    if not mask.any():
        return
    visible = np.ma.masked_where(~mask, mask)
    ax.imshow(visible, cmap=ListedColormap([colour]), alpha=0.4, interpolation="nearest")
    # A ring of empty pixels, so that an outline closes at the scene's own edge.
    rows, cols = mask.shape
    at = (np.arange(-1, cols + 1), np.arange(-1, rows + 1))
    ringed = np.pad(mask.astype(float), 1)
    ax.contour(*at, ringed, levels=[0.5], colors="black", linewidths=2.5)
    ax.contour(*at, ringed, levels=[0.5], colors=colour, linewidths=1.2)
    ax.set(xlim=(-0.5, cols - 0.5), ylim=(rows - 0.5, -0.5))


def _point(ax: Axes, click: Click) -> None:
    face, sign = (POSITIVE, "+") if click.positive else (NEGATIVE, "_")
    ax.plot(click.col, click.row, "o", markersize=9, color=face, markeredgecolor="white")
    ax.plot(click.col, click.row, sign, markersize=6, color="white", markeredgewidth=1.6)
