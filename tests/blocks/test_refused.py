"""What no block can do, and what it says; beside it, what is just allowed."""

import math
from functools import partial

import pytest
import torch

from rsedu import blocks
from rsedu.blocks.position import rows_and_cols
from rsedu.errors import InputError

TOKENS = torch.zeros(1, 3, 8)


def images(height, width):
    return torch.zeros(1, 3, height, width)


def masked(ratio):
    return blocks.random_masking(torch.zeros(1, 10, 1), ratio)


def metres(gsd=1.0, reference=1.0):
    return blocks.gsd_sincos_2d(8, 2, torch.tensor([1.0, gsd]), reference)


REFUSED = {
    "half a patch below": (lambda: blocks.patchify(images(9, 8), 4), "whole patches"),
    "half a patch to the right": (lambda: blocks.patchify(images(8, 9), 4), "whole patches"),
    "patches of no pixel": (lambda: blocks.grid_shape(images(8, 8), 0), "whole patches"),
    "more patches than the grid": (
        lambda: blocks.unpatchify(torch.zeros(1, 6, 12), 2, (2, 2)),
        "grid of 2 x 2",
    ),
    "part of a channel": (
        lambda: blocks.unpatchify(torch.zeros(1, 6, 12), 5, (2, 3)),
        r"5\^2 values",
    ),
    "a grid of no row": (lambda: rows_and_cols((0, 5)), "at least one row"),
    "heads that do not divide the width": (lambda: blocks.Attention(10, 4), "no multiple of num"),
    "a context that is missing": (lambda: blocks.Block(8, 2, cross=True)(TOKENS), "no context"),
    "a context too many": (lambda: blocks.Block(8, 2)(TOKENS, TOKENS), "a context came"),
    "attention without heads": (lambda: blocks.alibi_slopes(0), "at least one head"),
    **{
        f"{ratio} of ten tokens hidden": (lambda ratio=ratio: masked(ratio), "at least one token")
        for ratio in (-0.1, 0.91, 0.95, 1.0, 1.5)
    },
    **{
        f"{call.__name__} of {dim} numbers": (partial(call, dim, *rest), "multiple of 4")
        for call, *rest in ((blocks.sincos_2d, 2), (blocks.interleaved_order,))
        for dim in (0, 2, 6, 97)
    },
    **{
        f"{name} {gsd} m": (partial(metres, **{name: gsd}), f"^{word} is .* metres per pixel")
        for name, word in (("gsd", "gsd"), ("reference", "reference_gsd"))
        for gsd in (0.0, -1.0, math.nan, math.inf)
    },
}


@pytest.mark.parametrize(("call", "pattern"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused(call, pattern):
    with pytest.raises(InputError, match=pattern):
        call()


def test_what_is_just_allowed():
    assert masked(0.9).mask.sum() == 9 and masked(0.0).mask.sum() == 0
    assert blocks.sincos_2d(4, 1).shape == (1, 4)
    assert torch.isfinite(metres(1e-3)).all()
    assert blocks.alibi_slopes(1).tolist() == [2**-8]


def test_one_side_stands_for_a_square():
    assert rows_and_cols(3) == (3, 3) and rows_and_cols((2, 5)) == (2, 5)
    square = torch.rand(1, 2, 6, 6)
    assert torch.equal(blocks.unpatchify(blocks.patchify(square, 2), 2, 3), square)
    assert torch.equal(blocks.alibi_2d(2, 3), blocks.alibi_2d(2, (3, 3)))


def test_a_masked_mean_counts_only_where_the_mask_is_one():
    values, mask = torch.tensor([[1.0, 9.0], [4.0, -3.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert blocks.masked_mean(values, mask) == 2.5
