from functools import partial

import pytest
import torch

from rsedu.blocks.position import gsd_sincos_2d, sincos_2d
from rsedu.errors import InputError
from rsedu.models.vit import Decoder, Encoder, MaskedViTConfig, ViTSize, initialise
from tests.models.autoencoders import images_of, seeded

SMALL = ViTSize(dim=24, depth=2, heads=3)


def config(**changes):
    return MaskedViTConfig(**{"encoder": SMALL, "patch_size": 4, **changes})


def encoder(**changes):
    torch.manual_seed(0)
    return Encoder(config(**changes)).eval()


def parity_pair(gsd, channels=3):
    """The same random weights here and in torchgeo, which takes one GSD per model."""
    other = pytest.importorskip("torchgeo.models.scale_mae")
    theirs = other.ScaleMAE(
        **{"res": gsd, "img_size": 20, "patch_size": 4, "in_chans": channels},
        **{"embed_dim": 24, "depth": 2, "num_heads": 3, "num_classes": 0},
    ).eval()
    ours = encoder(gsd_encoding=True, channels=channels)
    missing = theirs.load_state_dict(ours.vit.state_dict(), strict=False)
    assert missing.missing_keys == ["pos_embed"]
    assert not missing.unexpected_keys
    return ours, theirs


@pytest.mark.parametrize(("gsd", "channels"), [(1.0, 3), (2.4, 12), (10.0, 2)])
def test_values_match_an_independent_encoder(gsd, channels):
    ours, theirs = parity_pair(gsd, channels)
    images = images_of(2, channels, 20, 20)
    with torch.no_grad():
        expected = theirs.forward_features(images)
        torch.testing.assert_close(ours(images, gsd), expected, atol=1e-5, rtol=0)
        assert not torch.allclose(ours(images, gsd * 1.5), expected, atol=1e-3)


def test_unequal_gsd_in_one_batch_is_each_image_alone():
    model, images = encoder(gsd_encoding=True), images_of(3, 3, 12, 8)
    gsd = torch.tensor([1.0, 5, 10])
    with torch.no_grad():
        together = model(images, gsd)
        for i in range(3):
            alone = model(images[i : i + 1], gsd[i : i + 1])
            torch.testing.assert_close(together[i : i + 1], alone, atol=1e-6, rtol=1e-5)


def test_embedding_is_the_strided_convolution():
    model, images = encoder(), images_of(2, 3, 8, 12)
    grid = model.vit.patch_embed.proj(images).flatten(2).transpose(1, 2)
    tokens = grid + sincos_2d(24, (2, 3))
    tokens = torch.cat([model.vit.cls_token.expand(2, -1, -1), tokens], dim=1)
    torch.testing.assert_close(model(images), model.vit.norm(model.vit.blocks(tokens)))


def test_plain_encoding_does_not_read_the_gsd():
    model, images = encoder(), images_of(2, 3, 8, 8)
    assert torch.equal(model(images), model(images, torch.tensor([0.3, 60.0])))
    assert torch.equal(model(images), encoder(reference_gsd=2.5)(images))


def test_reference_gsd_divides():
    images = images_of(1, 3, 8, 8)
    one = encoder(gsd_encoding=True, reference_gsd=1.0)(images, 3.0)
    other = encoder(gsd_encoding=True, reference_gsd=2.0)(images, 6.0)
    torch.testing.assert_close(one, other)


def test_gsd_may_be_one_number_for_all():
    model, images = encoder(gsd_encoding=True), images_of(2, 3, 8, 8)
    each = model(images, torch.tensor([10.0, 10.0]))
    for gsd in (10, 10.0, torch.tensor([10.0, 10.0], dtype=torch.float64)):
        torch.testing.assert_close(model(images, gsd), each)


def test_seeing_all_is_encoding_in_another_order():
    model, images = encoder(gsd_encoding=True), images_of(2, 3, 12, 16)
    latent = model.encode_visible(images, 5.0, mask_ratio=0.0, generator=seeded(2))
    order = latent.masked.ids_restore[..., None].expand(-1, -1, 24)
    torch.testing.assert_close(latent.tokens[:, 1:].gather(1, order), model(images, 5.0)[:, 1:])
    assert latent.grid == (3, 4)
    assert latent.gsd.tolist() == [5.0, 5.0]


def test_hidden_patches_do_not_reach_the_encoder():
    model, images = encoder(), images_of(2, 3, 16, 16).requires_grad_()
    latent = model.encode_visible(images, mask_ratio=0.75, generator=seeded(2))
    latent.tokens.square().sum().backward()
    touched = images.grad.abs().sum(1).unfold(1, 4, 4).unfold(2, 4, 4).sum((-1, -2)).flatten(1) > 0
    assert torch.equal(touched, latent.masked.mask == 0)
    assert latent.tokens.shape == (2, 1 + 4, 24)


def test_features_pool():
    model, images = encoder(), images_of(2, 3, 8, 8)
    tokens = model(images)
    assert torch.equal(model.features(images, pool="cls"), tokens[:, 0])
    torch.testing.assert_close(model.features(images), tokens[:, 1:].mean(1))


def test_decoder_by_its_parts():
    model = encoder(gsd_encoding=True, decoder_dim=16, decoder_heads=2, decoder_depth=1)
    decoder = Decoder(model.config, model, keep_prefix=True).eval()
    images, gsd = images_of(2, 3, 8, 12), torch.tensor([2.0, 7.0])
    latent = model.encode_visible(images, gsd, mask_ratio=0.5, generator=seeded(2))
    embedded = decoder.embed(latent.tokens)
    tokens = torch.zeros(2, 6, 16)
    for b in range(2):
        tokens[b] = decoder.mask_token[0, 0]
        for place, patch in enumerate(latent.masked.ids_keep[b].tolist()):
            tokens[b, patch] = embedded[b, 1 + place]
    tokens = tokens + gsd_sincos_2d(16, (2, 3), gsd)
    with_class = decoder.blocks(torch.cat([embedded[:, :1], tokens], dim=1))
    torch.testing.assert_close(decoder(latent), decoder.norm(with_class[:, 1:]))
    decoder.keep_prefix = False
    torch.testing.assert_close(decoder(latent), decoder.norm(decoder.blocks(tokens)))


def test_sizes_of_the_kit_and_of_timm():
    assert encoder(encoder="tiny").dim == 96
    assert len(encoder(encoder="small").vit.blocks) == 6
    by_name = encoder(encoder="vit_tiny_patch16_224", patch_size=8, channels=5)
    assert by_name(images_of(1, 5, 16, 24)).shape == (1, 7, 192)


def test_registers_of_timm_count_as_prefix():
    model = encoder(encoder="vit_pwee_patch16_reg1_gap_256", patch_size=8)
    assert model.prefix == 2
    images = images_of(1, 3, 16, 16)
    tokens = model(images)
    assert tokens.shape[1] == 2 + 4
    torch.testing.assert_close(model.features(images), tokens[:, 2:].mean(1))


def test_initialise():
    layer = torch.nn.Linear(30, 70)
    torch.nn.init.ones_(layer.bias)
    unbiased = torch.nn.Linear(70, 2, bias=False)
    initialise(torch.nn.Sequential(layer, torch.nn.LayerNorm(70), unbiased))
    bound = (6 / 100) ** 0.5
    assert 0.95 * bound < layer.weight.abs().max() <= bound
    assert not layer.bias.any()


def test_nothing_is_learnt_about_position():
    assert not [name for name, _ in encoder().named_parameters() if "pos" in name]
    assert encoder().vit.cls_token.std() > 0


def metres(gsd, count=3):
    return lambda: encoder(gsd_encoding=True)(images_of(count, 3, 8, 8), gsd)


REFUSED = {
    "no size of a pixel": (metres(None), "no gsd came"),
    "two sizes for three images": (metres(torch.tensor([1.0, 2.0])), "2 values for 3 images"),
    "one that would be shared in silence": (metres(torch.tensor([1.0])), "1 values for 3 images"),
    "a size below 0": (metres(-10), "finite size above 0"),
    "another number of bands": (
        lambda: encoder(channels=12)(images_of(1, 3, 8, 8)),
        r"3 bands.*12.*channels=3",
    ),
    "half a patch": (lambda: encoder()(images_of(1, 3, 8, 10)), "whole patches"),
    "an unknown pool": (
        lambda: encoder().features(images_of(1, 3, 8, 8), pool="max"),
        "'mean' and 'cls'",
    ),
    **{
        f"the encoder {name}": (partial(encoder, encoder=name), "no plain vision transformer")
        for name in ("tinny", "resnet18", "swin_tiny_patch4_window7_224")
    },
}


@pytest.mark.parametrize(("call", "pattern"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused(call, pattern):
    with pytest.raises(InputError, match=pattern):
        call()
