"""Masks, the way back and their cost, by hand and beside the kit's own blocks."""

import numpy as np
import pytest
import torch

from rsedu import blocks
from rsedu.lessons.masked_autoencoders.masking import attention_pairs, put_back, random_mask


def test_a_mask_by_hand() -> None:
    keep, restore = random_mask(np.array([0.5, 0.1, 0.9, 0.3]), 0.5)
    assert keep.tolist() == [1, 3]
    assert restore.tolist() == [2, 0, 3, 1]


def test_tokens_go_back_to_where_they_were() -> None:
    tokens = np.random.default_rng(0).random((12, 3))
    keep, restore = random_mask(np.random.default_rng(1).random(12), 0.75)
    back = put_back(tokens[keep], restore, np.full(3, 9.0))
    hidden = np.setdiff1d(np.arange(12), keep)
    np.testing.assert_array_equal(back[keep], tokens[keep])
    assert (back[hidden] == 9).all() and len(hidden) == 9


def test_putting_back_is_that_of_the_kit() -> None:
    draw = np.random.default_rng(2)
    visible, ids, token = draw.random((4, 5)), draw.permutation(10), draw.random(5)
    theirs = blocks.unshuffle(
        torch.from_numpy(visible)[None], torch.from_numpy(ids)[None], torch.from_numpy(token)
    )
    np.testing.assert_allclose(put_back(visible, ids, token), theirs[0].numpy())


@pytest.mark.parametrize(
    ("side", "patch", "ratio", "visible", "share"),
    [(64, 8, 0.75, 16, 1 / 16), (64, 8, 0.0, 64, 1.0), (224, 16, 0.75, 49, 1 / 16)],
)
def test_cost_by_hand(side: int, patch: int, ratio: float, visible: int, share: float) -> None:
    assert attention_pairs(side, patch, ratio) == (visible, pytest.approx(share))
