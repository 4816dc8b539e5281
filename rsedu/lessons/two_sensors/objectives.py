"""Contrast, reconstruction or both at equal compute: what lesson 05 compares, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from rsedu.evaluation.neighbours import Labelled, chance_accuracy, knn_accuracy, linear_probe
from rsedu.io.files import write_atomically
from rsedu.lessons.two_sensors.lab import SIDE_PX, Pairs, Places, Tiles, World, recall
from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig
from rsedu.training.loop import train
from rsedu.training.sampler import Source
from rsedu.training.settings import TrainConfig

#: A CROMA that learns something in three minutes on one core.
TINY = CromaTrainingConfig(dim=64, heads=4, optical_depth=2, radar_depth=1, joint_depth=1)
OBJECTIVES = {
    "both": TINY,
    "contrast": replace(TINY, reconstruction=0.0),
    "reconstruction": replace(TINY, contrast=0.0),
}
SHORT = "contrast, as few pairs"
STEPS, BATCH = 400, 64  # of both losses together
BROKEN = 0.95  # share of forest from which a tile looks like any other
GALLERY = 256  # tiles among which the partner is sought
DIRECTIONS = ("radar to optical", "optical to radar")


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

    def operations(each: CromaTrainingConfig) -> int:
        with FlopCounterMode(display=False) as counter:
            CromaTraining(each)(**images)["loss"].backward()
        return int(counter.get_total_flops())

    return round(steps * operations(TINY) / operations(config))


def learn(
    config: CromaTrainingConfig,
    source: Source,
    *,
    seed: int,
    steps: int | None = None,
    batch: int = BATCH,
    peak: float = 2e-3,
    keep: Path | None = None,
    progress: bool = False,
) -> CromaTraining:
    """Train a model on the CPU, or read it if it was trained before.

    Args:
        config: of the model.
        source: of pairs.
        seed: of weights and masks.
        steps: those of `steps_of`, if None.
        batch: pairs per step.
        peak: learning rate.
        keep: file for its weights.
        progress: show a bar.
    """
    torch.manual_seed(seed)
    model = CromaTraining(config)
    if keep is None or not keep.exists():
        wanted = steps_of(config) if steps is None else steps
        settings = TrainConfig(
            steps=wanted,
            batch_size=batch,
            blr=peak * 256 / batch,
            warmup_steps=wanted // 10,
            seed=seed,
        )
        train(model, source, settings, device="cpu", progress=progress)
        if keep is not None:
            write_atomically(keep, lambda path: torch.save(model.state_dict(), path))
    if keep is not None:
        model.load_state_dict(torch.load(keep, weights_only=True))
    return model.eval()


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


@torch.no_grad()
def tokens_of(
    model: CromaTraining, places: Tiles
) -> dict[str, Float[np.ndarray, "tiles patches dim"]]:
    """Tokens of "radar", "optical" and "joint", and "apart": those of both sensors side by side."""
    tokens = {
        name: torch.cat([each[f"{name}_tokens"] for each in _seen(model, places)]).numpy()
        for name in ("radar", "optical", "joint")
    }
    return tokens | {"apart": np.concatenate([tokens["radar"], tokens["optical"]], axis=2)}


@torch.no_grad()
def contrasted(
    model: CromaTraining, places: Tiles
) -> tuple[Float[np.ndarray, "tiles dim"], Float[np.ndarray, "tiles dim"]]:
    """The vectors of radar and of optical that InfoNCE compares, of whole images."""
    made = _seen(model, places)
    heads = (("radar", model.contrast_radar), ("optical", model.contrast_optical))
    radar, optical = (
        torch.cat([head(each[f"{name}_pooled"]) for each in made]).numpy() for name, head in heads
    )
    return radar, optical


def _seen(model: CromaTraining, places: Tiles) -> list[dict[str, Tensor]]:
    parts = zip(torch.split(places.radar, 64), torch.split(places.optical, 64), strict=True)
    return [model.croma(radar=radar, optical=optical) for radar, optical in parts]


def quarters(
    values: Float[np.ndarray, "tiles"], labelled: Float[np.ndarray, "labelled"]
) -> np.ndarray:
    """Into which quarter of the labelled values each value falls, 0 to 3."""
    numbers: np.ndarray = np.digitize(values, np.quantile(labelled, (0.25, 0.5, 0.75)))
    return numbers


def probed(
    known: Float[np.ndarray, "labelled dim"],
    truth: np.ndarray,
    queries: Float[np.ndarray, "tests dim"],
    answers: np.ndarray,
) -> dict[str, float]:
    """Accuracies of a linear probe, of 20 neighbours, and of the commonest label.

    Args:
        known: labelled features; their last third chooses the probe's strength.
        truth: their labels.
        queries: features of other places.
        answers: their labels.
    """
    most = len(truth) * 2 // 3
    probe = linear_probe(
        Labelled(known[:most], truth[:most]),
        Labelled(known[most:], truth[most:]),
        Labelled(queries, answers),
    )
    return {
        "linear": probe.accuracy,
        "knn": knn_accuracy(known, truth, queries, answers),
        "chance": chance_accuracy(truth, answers),
    }


def probe_scores(
    vectors: Mapping[str, tuple[np.ndarray, np.ndarray]], labelled: Places, test: Places
) -> dict[str, dict[str, dict[str, float]]]:
    """Two questions on tiles that are not all forest: quarters by forest share and by its edge.

    Args:
        vectors: name -> features of all labelled and of all test tiles.
        labelled: tiles of some worlds.
        test: tiles of others.

    Returns:
        Question -> name -> as `probed`.
    """
    keep = [each.forest < BROKEN for each in (labelled, test)]
    table: dict[str, dict[str, dict[str, float]]] = {}
    for question in ("forest", "edges"):
        known, wanted = (
            getattr(each, question)[mask] for each, mask in zip((labelled, test), keep, strict=True)
        )
        labels = quarters(known, known), quarters(wanted, known)
        table[question] = {
            name: probed(pair[0][keep[0]], labels[0], pair[1][keep[1]], labels[1])
            for name, pair in vectors.items()
        }
    return table


def gallery(places: Places, *, count: int = GALLERY) -> np.ndarray:
    """Numbers of the first tiles that are not all forest: those that can be told apart."""
    numbers: np.ndarray = np.flatnonzero(places.forest < BROKEN)[:count]
    return numbers


def retrieval(
    radar: Float[np.ndarray, "tiles dim"], optical: Float[np.ndarray, "tiles dim"]
) -> dict[str, float]:
    """Recall@1 and @5 in both `DIRECTIONS`; chance is k / N."""
    pairs = dict(zip(DIRECTIONS, ((radar, optical), (optical, radar)), strict=True))
    return {
        f"{direction}, recall@{k}": recall(*pair, k=k)
        for direction, pair in pairs.items()
        for k in (1, 5)
    }
