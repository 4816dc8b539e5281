"""The pyramid of lesson 04 loses nothing, and its losses are those of the kit's model."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from rsedu.lessons.laplacian.exercises import put_together, take_apart
from rsedu.lessons.laplacian.spectra import band_losses
from rsedu.models.laplacian import low_pass
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig


@given(levels=st.integers(0, 3), rows=st.integers(1, 4), cols=st.integers(1, 4))
def test_nothing_is_lost(levels: int, rows: int, cols: int) -> None:
    image = np.random.default_rng(rows).normal(size=(rows * 8, cols * 8))
    parts = take_apart(image, levels)
    assert len(parts) == levels + 1
    np.testing.assert_allclose(put_together(parts), image, atol=1e-12)


def test_losses_are_those_of_the_model() -> None:
    model = ScaleMAE(ScaleMAEConfig(patch_size=4, gsd_encoding=False, mask_ratio=0.5))
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = model(images, generator=torch.Generator().manual_seed(1))
    high = (images - low_pass(images, (16, 16)))[0].numpy()
    low = low_pass(images, (4, 4), (16, 16))[0].numpy()
    made = found["high"][0].numpy(), found["low"][0].numpy()
    ours = band_losses(made[0], high, made[1], low, found["mask"].reshape(4, 4).numpy())
    theirs = float(found["loss_high"].detach()), float(found["loss_low"].detach())
    assert ours == pytest.approx(theirs, rel=1e-5)
