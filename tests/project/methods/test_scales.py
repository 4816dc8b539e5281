"""Track A: what the encoder is shown at each GSD, and what comes back on the stack's pixels."""

import numpy as np
import pytest
import torch
from einops import rearrange, reduce
from torch import Tensor

from rsedu.project.methods import scales
from rsedu.project.methods.baselines import Sample
from rsedu.project.methods.scales import MixedGsd, Probe, pairs, patches_of, resized, tokens


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
