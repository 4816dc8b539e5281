"""Power by scale, the two losses and the mended low band, beside closed forms and the kit."""

import numpy as np
import pytest
import torch

from rsedu.lessons.laplacian.spectra import band_losses, low_target, radial_power
from rsedu.models.laplacian import low_pass
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig


@pytest.mark.parametrize(("down", "right", "ring"), [(3, 0, 3), (0, 5, 5), (3, 4, 5), (-3, 4, 5)])
def test_a_wave_has_all_its_power_in_its_ring(down: int, right: int, ring: int) -> None:
    rows, cols = np.mgrid[:16, :16] / 16
    power = radial_power(1 + 2 * np.cos(2 * np.pi * (down * rows + right * cols)))
    wanted = np.zeros(9)
    wanted[[0, ring]] = 1, 2  # squared mean, half the squared amplitude
    np.testing.assert_allclose(power, wanted, atol=1e-12)


def test_the_power_of_a_smooth_image_adds_up_to_its_mean_square() -> None:
    rows, cols = np.mgrid[:12, :12] / 12
    image = 0.5 + np.sin(2 * np.pi * rows) + np.cos(2 * np.pi * (2 * rows - 3 * cols))
    assert radial_power(image).sum() == pytest.approx((image**2).mean())


def test_losses_by_hand() -> None:
    high = np.array([[[1.0, 0.0], [-3.0, 0.0]]])
    low = np.array([[[2.0, 5.0], [4.0, 6.0]]])
    zeros, mask = np.zeros((1, 2, 2)), np.array([[1.0, 0.0], [1.0, 0.0]])
    assert band_losses(high, zeros, low, zeros, mask) == pytest.approx((2.0, 10.0))


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


def test_the_low_band_is_that_of_the_kit() -> None:
    image = np.random.default_rng(0).random((24, 24))
    theirs = low_pass(torch.from_numpy(image)[None, None], (3, 3), (12, 12))[0, 0]
    np.testing.assert_allclose(low_target(image, 12, 3), theirs.numpy())
