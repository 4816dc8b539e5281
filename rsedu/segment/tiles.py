"""Tiling of a large image: overlapping rectangles, and which masks go on from one to the next."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from rsedu.errors import InputError
from rsedu.scenes.grid import Number
from rsedu.segment.prompt import Box, Point


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A rectangle of an image: its first row and column, its height and width in pixels."""

    top: int
    left: int
    rows: int
    cols: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Slices of rows and columns."""
        return slice(self.top, self.top + self.rows), slice(self.left, self.left + self.cols)

    def depth(self, point: Point, shape: tuple[int, int]) -> float:
        """How far a point (col, row) lies inside, in pixels; below 0 outside.

        Edges of the image, of (rows, cols), don't count: a tile of all of it gives infinity.
        """
        col, row = point[0] + 0.5, point[1] + 0.5
        sides = (
            (row - self.top, self.top == 0),
            (self.top + self.rows - row, self.top + self.rows == shape[0]),
            (col - self.left, self.left == 0),
            (self.left + self.cols - col, self.left + self.cols == shape[1]),
        )
        return min((room for room, at_edge in sides if not at_edge), default=float("inf"))

    def holds(self, point: tuple[Number, Number]) -> bool:
        """Whether a point (col, row) of the image lies inside or on an edge."""
        col, row = point[0] - self.left, point[1] - self.top
        return -0.5 <= col <= self.cols - 0.5 and -0.5 <= row <= self.rows - 0.5

    def holds_box(self, box: Box, shape: tuple[int, int]) -> bool:
        """Whether all of a box lies in the tile, as far as it lies in an image of (rows, cols)."""
        whole = Tile(top=0, left=0, rows=shape[0], cols=shape[1]).box_within(box)
        if whole is None:
            return False
        left, top, right, bottom = whole
        across = self.left <= left and right <= self.left + self.cols
        return across and self.top <= top and bottom <= self.top + self.rows

    def box_within(self, box: Box) -> tuple[float, float, float, float] | None:
        """The part of a box that is in the tile, in the tile's own pixels; None: no part."""
        left, top, right, bottom = box
        inside = (
            max(float(left) - self.left, 0.0),
            max(float(top) - self.top, 0.0),
            min(float(right) - self.left, float(self.cols)),
            min(float(bottom) - self.top, float(self.rows)),
        )
        return inside if inside[0] < inside[2] and inside[1] < inside[3] else None


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """First pixels of equal pieces that cover a length, evenly spread."""
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [round(start) for start in np.linspace(0, length - side, count)]


def tiling(shape: tuple[int, int], *, side_px: int, overlap_px: int) -> tuple[Tile, ...]:
    """Cover an image of (rows, cols) with tiles of one size; shorter ones where it is shorter.

    Neighbours share `overlap_px` pixels at least; an InputError where that is not below the side.
    """
    if not 0 <= overlap_px < side_px:
        raise InputError(f"overlap_px is {overlap_px}; wanted 0 to below the side, {side_px}.")
    rows, cols = (min(side_px, size) for size in shape)
    return tuple(
        Tile(top=top, left=left, rows=rows, cols=cols)
        for top in _starts(shape[0], side_px, overlap_px)
        for left in _starts(shape[1], side_px, overlap_px)
    )


def leaves(mask: Bool[np.ndarray, "rows cols"], tile: Tile, shape: tuple[int, int]) -> bool:
    """Whether a tile's mask reaches an edge behind which the image of (rows, cols) goes on."""
    touched = (
        (mask[0].any(), tile.top > 0),
        (mask[-1].any(), tile.top + tile.rows < shape[0]),
        (mask[:, 0].any(), tile.left > 0),
        (mask[:, -1].any(), tile.left + tile.cols < shape[1]),
    )
    return any(bool(reached) and goes_on for reached, goes_on in touched)
