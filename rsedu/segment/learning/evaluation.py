"""IoU after clicks and with a box: a careful user puts a model to the test."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from torch import nn

from rsedu.errors import InputError
from rsedu.evaluation.masks import boundary_bias, iou
from rsedu.segment.learning.dataset import BANDS, COMPOSITES, PLOT, PracticeTiles, practice
from rsedu.segment.learning.model import product
from rsedu.segment.prompt import Prediction, Prompt, Promptable, box_of
from rsedu.segment.sam import Segmenter
from rsedu.segment.simulated_user import next_click

#: Objects that count: 1/256 to 6/10 of a tile. Of 128 px, that is 64 px: 8 x 8.
LEAST, MOST = 1 / 256, 0.6

_PARTS = 8  # of the learning curve that the card tells
_WORLDS = 3  # validation worlds
_EACH = 2  # objects of each of their tiles
_TRIPLES = COMPOSITES[:2]  # true colour, and with near infrared

Mask = Bool[np.ndarray, "rows cols"]


def colours(
    tiles: PracticeTiles, index: int, bands: tuple[str, str, str]
) -> UInt8[np.ndarray, "rows cols 3"]:
    """One stored tile as red, green and blue."""
    layers = [BANDS.index(name) for name in bands]
    return np.ascontiguousarray(np.moveaxis(tiles.tile(index)[layers], 0, -1))


def objects_of(tiles: PracticeTiles, index: int, *, most: int | None = None) -> tuple[Mask, ...]:
    """The plots of one stored tile that are neither too small nor nearly all of it.

    `most` of them, drawn evenly and always the same; None: all, the largest first.
    """
    numbers = tiles.tile(index)[PLOT]
    sizes = np.bincount(numbers.ravel())
    chosen = (sizes >= LEAST * numbers.size) & (sizes <= MOST * numbers.size)
    selected = [number for number in np.flatnonzero(chosen) if number]
    if most is not None:
        selected = list(np.random.default_rng(index).permutation(selected)[:most])
    return tuple(numbers == number for number in selected)


def iou_after_clicks(embedded: Promptable, truth: Mask, *, clicks: int) -> list[Prediction]:
    """One answer after each click in the middle of the object, then of each largest error.

    Each click goes on from the best mask before it. Where nothing is wrong any more, the last
    answer is repeated.
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


def measure(
    embedded: Promptable, truth: Mask, *, clicks: int = 5, gsd_m: float | None = None
) -> dict[str, float]:
    """IoU of one object after a click, after all clicks, and with a box; biases with a GSD.

    "1 click", "box" and "N clicks": IoU of the mask with the highest predicted one; "1 click, best
    of three": that of the mask a user would choose; "..., bias m" and "..., bias %": of
    `boundary_bias`.
    """
    answers = iou_after_clicks(embedded, truth, clicks=clicks)
    masks = {
        "1 click": answers[0].mask,
        "box": embedded.predict(Prompt(box=box_of(truth))).mask,
        f"{clicks} clicks": answers[-1].mask,
    }
    numbers = {name: iou(mask, truth) for name, mask in masks.items()}
    numbers["1 click, best of three"] = max(iou(mask, truth) for mask in answers[0].masks)
    if gsd_m is not None:
        for name, mask in masks.items():
            bias = boundary_bias(mask, truth, gsd_m=gsd_m)
            numbers |= {f"{name}, bias m": bias.boundary_m, f"{name}, bias %": bias.area_percent}
    return numbers


def curve(parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean IoU on training tiles after the first prompt, NaN at first, part by part of the run."""
    means = {}
    for steps in np.array_split(np.arange(len(parts["first"])), _PARTS):
        values = parts["first"][steps]
        if steps.size and np.isfinite(values).any():
            name = f"training IoU after the first prompt, steps {steps[0]} to {steps[-1]}"
            means[name] = float(np.nanmean(values))
    return means


def evaluate(
    model: nn.Module, parts: Mapping[str, np.ndarray], worlds: range, folder: Path
) -> dict[str, float]:
    """Numbers for the card: the learning curve, and the mean IoU of objects never trained on."""
    segmenter = Segmenter(name="tiny", model=product(model).eval(), weights="")
    tiles = practice(worlds[:_WORLDS], folder, 0)
    numbers = curve(parts)
    for bands, _ in _TRIPLES:
        rows: list[dict[str, float]] = []
        for index in range(len(tiles)):
            truths = objects_of(tiles, index, most=_EACH)
            if truths:
                embedded = segmenter.embed(colours(tiles, index, bands))
                rows += [measure(embedded, truth) for truth in truths]
        for name in rows[0] if rows else ():
            mean = float(np.mean([row[name] for row in rows]))
            numbers[f"mean IoU on validation worlds, {' '.join(bands)}, {name}"] = mean
    return numbers
