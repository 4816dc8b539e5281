"""Tokens: every patch in its place, and back to pixels."""

import numpy as np
import pytest
import torch
from einops import rearrange, reduce
from torch import Tensor

from rsedu.project.methods.tokens import Probe, patches_of, tokens


def means(*images: Tensor) -> Tensor:
    """A token is the mean of each band in its patch."""
    found = [reduce(each, "n c (y p) (x q) -> n (y x) c", "mean", p=8, q=8) for each in images]
    return torch.cat(found, dim=-1)


def test_each_patch_has_its_token_whatever_the_tiles() -> None:
    image = torch.rand(2, 3, 37, 50)
    other = torch.rand(2, 1, 37, 50)
    found = tokens(means, image, other, side_px=16)
    assert found.shape == (2, 5, 7, 4)
    assert found[1, 3, 2, :3] == pytest.approx(image[1, :, 24:32, 16:24].mean(dim=(1, 2)).numpy())
    assert found[0, 0, 5, 3] == pytest.approx(float(other[0, 0, :8, 40:48].mean()))
    assert found[0, 4, 6, 0] == pytest.approx(float(_grown(image)[0, 0, 32:, 48:56].mean()))


def _grown(image: Tensor) -> Tensor:
    rows = image[:, :, [*range(37), 36, 36, 36]]
    return rows[..., [*range(50), *[49] * 6]]


def test_patches_hold_their_pixels_row_by_row() -> None:
    plane = np.arange(11 * 17, dtype=np.float32).reshape(11, 17)
    cut = patches_of(plane)
    assert cut.shape == (6, 64)
    assert np.array_equal(cut[1].reshape(8, 8), plane[:8, 8:16])
    assert cut[5, -1] == plane[-1, -1]


def test_a_probe_reads_pixels_off_tokens_that_hold_them() -> None:
    plane = np.random.default_rng(1).random((80, 96)).astype(np.float32)
    features = 100 * patches_of(plane)
    probe = Probe.fit(features, patches_of(plane))
    grid = rearrange(features, "(y x) dim -> y x dim", y=10)
    assert np.abs(probe.read(grid, (75, 90)) - plane[:75, :90]).max() < 0.01
