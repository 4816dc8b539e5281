import argparse

import pytest
import torch

from rsedu.errors import InputError
from rsedu.models.laplacian import Bands, split_bands
from rsedu.models.published import NonCommercialWeightsWarning
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig
from rsedu.models.vit import Encoder, MaskedViTConfig, ViTSize
from tests.models.autoencoders import SMALL, Constant, images_of, scalemae as model, seeded


def mean_over_hidden(error, mask, grid):
    """Walk over the hidden patches of each image and collect every value in them."""
    rows, cols = grid
    side = error.shape[-1] // cols
    values = []
    for b in range(len(error)):
        for n in range(rows * cols):
            if mask[b, n] == 1:
                y, x = n // cols * side, n % cols * side
                values.append(error[b, :, y : y + side, x : x + side].flatten())
    return torch.cat(values).mean()


@pytest.mark.parametrize("variant", ["paper", "released"])
@pytest.mark.parametrize(("scale", "shape"), [(2, (2, 3, 32, 16)), (1, (3, 5, 8, 12))])
def test_losses_by_hand(variant, scale, shape):
    images, grid = images_of(*shape), (shape[2] // (4 * scale), shape[3] // (4 * scale))
    out = model(channels=shape[1], variant=variant, target_scale=scale)(images, 10.0, seeded())
    target = split_bands(images, grid, target_scale=scale, variant=variant)
    power = 1 if variant == "paper" else 2
    high = mean_over_hidden((target.high - out["high"]).abs() ** power, out["mask"], grid)
    low = mean_over_hidden((target.low - out["low"]) ** 2, out["mask"], grid)
    torch.testing.assert_close(out["loss_high"].detach(), high)
    torch.testing.assert_close(out["loss_low"].detach(), low)
    torch.testing.assert_close(out["loss"], out["loss_high"] + out["loss_low"])


def test_outputs_for_figures_carry_no_gradient():
    out = model()(images_of(2, 3, 32, 32), 1.0, seeded())
    scalars = {name for name, value in out.items() if value.ndim == 0}
    assert scalars == {"loss", "loss_high", "loss_low"} == {n for n in out if out[n].requires_grad}
    assert out["high"].shape == (2, 3, 32, 32)
    assert out["low"].shape == (2, 3, 16, 16)
    assert out["mask"].sum(1).tolist() == [12, 12]


def test_visible_pixels_are_free():
    scale, images = model(), images_of(1, 3, 32, 32)
    latent = scale._encode_visible(images, 1.0, seeded())
    target = scale._target(images, latent)
    predicted = Bands(*(torch.randn_like(band, requires_grad=True) for band in target))
    losses = scale._losses(target, predicted, latent)
    (losses["loss_low"] + losses["loss_high"]).backward()
    hidden = latent.masked.mask.reshape(4, 4)
    for band, side in ((predicted.low, 4), (predicted.high, 8)):
        expected = hidden.repeat_interleave(side, 0).repeat_interleave(side, 1) > 0
        assert torch.equal(band.grad[0].abs().sum(0) > 0, expected)


def test_encoder_sees_the_shrunk_image_at_the_coarser_gsd():
    scale, images = model().eval(), images_of(2, 3, 16, 32)
    latent = scale._encode_visible(images, torch.tensor([5.0, 10.0]), seeded())
    assert latent.gsd.tolist() == [10.0, 20.0]
    small = images.unflatten(2, (8, 2)).unflatten(4, (16, 2)).mean((3, 5))
    expected = scale.encoder.encode_visible(
        small, torch.tensor([10.0, 20.0]), mask_ratio=0.75, generator=seeded()
    )
    torch.testing.assert_close(latent.tokens, expected.tokens)
    assert model(target_scale=1)._encode_visible(images, 5.0, seeded()).gsd.tolist() == [5.0, 5.0]


def test_plain_baseline_needs_and_reads_no_gsd():
    plain, images = model(gsd_encoding=False), images_of(2, 3, 32, 32)
    gsds = (None, 1.0, torch.tensor([3.0, 60.0]))
    losses = [plain(images, gsd, seeded())["loss"] for gsd in gsds]
    assert losses[0] == losses[1] == losses[2]


def test_unequal_gsd_in_one_batch_is_each_image_alone():
    scale, images, gsd = model(mask_ratio=0.0), images_of(2, 3, 16, 24), torch.tensor([2.0, 9.0])
    latent = scale._encode_visible(images, gsd, seeded())
    together = scale._decode(latent)
    for i in range(2):
        seen = scale._encode_visible(images[i : i + 1], gsd[i : i + 1], seeded(i + 7))
        alone = scale._decode(seen)
        # Another order of the same tokens: sums differ in the last digit.
        torch.testing.assert_close(together.high[i], alone.high[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together.low[i], alone.low[0], atol=1e-5, rtol=1e-4)


def test_class_token_stays_out_of_the_decoder():
    scale, images = model(), images_of(1, 3, 16, 16)
    latent = scale._encode_visible(images, 1.0, seeded())
    other = latent._replace(tokens=latent.tokens.clone())
    other.tokens[:, 0] += 100
    assert torch.equal(scale._decode(latent).high, scale._decode(other).high)


def test_reconstruct_adds_the_bands_that_forward_predicts():
    scale, images = model(variant="released"), images_of(1, 3, 32, 32)
    out, shown = scale(images, 5.0, seeded()), scale.reconstruct(images, 5.0, seeded())
    low = torch.nn.functional.interpolate(out["low"], size=(2, 2), mode="area")
    low = torch.nn.functional.interpolate(low, size=(32, 32), mode="bilinear")
    torch.testing.assert_close(shown.prediction, low + out["high"])


def test_true_bands_reconstruct_the_image():
    scale, images = model(variant="released"), images_of(1, 3, 32, 32)
    scale.head = Constant(scale._target(images, scale._encode_visible(images, 5.0, None)))
    shown = scale.reconstruct(images, 5.0).prediction
    torch.testing.assert_close(shown, images, atol=1e-5, rtol=1e-5)
    assert scale(images, 5.0)["loss"].item() == 0


def test_each_token_paints_its_own_place():
    # Of a 2 x 5 grid, change the last patch of the first row: the first two columns stay.
    scale, images = model(mask_ratio=0.0), images_of(1, 3, 16, 40)
    latent = scale._encode_visible(images, 5.0, seeded())
    tokens = torch.randn(1, 10, 16)
    scale.decoder = Constant(tokens)
    before = scale._decode(latent)
    tokens[0, 4] += 1
    after = scale._decode(latent)
    for band, patch in ((0, 4), (1, 8)):
        moved = (after[band] - before[band])[0].abs().amax(dim=0)
        assert moved[:patch, 4 * patch :].max() > 1e-4
        assert moved[:, : 2 * patch].max() < 1e-6


REFUSED = {
    "an odd height": ((1, 3, 31, 32), 1.0, {}, "multiples of 8"),
    "half a patch": ((1, 3, 36, 32), 1.0, {}, "whole patches"),
    "no size of a pixel": ((1, 3, 32, 32), None, {}, "no gsd came"),
    "an unknown variant": ((1, 3, 32, 32), 1.0, {"variant": "reviewed"}, "'paper', 'released'"),
}


@pytest.mark.parametrize(
    ("shape", "gsd", "changes", "pattern"), REFUSED.values(), ids=list(REFUSED)
)
def test_what_is_refused(shape, gsd, changes, pattern):
    config = ScaleMAEConfig(**SMALL)
    for name, value in changes.items():
        object.__setattr__(config, name, value)  # the annotation would speak first
    with pytest.raises(InputError, match=pattern):
        ScaleMAE(config)(images_of(*shape), gsd)


def test_from_released(tmp_path):
    torch.manual_seed(3)
    source = Encoder(
        MaskedViTConfig(encoder=ViTSize(32, 3, 4), channels=5, patch_size=8, gsd_encoding=True)
    ).eval()
    extra = {"pos_embed": torch.zeros(1, 5, 32), "decoder_embed.weight": torch.zeros(8, 32)}
    content = {"model": source.vit.state_dict() | extra, "args": argparse.Namespace(lr=1e-3)}
    torch.save(content, tmp_path / "checkpoint.pth")
    with pytest.warns(NonCommercialWeightsWarning, match="CC-BY-NC-4.0"):
        scale = ScaleMAE.from_released(tmp_path / "checkpoint.pth", heads=4)
    images = images_of(2, 5, 16, 24)
    assert torch.equal(scale.encode(images, 7.0), source(images, 7.0))
    assert not scale.training
    assert scale.config.encoder == ViTSize(32, 3, 4)
    assert (scale.config.channels, scale.config.patch_size) == (5, 8)
