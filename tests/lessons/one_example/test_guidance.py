"""Guided attention and the weights of three masks, beside the kit and beside a search."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from rsedu.lessons.one_example.guidance import guided_attention, mask_weights
from rsedu.segment.oneshot.guided_attention import GuidedAttention


class _Plain(nn.Module):
    """An attention of one head whose projections do nothing."""

    num_heads = 1

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = self.k_proj = self.v_proj = self.out_proj = nn.Identity()


def test_attention_is_that_of_the_kit() -> None:
    torch.manual_seed(0)
    tokens, cells, likelihood = torch.randn(1, 3, 4), torch.randn(1, 9, 4), torch.rand(9)
    expected = GuidedAttention(_Plain(), likelihood)(tokens, cells, cells)[0]
    scores = (tokens[0] @ cells[0].T / 2).numpy()
    found = guided_attention(scores, likelihood.numpy()) @ cells[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_attention_is_spread_and_tilted() -> None:
    found = guided_attention(np.array([[50.0, 0.0, 0.0]]), np.array([0.0, 0.0, 1.0]))[0]
    assert found.sum() == pytest.approx(1)
    # However sure it was: no weight is more than e^2 of another.
    assert found[0] == pytest.approx(found[2]) and found[0] / found[1] == pytest.approx(np.e)


def test_no_other_weights_fit_better() -> None:
    draw = np.random.default_rng(1)
    chances, truth = draw.random((3, 40)), (draw.random(40) < 0.5).astype(float)
    weights = mask_weights(chances, truth)
    assert weights.sum() == pytest.approx(1)
    least = ((weights @ chances - truth) ** 2).sum()
    for one, other in itertools.product(np.linspace(-0.3, 0.3, 7), repeat=2):
        moved = weights + np.array([-one - other, one, other])
        assert ((moved @ chances - truth) ** 2).sum() >= least - 1e-12
