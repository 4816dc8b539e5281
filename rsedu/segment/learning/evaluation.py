"""A model put to the test: a careful user clicks, drags a box, corrects, and the IoU is noted."""

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, UInt8

from rsedu.errors import InputError
from rsedu.evaluation.masks import boundary_bias, iou
from rsedu.segment.answer import Prediction
from rsedu.segment.learning.dataset import BANDS, PLOT, PracticeTiles
from rsedu.segment.prompt import Prompt, box_of
from rsedu.segment.simulated_user import next_click

#: Objects that count: 1/256 to 6/10 of a tile. Of 128 px, that is 64 px: 8 x 8.
LEAST, MOST = 1 / 256, 0.6

Mask = Bool[np.ndarray, "rows cols"]


@runtime_checkable
class Prompted(Protocol):
    """Whatever answers prompts, such as an `rsedu.segment.embedding.Embedded`."""

    def predict(self, prompt: Prompt) -> Prediction:
        """Answer one prompt."""
        ...


def colours(
    tiles: PracticeTiles, index: int, bands: tuple[str, str, str]
) -> UInt8[np.ndarray, "rows cols 3"]:
    """One stored tile as red, green and blue."""
    layers = [BANDS.index(name) for name in bands]
    return np.ascontiguousarray(np.moveaxis(tiles.tile(index)[layers], 0, -1))


def objects_of(tiles: PracticeTiles, index: int, *, most: int | None = None) -> tuple[Mask, ...]:
    """The plots of one stored tile that are neither too small nor nearly all of it.

    Args:
        tiles: stored tiles.
        index: of one of them.
        most: as many at most, drawn evenly and always the same; None: all, the largest first.
    """
    numbers = tiles.tile(index)[PLOT]
    sizes = np.bincount(numbers.ravel())
    chosen = (sizes >= LEAST * numbers.size) & (sizes <= MOST * numbers.size)
    kept = [number for number in np.flatnonzero(chosen) if number]
    if most is not None:
        kept = list(np.random.default_rng(index).permutation(kept)[:most])
    return tuple(numbers == number for number in kept)


def iou_after_clicks(embedded: Prompted, truth: Mask, *, clicks: int) -> list[Prediction]:
    """Click in the middle of the object, then in the middle of each largest error.

    Each click goes on from the best mask before it. Where nothing is wrong any more, the last
    answer is repeated.

    Args:
        embedded: the image.
        truth: the object.
        clicks: how many.

    Returns:
        One answer after each click.

    Raises:
        InputError: the truth is empty.
    """
    wrong = next_click(np.zeros_like(truth), truth)
    if wrong is None:
        raise InputError("The truth is empty: there is no object to click on.")
    prompt = Prompt(points=(wrong[0],))
    answers = [embedded.predict(prompt)]
    while len(answers) < clicks:
        latest = answers[-1]
        wrong = next_click(latest.mask, truth)
        if wrong is None:
            answers.append(latest)
            continue
        prompt = replace(
            prompt.click(*wrong[0], positive=bool(wrong[1])), mask=latest.logits[latest.best]
        )
        answers.append(embedded.predict(prompt))
    return answers


def iou_with_box(embedded: Prompted, truth: Mask) -> Prediction:
    """Drag a tight box around the object."""
    return embedded.predict(Prompt(box=box_of(truth)))


def measure(
    embedded: Prompted, truth: Mask, *, clicks: int = 5, gsd_m: float | None = None
) -> dict[str, float]:
    """IoU of one object after a click, after all clicks, and with a box.

    Args:
        embedded: the image.
        truth: the object.
        clicks: how many.
        gsd_m: side of a pixel in metres, to measure boundary biases too; None: not.

    Returns:
        "1 click", "box" and "N clicks": IoU of the mask with the highest predicted one; "1 click,
        best of three": that of the mask a user would choose; and with a GSD "..., bias m" and
        "..., bias %" of `boundary_bias`.
    """
    answers = iou_after_clicks(embedded, truth, clicks=clicks)
    masks = {
        "1 click": answers[0].mask,
        "box": iou_with_box(embedded, truth).mask,
        f"{clicks} clicks": answers[-1].mask,
    }
    found = {name: iou(mask, truth) for name, mask in masks.items()}
    found["1 click, best of three"] = max(iou(mask, truth) for mask in answers[0].masks)
    for name, mask in masks.items() if gsd_m is not None else ():
        assert gsd_m is not None
        bias = boundary_bias(mask, truth, gsd_m=gsd_m)
        found |= {f"{name}, bias m": bias.boundary_m, f"{name}, bias %": bias.area_percent}
    return found
