"""What `rsedu pretrain sam` needs: tiles, what is saved, and what its card says."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from rsedu.segment.learning.dataset import COMPOSITES, PracticeTiles
from rsedu.segment.learning.evaluation import colours, measure, objects_of
from rsedu.segment.learning.losses import SamTraining
from rsedu.segment.sam import Segmenter

_PARTS = 8  # of the learning curve that the card tells
_JUDGED = 3  # validation worlds
_EACH = 2  # objects of each of their tiles
_SHOWN = COMPOSITES[:2]  # true colour, and with near infrared


def practice(worlds: range, folder: Path, seed: int) -> PracticeTiles:
    """Tiles to practise on; the first process of each machine renders what is missing.

    Args:
        worlds: seeds.
        folder: where rendered tiles are kept.
        seed: of what is random in a batch; the stored tiles don't depend on it.
    """
    tiles = PracticeTiles(worlds=worlds, folder=folder, seed=seed)
    if int(os.environ.get("LOCAL_RANK", 0)) == 0:
        tiles.prepare(progress=True)
    return tiles


def product(model: nn.Module) -> nn.Module:
    """The Sam within its training module; the rest has done its work."""
    assert isinstance(model, SamTraining)
    return model.sam


def curve(parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The learning curve in a few numbers: mean IoU on training tiles, part by part of the run.

    Args:
        parts: scalars per step, "first" among them: IoU after the first prompt, NaN at first.
    """
    told = {}
    for steps in np.array_split(np.arange(len(parts["first"])), _PARTS):
        values = parts["first"][steps]
        if steps.size and np.isfinite(values).any():
            name = f"training IoU after the first prompt, steps {steps[0]} to {steps[-1]}"
            told[name] = float(np.nanmean(values))
    return told


def evaluate(
    model: nn.Module, parts: Mapping[str, np.ndarray], worlds: range, folder: Path
) -> dict[str, float]:
    """Numbers for the card: the learning curve, and the mean IoU of objects never trained on.

    Args:
        model: as trained.
        parts: scalars per step.
        worlds: seeds of validation worlds; the first few are used.
        folder: where rendered tiles are kept.
    """
    segmenter = Segmenter(name="tiny", model=product(model).eval(), weights="")
    tiles = practice(worlds[:_JUDGED], folder, 0)
    found = curve(parts)
    for bands, _ in _SHOWN:
        rows: list[dict[str, float]] = []
        for index in range(len(tiles)):
            truths = objects_of(tiles, index, most=_EACH)
            if truths:
                embedded = segmenter.embed(colours(tiles, index, bands))
                rows += [measure(embedded, truth) for truth in truths]
        for name in rows[0] if rows else ():
            mean = float(np.mean([row[name] for row in rows]))
            found[f"mean IoU on validation worlds, {' '.join(bands)}, {name}"] = mean
    return found
