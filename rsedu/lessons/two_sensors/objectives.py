"""Contrast, reconstruction or both at equal compute: what lesson 05 compares, and how."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rsedu.evaluation.linear_probe import Labelled, linear_probe
from rsedu.evaluation.neighbours import chance_accuracy, knn_accuracy
from rsedu.lessons.two_sensors.lab import Places, Tiles
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
BROKEN = 0.95  # share of forest from which a tile looks like any other
DIRECTIONS = ("radar to optical", "optical to radar")


def learn(
    config: CromaTrainingConfig,
    source: Source,
    *,
    seed: int,
    steps: int,
    batch: int = 64,
    peak: float = 2e-3,
    progress: bool = False,
) -> CromaTraining:
    """Train a model on the CPU.

    Args:
        config: of the model.
        source: of pairs.
        seed: of weights and masks.
        steps: of `batch` pairs each; a tenth of them warms up.
        batch: pairs per step.
        peak: learning rate.
        progress: show a bar.
    """
    torch.manual_seed(seed)
    model = CromaTraining(config)
    settings = TrainConfig(
        steps=steps,
        batch_size=batch,
        blr=peak * 256 / batch,
        warmup_steps=steps // 10,
        seed=seed,
    )
    train(model, source, settings, device="cpu", progress=progress)
    return model.eval()


@torch.no_grad()
def tokens_of(
    model: CromaTraining, places: Tiles
) -> dict[str, Float[np.ndarray, "tiles patches dim"]]:
    """Tokens of "radar", "optical" and "joint", and "apart": those of both sensors side by side."""
    tokens = {
        name: torch.cat([part[f"{name}_tokens"] for part in _encoded(model, places)]).numpy()
        for name in ("radar", "optical", "joint")
    }
    return tokens | {"apart": np.concatenate([tokens["radar"], tokens["optical"]], axis=2)}


@torch.no_grad()
def contrasted(
    model: CromaTraining, places: Tiles
) -> tuple[Float[np.ndarray, "tiles dim"], Float[np.ndarray, "tiles dim"]]:
    """The vectors of radar and of optical that InfoNCE compares, of whole images."""
    encoded = _encoded(model, places)
    heads = (("radar", model.contrast_radar), ("optical", model.contrast_optical))
    radar, optical = (
        torch.cat([head(part[f"{name}_pooled"]) for part in encoded]).numpy()
        for name, head in heads
    )
    return radar, optical


def _encoded(model: CromaTraining, places: Tiles) -> list[dict[str, Tensor]]:
    parts = zip(torch.split(places.radar, 64), torch.split(places.optical, 64), strict=True)
    return [model.croma(radar=radar, optical=optical) for radar, optical in parts]


def quarters(
    values: Float[np.ndarray, "tiles"], labelled: Float[np.ndarray, "labelled"]
) -> np.ndarray:
    """Into which quarter of the labelled values each value falls, 0 to 3."""
    return np.asarray(np.digitize(values, np.quantile(labelled, (0.25, 0.5, 0.75))))


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
    keep = [places.forest < BROKEN for places in (labelled, test)]
    table: dict[str, dict[str, dict[str, float]]] = {}
    for question in ("forest", "edges"):
        known, wanted = (
            getattr(places, question)[mask]
            for places, mask in zip((labelled, test), keep, strict=True)
        )
        labels = quarters(known, known), quarters(wanted, known)
        table[question] = {
            name: probed(pair[0][keep[0]], labels[0], pair[1][keep[1]], labels[1])
            for name, pair in vectors.items()
        }
    return table
