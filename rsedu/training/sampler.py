"""Sampler: where a run's samples come from, and in which order it sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from rsedu.errors import InputError

Numbers = Int64[np.ndarray, "batch"]


@runtime_checkable
class Source(Protocol):
    """Samples by number. The loop decides the order; the source only fetches."""

    def __len__(self) -> int:
        """How many samples one epoch has."""

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch samples: tensors of B rows under the names of the model's ``forward`` arguments.

        Args:
            indices: (B,), each in [0, len(self)).
            positions: (B,), the running number of each draw, unique within a run: the seed of
                its augmentation. Draw from ``np.random.default_rng((seed, position))`` and never
                from a global generator: this is called from a second thread.
        """
        ...


@dataclass(frozen=True)
class TensorSource:
    """A source over tensors in memory: ``TensorSource({"images": images, "gsd": gsd_m})``."""

    tensors: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        if len({len(tensor) for tensor in self.tensors.values()}) != 1:
            lengths = {name: len(tensor) for name, tensor in self.tensors.items()}
            raise InputError(f"Every tensor of a source needs the same number of rows: {lengths}.")

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def batch(self, indices: Numbers, positions: Numbers) -> Mapping[str, Tensor]:
        """Fetch rows; see `Source.batch`."""
        rows = torch.from_numpy(indices)
        return {name: tensor[rows] for name, tensor in self.tensors.items()}


@lru_cache(maxsize=2)
def _epoch_order(length: int, epoch: int, seed: int) -> Int64[np.ndarray, "length"]:
    return np.random.default_rng((seed, epoch)).permutation(length)


def indices_of_step(
    length: int, step: int, *, batch_size: int, seed: int = 0, rank: int = 0, world: int = 1
) -> tuple[Int64[np.ndarray, "share"], Int64[np.ndarray, "share"]]:
    """Which samples one process sees at one step: a pure function, so resuming is exact.

    Each epoch is a fresh permutation; a batch may straddle two. Process `rank` takes the rank-th
    of `world` equal slices, so all slices in order are the batch of a single process.

    Returns:
        (indices, positions), each (batch_size / world,): see `Source.batch`.

    Raises:
        InputError: the source is empty, or the batch can't be shared out equally.
    """
    if length < 1:
        raise InputError("The source has no samples; a batch needs at least one.")
    if batch_size % world:
        raise InputError(
            f"A batch of {batch_size} can't be shared equally by {world} processes; "
            f"take a multiple of {world}."
        )
    share = batch_size // world
    first = step * batch_size + rank * share
    positions = np.arange(first, first + share, dtype=np.int64)
    epochs, offsets = np.divmod(positions, length)
    pairs = zip(epochs.tolist(), offsets.tolist(), strict=True)
    indices = [_epoch_order(length, epoch, seed)[offset] for epoch, offset in pairs]
    return np.asarray(indices, dtype=np.int64), positions
