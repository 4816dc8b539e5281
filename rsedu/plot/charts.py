"""Charts: spectral bands on their axis, curves, correlations."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from rsedu.plot.panels import COLOURS
from rsedu.scenes.bands import S2, S2_BANDS


def spectral_bands(*, ax: Axes | None = None) -> Axes:
    """Draw Sentinel-2's 12 bands as bars: wavelength across, native ground sample distance up."""
    ax = ax or plt.gca()
    for number, name in enumerate(S2_BANDS):
        centre, width, gsd_m = S2[name].wavelength_um, S2[name].width_um, S2[name].native_gsd_m
        assert centre is not None and width is not None
        colour = COLOURS[number % 2]
        ax.barh(gsd_m, width, left=centre - width / 2, height=6, color=colour)
        ax.text(centre, gsd_m + 4, name, ha="center", fontsize="small", rotation=60)
    ax.axvspan(0.38, 0.70, color="gold", alpha=0.2, linewidth=0)
    ax.text(0.54, 40, "what eyes see", ha="center")
    ax.set(xlabel="wavelength (um)", ylabel="native GSD (m)")
    ax.set(xlim=(0.35, 2.35), ylim=(0, 78), yticks=(10, 20, 60))
    return ax


def curve(
    x: Sequence[float],
    mean: Sequence[float],
    half_width: Sequence[float],
    *,
    label: str,
    colour: str,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw a curve with its interval, mean plus and minus `half_width`, as a band."""
    ax = ax or plt.gca()
    middle, half = np.asarray(mean), np.asarray(half_width)
    ax.plot(x, middle, marker="o", color=colour, label=label, **style)
    ax.fill_between(x, middle - half, middle + half, color=colour, alpha=0.2, linewidth=0)
    return ax


def correlation(
    matrix: Float[np.ndarray, "bands bands"],
    names: Sequence[str],
    *,
    title: str,
    ax: Axes | None = None,
    bar: bool = True,
) -> Axes:
    """Draw the correlations between bands, -1 to 1, with a colour bar if `bar`."""
    ax = ax or plt.gca()
    image = ax.imshow(matrix, cmap="BrBG", vmin=-1, vmax=1)
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize="x-small")
    ax.set_yticks(range(len(names)), names, fontsize="x-small")
    ax.set_title(title, fontsize="medium")
    if bar:
        ax.figure.colorbar(image, ax=ax, shrink=0.8, label="correlation")
    return ax
