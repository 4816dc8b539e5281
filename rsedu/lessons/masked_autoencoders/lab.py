"""Tiles of the synthetic frontier, and inpainting without learning, for lesson 02."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Float32, Shaped
from scipy.interpolate import griddata
from scipy.ndimage import distance_transform_edt
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from rsedu.errors import InputError
from rsedu.scenes.scene import Scene
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import FOREST

#: Sentinel-2's four bands of 10 m, which the real scene of clearings has too.
BANDS = ("B02", "B03", "B04", "B08")
SIDE_M = 10_240.0  # of a world
LABEL_GSD_M = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Tiles:
    """One world cut into square tiles, row by row.

    Attributes:
        images: (N, bands, side, side) float32, standardised reflectance.
        edges: (N,) length of the forest's edge, km per square km: what ecologists count to say
            how broken up a forest is.
    """

    images: Float32[Tensor, "tiles bands side side"]
    edges: Float[np.ndarray, "tiles"]


def date_of(world: int) -> float:
    """The decimal year at which a world is looked at, 2006.5 to 2024.5, by its seed."""
    return 2006.5 + world * 7 % 19


def tiles(
    world: int,
    *,
    side_m: float = 640.0,
    gsd_m: float = 10.0,
    bands: Sequence[str] = BANDS,
    every: int = 1,
) -> Tiles:
    """Render a synthetic world of 10.24 km under clear sky and cut it into tiles.

    Args:
        world: its seed.
        side_m: side of a tile on the ground, metres; a divisor of 10240, and a multiple of 10.
        gsd_m: ground sample distance, metres; a multiple of 2.5 that divides `side_m`.
        bands: of Sentinel-2.
        every: keep all tiles (1), every second (2) or every fourth (4) of each row.

    Returns:
        The same places in the same order whatever the GSD.
    """
    place, date = Frontier(seed=world, size_m=SIDE_M), date_of(world)
    images, edges = [], []
    corners = product(np.arange(0, SIDE_M, side_m), np.arange(0, SIDE_M, 4 * side_m))
    for top_m, left_m in corners:  # a whole world at once takes gigabytes
        fine, labels = (_four(top_m, left_m, side_m, size) for size in (gsd_m, LABEL_GSD_M))
        scene = place.optical(date=date, gsd_m=gsd_m, window=fine)
        images.append(cut(scene, int(side_m / gsd_m), bands=bands)[::every].clone())
        classes = place.truth(date=date, gsd_m=LABEL_GSD_M, window=labels).classes
        edges.append(edge_density(classes == FOREST, int(side_m / LABEL_GSD_M))[::every])
    return Tiles(images=torch.cat(images), edges=np.concatenate(edges))


def _four(top_m: float, left_m: float, side_m: float, gsd_m: float) -> tuple[slice, slice]:
    """Rows and columns of four tiles side by side, or of as many as there are."""
    ends = ((top_m, top_m + side_m), (left_m, left_m + 4 * side_m))
    rows, cols = (slice(int(start / gsd_m), int(end / gsd_m)) for start, end in ends)
    return rows, cols


def cut(
    scene: Scene, side_px: int, *, bands: Sequence[str] = BANDS
) -> Float32[Tensor, "tiles bands side side"]:
    """Cut a scene into standardised tiles, row by row; what does not fill a tile is left away.

    Args:
        scene: surface reflectance.
        side_px: side of a tile, pixels.
        bands: of the tiles, in this order.
    """
    return torch.from_numpy(crop(normalise(scene.select(*bands).array, bands), side_px))


def crop(
    image: Shaped[np.ndarray, "bands rows cols"], side_px: int
) -> Float32[np.ndarray, "tiles bands side side"]:
    """Crop an image into tiles, row by row; what does not fill a tile is left away."""
    rows, cols = (side // side_px * side_px for side in image.shape[1:])
    whole = image[:, :rows, :cols].astype(np.float32)
    return np.ascontiguousarray(
        rearrange(whole, "b (r y) (c x) -> (r c) b y x", y=side_px, x=side_px)
    )


def edge_density(forest: Bool[np.ndarray, "rows cols"], side_px: int) -> Float[np.ndarray, "tiles"]:
    """Length of the forest's edge in each tile: sides of pixels between forest and all else.

    Args:
        forest: pixels of `LABEL_GSD_M`, in whole tiles.
        side_px: side of a tile, pixels.

    Returns:
        (N,) km per square km, tiles row by row.
    """
    tiles = rearrange(forest, "(r y) (c x) -> (r c) y x", y=side_px, x=side_px)
    sides = sum(np.diff(tiles, axis=axis).sum(axis=(1, 2)) for axis in (1, 2))
    side_km = LABEL_GSD_M / 1000
    return np.asarray(sides * side_km / (side_px * side_km) ** 2)


def inpaint(
    image: Float[np.ndarray, "bands rows cols"], hidden: Bool[np.ndarray, "rows cols"], method: str
) -> Float[np.ndarray, "bands rows cols"]:
    """Paint hidden pixels from visible ones without having learnt anything.

    Args:
        image: any unit; hidden pixels are not looked at.
        hidden: True where a pixel is hidden; one at least is not.
        method: "mean": the mean of all visible pixels of the band; "nearest": the nearest visible
            pixel; "linear": linear interpolation between the visible pixels around, and the
            nearest one where there are none on one side.

    Returns:
        A copy in which hidden pixels are painted.

    Raises:
        InputError: the method is none of the three, or everything is hidden.
    """
    if method not in ("mean", "nearest", "linear") or hidden.all():
        raise InputError(
            f"method is {method!r} and {hidden.mean():.0%} is hidden: take mean, nearest or "
            "linear, and leave some pixels visible."
        )
    if method == "mean":
        means = image[:, ~hidden].mean(axis=1)
        return np.where(hidden, means[:, None, None], image).astype(image.dtype)
    rows, cols = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    filled: np.ndarray = image[:, rows, cols]
    if method == "linear" and hidden.any():
        known, wanted = np.argwhere(~hidden), np.argwhere(hidden)
        between = griddata(known, image[:, ~hidden].T, wanted, method="linear").T
        filled[:, hidden] = np.where(np.isfinite(between), between, filled[:, hidden])
    return filled


def inpaint_batch(
    images: Float32[Tensor, "batch bands rows cols"],
    hidden: Float32[Tensor, "batch 1 rows cols"],
    method: str,
) -> Float32[Tensor, "batch bands rows cols"]:
    """`inpaint` for a batch; `hidden` is 1 where a pixel is hidden."""
    pairs = zip(images.numpy(), hidden.numpy()[:, 0] > 0, strict=True)
    filled = [inpaint(image, mask, method).astype(np.float32) for image, mask in pairs]
    return torch.from_numpy(np.stack(filled))


def hidden_error(
    prediction: Float32[Tensor, "batch bands rows cols"],
    images: Float32[Tensor, "batch bands rows cols"],
    hidden: Float32[Tensor, "batch 1 rows cols"],
) -> float:
    """Mean squared error over the hidden pixels of all images and bands, in their unit squared."""
    squared = (prediction - images).square().mean(dim=1, keepdim=True)
    return float((squared * hidden).sum() / hidden.sum())


def explained(
    labelled: tuple[Float[np.ndarray, "places dim"], Float[np.ndarray, "places"]],
    test: tuple[Float[np.ndarray, "tests dim"], Float[np.ndarray, "tests"]],
    *,
    labels: int = 64,
    seed: int = 0,
) -> float:
    """How well few labels and a straight line tell a quantity from features.

    Ridge regression on standardised features; its penalty is chosen among the labels by
    leaving one out.

    Args:
        labelled: features (N, D) and the quantity (N,), of which `labels` are drawn.
        test: features and quantity of other places.
        labels: how many labelled places the regression sees.
        seed: of the draw.

    Returns:
        R2 on the test places: 1 is perfect, 0 as good as their mean.
    """
    drawn = np.random.default_rng(seed).permutation(len(labelled[1]))[:labels]
    probe = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 5, 15)))
    return float(probe.fit(labelled[0][drawn], labelled[1][drawn]).score(*test))
