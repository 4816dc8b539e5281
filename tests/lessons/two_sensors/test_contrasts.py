"""The contrastive loss, recall and false negatives of lesson 05, beside the kit."""

import numpy as np
import pytest
import torch

from rsedu.blocks.contrastive import info_nce as info_nce_of_the_kit
from rsedu.lessons.two_sensors.contrasts import info_nce, recall_at_k, same_place_pairs


def test_the_loss_is_that_of_the_kit() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(9, 4)), draw.normal(size=(9, 4))
    made = info_nce_of_the_kit(torch.from_numpy(first), torch.from_numpy(second), 0.3)
    assert info_nce(first, second, 0.3) == pytest.approx(float(made), rel=1e-6)


def test_guessing_costs_the_logarithm_of_the_batch() -> None:
    assert info_nce(np.ones((5, 3)), np.ones((5, 3)), 0.1) == pytest.approx(np.log(5))


def test_lengths_do_not_count_and_certainty_costs_nothing() -> None:
    axes = np.eye(4)
    assert info_nce(axes, 7 * axes, 0.05) == pytest.approx(0, abs=1e-7)


def test_recall_asks_rows_then_columns() -> None:
    # Column 0 is everybody's friend: each row finds it first.
    similarity = np.array([[9.0, 1.0, 0.0], [8.0, 2.0, 0.0], [7.0, 0.0, 3.0]])
    assert recall_at_k(similarity, 1) == pytest.approx((1 / 3, 1.0))
    assert recall_at_k(similarity, 2) == pytest.approx((1.0, 1.0))


def test_every_partner_is_among_all() -> None:
    similarity = np.random.default_rng(1).normal(size=(6, 6))
    assert recall_at_k(similarity, 6) == (1.0, 1.0)


def test_pairs_of_one_place_are_counted_as_drawn() -> None:
    draw = np.random.default_rng(2).integers(0, 4, size=(20_000, 6))
    pairs = (draw[:, :, None] == draw[:, None, :]).sum(axis=(1, 2)) - 6
    assert same_place_pairs(6, 4) == pytest.approx(pairs.mean() / 2, rel=0.02)
    assert same_place_pairs(6, 1) == 15
