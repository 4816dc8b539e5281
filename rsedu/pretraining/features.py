"""Features of a pre-trained model, and what they are worth: kNN of the share of forest."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from rsedu.evaluation.neighbours import chance_accuracy, knn_accuracy
from rsedu.pretraining.recipes import IMAGES
from rsedu.pretraining.tile_sources import Downsample, SelectInputs
from rsedu.synthetic.land_cover import FOREST
from rsedu.synthetic.tiles import FrontierTiles
from rsedu.training.sampler import Source


@torch.no_grad()
def embed(
    model: nn.Module,
    tiles: Source,
    *,
    shrink: int,
    inputs: Mapping[str, str] = IMAGES,
    batch_size: int = 64,
) -> tuple[Float32[np.ndarray, "samples dim"], Float32[np.ndarray, "samples means"]]:
    """Features (N, D) of every tile, and the means (N, C) of its bands that they have to beat.

    The model, on the CPU, has ``features``, which takes `inputs`: argument -> entry of a tile.
    `shrink` x `shrink` pixels of a tile become one of what the *encoder* sees.
    """
    model.eval()
    features: Any = getattr(model, "features")  # noqa: B009  # nn.Module types it as a Tensor
    source = SelectInputs(Downsample(tiles, shrink) if shrink > 1 else tiles, inputs)
    vectors, means = [], []
    for start in range(0, len(tiles), batch_size):
        numbers = np.arange(start, min(start + batch_size, len(tiles)))
        batch = source.batch(numbers, numbers)
        vectors.append(features(**batch).numpy())
        images = [image.mean(dim=(2, 3)) for image in batch.values() if image.ndim == 4]
        means.append(torch.cat(images, dim=1).numpy())
    return np.concatenate(vectors), np.concatenate(means)


def knn_forest_share(
    model: nn.Module, tiles: FrontierTiles, *, shrink: int = 2, inputs: Mapping[str, str] = IMAGES
) -> dict[str, float]:
    """KNN across worlds: how much forest is in a tile, in quarters of all tiles.

    The first half of the worlds is learnt from and sets the quarters, the second half is tested:
    accuracies in [0, 1] of the features, of raw band means, and of the commonest quarter.
    """
    forest = np.stack([tiles.cover(index) for index in range(len(tiles))])[:, FOREST]
    half = len(tiles.worlds) // 2 * tiles.tiles_per_world
    labels = np.digitize(forest, np.quantile(forest[:half], (0.25, 0.5, 0.75)))
    features, means = embed(model, tiles, shrink=shrink, inputs=inputs)
    scores = {
        name: knn_accuracy(vectors[:half], labels[:half], vectors[half:], labels[half:])
        for name, vectors in (("features", features), ("band means", means))
    }
    return {**scores, "commonest quarter": chance_accuracy(labels[:half], labels[half:])}
