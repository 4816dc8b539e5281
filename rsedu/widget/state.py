"""What a user has said so far: clicks, boxes, which mask, and the masks that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped

from rsedu.errors import InputError
from rsedu.io.masks import as_mask

#: The masks that a segmenter offers for one prompt.
OFFERED = 3


@dataclass(frozen=True, kw_only=True)
class Click:
    """One point on a pixel.

    Attributes:
        col: of the pixel, from the west; whole numbers are the centres of pixels.
        row: of the pixel, from the north.
        positive: on the object; False: on what does not belong to it.
    """

    col: float
    row: float
    positive: bool = True


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle around the object, in edges of pixels: the scene is (0, 0, cols, rows).

    Its right is above its left, and its bottom above its top.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom)."""
        return self.left, self.top, self.right, self.bottom


Step = Click | Box


@dataclass(frozen=True, eq=False, kw_only=True)
class Kept:
    """A mask that was kept.

    Attributes:
        mask: pixels of the object; bool, 0 and 1, or 0 and 255.
        label: its class.
        iou: that the segmenter predicted for it, about 0 to 1.
        steps: what it was prompted with.
    """

    mask: Shaped[np.ndarray, "rows cols"]
    label: str
    iou: float
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", as_mask(self.mask))


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """All that a prompter knows of its user; frozen, so that an earlier one can come back.

    Attributes:
        steps: clicks and boxes for the object at hand, in their order. The last box counts.
        choice: 0, 1 or 2, the mask that was chosen; None for the one the segmenter likes best.
        kept: finished objects.
    """

    steps: tuple[Step, ...] = ()
    choice: int | None = None
    kept: tuple[Kept, ...] = ()

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The points, in their order."""
        return tuple(step for step in self.steps if isinstance(step, Click))

    @property
    def box(self) -> Box | None:
        """The last box, if any."""
        boxes = [step for step in self.steps if isinstance(step, Box)]
        return boxes[-1] if boxes else None

    def with_step(self, step: Step, *, shape: tuple[int, int]) -> "State":
        """Return the state with one more click or box; a box is cut to the scene of (rows, cols).

        Raises:
            InputError: the click lies outside, or the box has no pixel of the scene.
        """
        checked = _click(step, shape) if isinstance(step, Click) else _box(step, shape)
        return replace(self, steps=(*self.steps, checked))

    def with_choice(self, index: int) -> "State":
        """Return the state with another mask chosen."""
        if index not in range(OFFERED):
            raise InputError(f"Mask {index} was chosen; there are 0, 1 and 2.")
        return replace(self, choice=index)

    def with_kept(self, mask: np.ndarray, *, label: str, iou: float) -> "State":
        """Return the state with the object at hand finished: its mask kept, its steps gone."""
        if not mask.any():
            raise InputError("There is no mask to keep: click on the object first.")
        new = Kept(mask=mask, label=label.strip() or "object", iou=iou, steps=self.steps)
        return State(kept=(*self.kept, new))

    def cleared(self) -> "State":
        """Return the state without clicks, boxes and choice; what is kept stays."""
        return State(kept=self.kept)


def checked(state: State, *, shape: tuple[int, int]) -> State:
    """Return a state as given by code or a file; an InputError where it doesn't fit a scene."""
    made = State(kept=state.kept)
    for step in state.steps:
        made = made.with_step(step, shape=shape)
    for kept in state.kept:
        if kept.mask.shape != shape:
            raise InputError(
                f"The kept mask {kept.label!r} has shape {kept.mask.shape}, the scene {shape} "
                "(rows, cols): take the state of the same scene."
            )
    return made if state.choice is None else made.with_choice(state.choice)


def _click(click: Click, shape: tuple[int, int]) -> Click:
    rows, cols = shape
    # A pixel reaches half its side beyond its centre.
    if not (-0.5 <= click.col <= cols - 0.5 and -0.5 <= click.row <= rows - 0.5):
        raise InputError(
            f"The point (col {click.col:g}, row {click.row:g}) lies outside a scene of {rows} "
            f"rows and {cols} columns; columns come first."
        )
    return click


def _box(box: Box, shape: tuple[int, int]) -> Box:
    rows, cols = shape
    left, right = _cut((box.left, box.right), cols)
    top, bottom = _cut((box.top, box.bottom), rows)
    if not (left < right and top < bottom):
        raise InputError(
            f"The box (left, top, right, bottom) = {box.edges} holds no pixel of a scene of {rows} "
            f"rows and {cols} columns: left < right, top < bottom, and within the scene."
        )
    return Box(left=left, top=top, right=right, bottom=bottom)


def _cut(edges: Sequence[float], size: int) -> tuple[float, float]:
    low, high = (min(max(edge, 0), size) for edge in edges)
    return low, high
