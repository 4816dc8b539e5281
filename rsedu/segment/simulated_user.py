"""Simulated prompts: where a user would click, and which box they would drag."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor

from rsedu.segment.prompt import Point
from rsedu.segment.regions import interior_point, largest


def boxes_of(
    masks: Bool[Tensor, "objects rows cols"], *, cell_px: float = 1.0
) -> Float[Tensor, "objects 4"]:
    """Tight boxes (left, top, right, bottom) around masks of one pixel at least.

    `cell_px` is the side of a mask's pixel in the frame of the boxes; edges, not centres, count.
    """
    _, rows, cols = masks.shape
    in_rows, in_cols = masks.any(dim=2).int(), masks.any(dim=1).int()
    left, top = in_cols.argmax(dim=1), in_rows.argmax(dim=1)
    right = cols - in_cols.flip(1).argmax(dim=1)
    bottom = rows - in_rows.flip(1).argmax(dim=1)
    return cell_px * torch.stack([left, top, right, bottom], dim=1).float()


def jittered(
    boxes: Float[Tensor, "objects 4"], *, share: float, most_px: float, side_px: float
) -> Float[Tensor, "objects 4"]:
    """Move each edge (left, top, right, bottom) at random, as a hand would.

    By a share (one standard deviation) of the box's side, `most_px` at most, within the image.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    moves = (share * sides * torch.randn_like(boxes)).clamp(-most_px, most_px)
    return (boxes + moves).clamp(0, side_px)


def points_in(
    regions: Bool[Tensor, "objects rows cols"], *, cell_px: float = 1.0
) -> Float[Tensor, "objects 2"]:
    """Draw one point (x, y) evenly from each region; from everywhere where it is empty.

    `cell_px` is the side of a region's pixel in the frame of the points.
    """
    return _within(_drawn(regions), regions.shape[2], cell_px)


def _drawn(regions: Bool[Tensor, "objects rows cols"]) -> Int64[Tensor, "objects"]:
    """One cell of each region, as its number in reading order."""
    weights = regions.flatten(1).float()
    weights = weights + (weights.sum(dim=1, keepdim=True) == 0)
    return torch.multinomial(weights, 1)[:, 0]


def _within(
    cells: Int64[Tensor, "objects"], cols: int, cell_px: float
) -> Float[Tensor, "objects 2"]:
    """A random point (x, y) in each cell."""
    at = torch.stack([cells % cols, cells // cols], dim=1)
    # A click lies on pixel centres of the frame, which SAM then moves by half a pixel.
    return cell_px * (at + torch.rand(at.shape, device=at.device)) - 0.5


def corrections(
    predicted: Bool[Tensor, "objects rows cols"],
    truth: Bool[Tensor, "objects rows cols"],
    *,
    cell_px: float = 1.0,
) -> tuple[Float[Tensor, "objects 2"], Int[Tensor, "objects"]]:
    """Draw one click per object from where prediction and truth differ.

    Points are (x, y); labels 1 where the object was missed, 0 where there was none.
    """
    cells = _drawn(predicted ^ truth)
    points = _within(cells, truth.shape[2], cell_px)
    # Not from the points: in float32 one may be rounded into the next cell, even out of the mask.
    labels = truth.flatten(1).gather(1, cells[:, None])[:, 0]
    return points, labels.int()


def next_click(
    predicted: Bool[np.ndarray, "rows cols"], truth: Bool[np.ndarray, "rows cols"]
) -> tuple[Point, int] | None:
    """Where a careful user clicks next: in the middle of the largest error.

    Errors are the connected pixels that were missed, or that were taken in wrongly; the middle is
    the pixel furthest from the region's outside (distance transform). At first, nothing is
    predicted.

    Returns the pixel as (col, row), and 1 where the object was missed or 0 where there is none;
    None where nothing is wrong.
    """
    missed, extra = largest(truth & ~predicted), largest(predicted & ~truth)
    on_object = bool(missed.sum() >= extra.sum())
    error = missed if on_object else extra
    return (interior_point(error), int(on_object)) if error.any() else None
