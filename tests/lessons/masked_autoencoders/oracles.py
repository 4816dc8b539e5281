"""Oracles of lesson 02: the kit's own blocks, ranks by counting, and closed forms."""

import numpy as np
import torch
from numpy.typing import NDArray

from rsedu import blocks

Array = NDArray[np.float64]


def _visible(tokens: int, mask_ratio: float) -> int:
    return sum(token + 0.5 < tokens * (1 - mask_ratio) for token in range(tokens))


def _random_mask(noise: Array, mask_ratio: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A token's place in the shuffled order is the number of tokens with less noise."""
    ranks = (noise < noise[:, None]).sum(axis=1)
    places = range(_visible(len(noise), mask_ratio))
    return np.array([ranks.tolist().index(place) for place in places]), ranks


def _unshuffled(visible: Array, ids: NDArray[np.int64], token: Array) -> Array:
    images = (torch.from_numpy(each)[None] for each in (visible, ids))
    return blocks.unshuffle(*images, torch.from_numpy(token))[0].numpy()


ORACLES = {
    "patchify": lambda image, size: blocks.patchify(torch.from_numpy(image)[None], size)[0].numpy(),
    "random_mask": _random_mask,
    "put_back": _unshuffled,
    "masked_loss": lambda made, true, mask: float(
        np.average((made - true) ** 2, weights=np.tile(mask[:, None], made.shape[1]))
    ),
    "per_patch_norm": lambda patches: blocks.normalise_patches(torch.from_numpy(patches)[None])[0][
        0
    ].numpy(),
    "attention_pairs": lambda side_px, patch_px, mask_ratio: (
        _visible((side_px // patch_px) ** 2, mask_ratio),
        (1 - mask_ratio) ** 2,
    ),
}
