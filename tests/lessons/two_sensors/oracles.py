"""Oracles of lesson 05: the kit's bias and loss, scikit-learn's ranking, batches listed."""

import itertools
import math
import statistics

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import top_k_accuracy_score

from rsedu.blocks.contrastive import info_nce
from rsedu.blocks.position import alibi_2d

Array = NDArray[np.float64]


def _recall(similarity: Array, k: int) -> tuple[float, float]:
    partners = np.arange(len(similarity))
    rows, cols = (
        top_k_accuracy_score(partners, table, k=k) for table in (similarity, similarity.T)
    )
    return float(rows), float(cols)


def _pairs(batch: int, places: int) -> float:
    """Every batch that can be drawn, and its pairs counted."""
    counts = [
        sum(one == other for one, other in itertools.combinations(drawn, 2))
        for drawn in itertools.product(range(places), repeat=batch)
    ]
    return sum(counts) / len(counts)


def _losses(
    prediction: Array, optical: Array, radar: Array, optical_mask: Array, radar_mask: Array
) -> float:
    errors: tuple[list[float], list[float]] = ([], [])
    for patch in range(len(prediction)):
        values = [*optical[patch].ravel().tolist(), *radar[patch].ravel().tolist()]
        mean, spread = statistics.mean(values), math.sqrt(statistics.variance(values) + 1e-6)
        for pixel, channel in np.ndindex(*prediction.shape[1:]):
            is_radar = channel >= optical.shape[2]
            image = radar if is_radar else optical
            true = float(image[patch, pixel, channel - is_radar * optical.shape[2]])
            if (radar_mask if is_radar else optical_mask)[patch]:
                error = float(prediction[patch, pixel, channel]) - (true - mean) / spread
                errors[is_radar].append(error**2)
    return statistics.mean(errors[0]) + statistics.mean(errors[1])


ORACLES = {
    "info_nce": lambda first, second, temperature: float(
        info_nce(torch.from_numpy(first), torch.from_numpy(second), temperature)
    ),
    "recall_at_k": _recall,
    "alibi_bias": lambda rows, cols, heads: alibi_2d(heads, (rows, cols))[0].numpy().astype(float),
    "cross_bias": lambda bias, radar, optical: np.array(
        [[[head[r, o] for o in optical] for r in radar] for head in bias]
    ),
    "two_losses": _losses,
    "same_place_pairs": _pairs,
}
