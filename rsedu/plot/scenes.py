"""The kit's figures: every map has a title, a unit, a scale bar, and a sentence under it.

Each drawing function takes `ax` and returns it, so that lessons compose panels freely.
Colour maps are safe for colour-blind readers: grey for one band, "BrBG" for signed indices,
"cividis" for amounts.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Integer
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Rectangle

from rsedu.errors import InputError
from rsedu.scenes.colours import unit_stretch
from rsedu.scenes.scene import Scene

UNIT_LABELS: Mapping[str, str] = {
    "reflectance": "surface reflectance",
    "sigma0": "backscatter sigma0 (power)",
    "sigma0_db": "backscatter sigma0 (dB)",
    "dn": "digital number",
    "index": "index",
}


def composite(
    scene: Scene,
    bands: Sequence[str],
    *,
    title: str,
    like: Scene | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw three bands as red, green and blue; their names are added to the title.

    `like` is the scene whose percentiles set each band's darkest and brightest value, for example
    the same place without clouds; None: the scene itself.
    """
    if len(bands) != 3:
        raise InputError(f"A colour picture takes three bands; came {list(bands)}: name three.")
    ax = ax or plt.gca()
    judged = None if like is None else like.select(*bands).array
    ax.imshow(np.moveaxis(unit_stretch(scene.select(*bands).array, like=judged), 0, -1))
    ax.set_title(f"{title}\n({', '.join(bands)})", fontsize="medium")
    return scale_bar(ax, scene)


def true_colour(
    scene: Scene, *, title: str = "true colour", like: Scene | None = None, ax: Axes | None = None
) -> Axes:
    """Draw B04, B03, B02 as red, green, blue, what an eye would see; `composite` has the rest."""
    return composite(scene, ("B04", "B03", "B02"), title=title, like=like, ax=ax)


def false_colour(
    scene: Scene, *, title: str = "false colour", like: Scene | None = None, ax: Axes | None = None
) -> Axes:
    """Draw B08, B04, B03 as red, green, blue: living leaves turn red; see `composite`."""
    return composite(scene, ("B08", "B04", "B03"), title=title, like=like, ax=ax)


def band(
    scene: Scene,
    name: str,
    *,
    title: str | None = None,
    ax: Axes | None = None,
    limits: tuple[float, float] | None = None,
    bar: bool = True,
) -> Axes:
    """Draw one band in grey, with a colour bar in its unit unless a neighbour's serves.

    `limits` are the darkest and brightest value in that unit; None: percentiles 2 and 98.
    """
    unit = UNIT_LABELS[scene.units[scene.bands.index(name)]]
    return index_map(
        scene.band(name),
        scene,
        label=unit,
        title=title or name,
        ax=ax,
        cmap="gray",
        limits=limits,
        bar=bar,
    )


def index_map(
    values: Float[np.ndarray, "rows cols"],
    scene: Scene,
    *,
    label: str,
    title: str,
    ax: Axes | None = None,
    cmap: str = "BrBG",
    limits: tuple[float, float] | None = None,
    bar: bool = True,
) -> Axes:
    """Draw `values`, one per pixel of `scene`, with a colour bar named `label`."""
    ax = ax or plt.gca()
    low, high = limits or np.nanpercentile(values, [2, 98])
    image = ax.imshow(values, cmap=cmap, interpolation="nearest", vmin=low, vmax=high)
    if bar:
        ax.figure.colorbar(image, ax=ax, label=label, shrink=0.8)
    ax.set_title(title, fontsize="medium")
    return scale_bar(ax, scene)


def class_map(
    classes: Integer[np.ndarray, "rows cols"],
    scene: Scene,
    *,
    names: Sequence[str],
    colours: Sequence[str],
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a map of class numbers, with the classes' names on the colour bar."""
    ax = ax or plt.gca()
    count = len(names)
    norm = BoundaryNorm(np.arange(count + 1) - 0.5, count)
    image = ax.imshow(
        classes, cmap=ListedColormap(list(colours)), norm=norm, interpolation="nearest"
    )
    bar = ax.figure.colorbar(image, ax=ax, ticks=range(count), shrink=0.8)
    bar.ax.set_yticklabels(list(names))
    ax.set_title(title, fontsize="medium")
    return scale_bar(ax, scene)


def scale_bar(ax: Axes, scene: Scene) -> Axes:
    """Take the axes' ticks away and draw a bar of a round length in metres instead."""
    rows, cols = scene.shape
    metres = _round_length(cols * scene.gsd_m / 4)
    width = metres / scene.gsd_m
    left, top, height = 0.04 * cols, 0.93 * rows, 0.02 * rows
    ax.add_patch(
        Rectangle((left, top), width, height, facecolor="white", edgecolor="black", linewidth=0.8)
    )
    label = f"{metres:g} m" if metres < 1000 else f"{metres / 1000:g} km"
    ax.text(
        left + width / 2,
        top - 0.01 * rows,
        label,
        ha="center",
        va="bottom",
        fontsize="small",
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1},
    )
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def _round_length(metres: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten."""
    magnitude = 10 ** np.floor(np.log10(metres))
    return float(max(step * magnitude for step in (1, 2, 5) if step * magnitude <= metres))
