"""Track A: what the encoder is shown at each GSD, and what comes back on the stack's pixels."""

import numpy as np
import pytest
import torch

from rsedu.project.methods import scales
from rsedu.project.methods.pixel_classifier import Sample
from rsedu.project.methods.scales import MixedGsd, pairs, resized


def test_coarser_is_the_mean_and_finer_is_between() -> None:
    images = torch.rand(1, 2, 12, 10)
    coarse = resized(images, 10.0, 20.0)
    assert torch.allclose(coarse[0, 1, 2, 3], images[0, 1, 4:6, 6:8].mean())
    fine = resized(images, 10.0, 5.0)
    assert fine.shape == (1, 2, 24, 20)
    assert torch.allclose(fine[..., 4, 5], _between(images), atol=1e-6)


def _between(images: torch.Tensor) -> torch.Tensor:
    """At row 4 and column 5 of twice as many pixels: 1.75 and 2.25 in the old ones."""
    rows = 0.25 * images[:, :, 1] + 0.75 * images[:, :, 2]
    return 0.75 * rows[..., 2] + 0.25 * rows[..., 3]


def test_the_encoder_is_told_the_gsd_of_what_it_sees(
    monkeypatch: pytest.MonkeyPatch, samples: tuple[Sample, ...]
) -> None:
    told = []

    def encode(images: torch.Tensor, *, gsd_m: float) -> torch.Tensor:
        told.append((gsd_m, images.shape[-1]))
        patches = (images.shape[-1] // 8) ** 2
        return images.mean(dim=(2, 3))[:, None].expand(-1, patches, -1)

    monkeypatch.setattr(scales, "_encode", encode)
    rows, cols = samples[0].stack.shape
    for gsd_m in (5.0, 20.0):
        found = pairs(samples[0].stack, gsd_m)
        scale = 10.0 / gsd_m
        assert found.shape == (-(-rows * scale // 8), -(-cols * scale // 8), 24)
        assert told[-1] == (gsd_m, 128)


def test_the_tokens_alone_find_losses_on_the_pixels_of_the_stack(
    samples: tuple[Sample, ...],
) -> None:
    method = MixedGsd.fit(gsds_m=(10.0, 20.0), places=(1,))
    sample = samples[0]
    planes = method.read(sample.stack)
    lost = np.isfinite(sample.years)
    assert planes.shape == (2, *sample.stack.shape)
    assert (planes[:, lost].mean(axis=1) > planes[:, ~lost].mean(axis=1) + 0.3).all()
    assert len(method(sample.stack)) == 68 + 2
    assert method.name == "scale-mae at 10, 20 m, heads of places 1"
