"""Equal compute for the objectives of lesson 05, whose models are trained once and kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from rsedu.io.files import write_atomically
from rsedu.lessons.two_sensors import objectives
from rsedu.lessons.two_sensors.lab import SIDE_PX, Pairs, Places, World
from rsedu.lessons.two_sensors.objectives import BROKEN, OBJECTIVES, TINY
from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig
from rsedu.training.sampler import Source

SHORT = "contrast, as few pairs"
STEPS = 400  # of both losses together
GALLERY = 256  # tiles among which the partner is sought


def steps_of(config: CromaTrainingConfig, *, steps: int = STEPS) -> int:
    """How many steps cost as many floating point operations as some of both losses.

    Args:
        config: of the model that is asked about.
        steps: of `TINY`.
    """
    images = {
        "radar": torch.zeros(4, 2, SIDE_PX, SIDE_PX),
        "optical": torch.zeros(4, 12, SIDE_PX, SIDE_PX),
    }

    def operations(config: CromaTrainingConfig) -> int:
        with FlopCounterMode(display=False) as counter:
            CromaTraining(config)(**images)["loss"].backward()
        return int(counter.get_total_flops())

    return round(steps * operations(TINY) / operations(config))


def learn(
    config: CromaTrainingConfig,
    source: Source,
    *,
    seed: int,
    steps: int | None = None,
    keep: Path | None = None,
    **settings: Any,
) -> CromaTraining:
    """Train as the lesson does, or read what was trained before.

    Args:
        config: of the model.
        source: of pairs.
        seed: of weights and masks.
        steps: those of `steps_of`, if None.
        keep: file for its weights.
        settings: further arguments of the lesson's `learn`.
    """
    if keep is not None and keep.exists():
        torch.manual_seed(seed)
        model = CromaTraining(config)
        model.load_state_dict(torch.load(keep, weights_only=True))
        return model.eval()
    steps = steps_of(config) if steps is None else steps
    model = objectives.learn(config, source, seed=seed, steps=steps, **settings)
    if keep is not None:
        write_atomically(keep, lambda path: torch.save(model.state_dict(), path))
    return model


def objective(name: str, worlds: Sequence[World], *, seed: int, keep: Path) -> CromaTraining:
    """One of `OBJECTIVES`, trained on true pairs as long as its compute lasts.

    Args:
        name: of `OBJECTIVES`, or `SHORT`: contrast on no more pairs than both losses see.
        worlds: to learn from.
        seed: of weights, masks and pairs.
        keep: folder for its weights.
    """
    source, file = Pairs(worlds=worlds, seed=seed), keep / f"{name}-{seed}.pt"
    if name == SHORT:
        return learn(OBJECTIVES["contrast"], source, seed=seed, steps=STEPS, keep=file)
    return learn(OBJECTIVES[name], source, seed=seed, keep=file)


def gallery(places: Places, *, count: int = GALLERY) -> np.ndarray:
    """Numbers of the first tiles that are not all forest: those that can be told apart."""
    return np.flatnonzero(places.forest < BROKEN)[:count]
