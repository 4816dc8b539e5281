"""The target and the guided attention of lesson 07 beside the kit's own."""

import numpy as np
import torch
from torch import nn

from rsedu.lessons.one_example.exercises import target_embedding
from rsedu.lessons.one_example.guidance import guided_attention
from rsedu.segment.oneshot import reference
from rsedu.segment.oneshot.guided_attention import GuidedAttention
from rsedu.segment.sam import load


def test_the_target_is_that_of_the_kit() -> None:
    draw = np.random.default_rng(0)
    embedded = load("tiny", device="cpu").embed(draw.integers(0, 256, (128, 128, 3), np.uint8))
    features = embedded.features(embedded.tiles[0])[0].numpy()
    cells = draw.random((16, 16)) < 0.3
    target = reference.embed_example(embedded, np.kron(cells, np.ones((8, 8), bool))).target
    np.testing.assert_allclose(target_embedding(features, cells), target, rtol=1e-4, atol=1e-5)


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
