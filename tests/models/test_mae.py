from functools import partial

import pytest
import torch

from rsedu.blocks.patches import patchify
from rsedu.errors import InputError
from rsedu.models.mae import MAE, MAEConfig
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig
from rsedu.models.vit import ViTSize
from tests.models.autoencoders import Constant, mae as model, scalemae, seeded


def images_of(*shape):
    return 2 + torch.randn(*shape, generator=seeded(1))


def loss_by_hand(images, prediction, mask, norm):
    """Patch by patch, value by value."""
    errors = []
    for b, patches in enumerate(patchify(images, 4)):
        for n, patch in enumerate(patches):
            if mask[b, n] == 0:
                continue
            if norm:
                variance = ((patch - patch.mean()) ** 2).sum() / (len(patch) - 1)
                patch = (patch - patch.mean()) / (variance + 1e-6).sqrt()
            errors.append(((patch - prediction[b, n]) ** 2).sum() / len(patch))
    return torch.stack(errors).mean()


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (3, 5, 8, 20)])
def test_loss_is_the_mean_error_of_hidden_patches(norm, shape):
    images = images_of(*shape)
    out = model(channels=shape[1], norm_pix_loss=norm)(images, generator=seeded())
    expected = loss_by_hand(images, out["prediction"], out["mask"], norm)
    torch.testing.assert_close(out["loss"], expected)


def test_output_for_figures_carries_no_gradient():
    out = model()(images_of(2, 3, 16, 16), generator=seeded())
    assert out["loss"].requires_grad
    assert out["loss"].ndim == 0
    assert not out["prediction"].requires_grad
    assert out["prediction"].shape == (2, 16, 48)
    assert out["mask"].sum(1).tolist() == [12, 12]


def test_prediction_of_visible_patches_is_free():
    mae, prediction = model(), torch.zeros(1, 16, 48, requires_grad=True)
    mae.head = Constant(prediction)
    out = mae(images_of(1, 3, 16, 16), generator=seeded())
    out["loss"].backward()
    assert torch.equal(prediction.grad.abs().sum(-1) > 0, out["mask"] == 1)


SETTINGS = [
    *({"mask_ratio": 0.5}, {"patch_size": 8}, {"decoder_dim": 32}, {"decoder_depth": 2}),
    *({"decoder_heads": 4}, {"encoder": "tiny"}),
    *({"encoder": ViTSize(24, 2, 3)}, {"encoder": ViTSize(24, 1, 4)}),
]
OWN = {
    model: [{"norm_pix_loss": False}, {"gsd_encoding": True}],
    scalemae: [
        *({"gsd_encoding": False}, {"reference_gsd": 2.0}, {"laplacian_dim": 16}),
        *({"target_scale": 1}, {"variant": "released"}),
    ],
}


@pytest.mark.parametrize(("make", "own"), OWN.items(), ids=["mae", "scale-mae"])
def test_every_setting_counts(make, own):
    images = images_of(2, 3, 32, 32)
    base = make()(images, 5.0, seeded())["loss"]
    for change in (*SETTINGS, *own):
        assert make(**change)(images, 5.0, seeded())["loss"] != base, change


def test_at_the_reference_the_encoding_is_the_plain_one():
    images, gsd = images_of(2, 3, 16, 16), {"gsd_encoding": True}
    base = model()(images, None, seeded())["loss"]
    far, near = (model(**gsd, reference_gsd=g)(images, 5.0, seeded())["loss"] for g in (1.0, 5.0))
    assert far != near
    torch.testing.assert_close(near, base)


@pytest.mark.parametrize("norm", [True, False])
def test_reconstruct_shows_what_forward_predicts(norm):
    mae, images = model(norm_pix_loss=norm), images_of(2, 3, 8, 12)
    out, shown = mae(images, None, seeded()), mae.reconstruct(images, None, seeded())
    patches = patchify(shown.prediction, 4)
    if norm:
        true = patchify(images, 4)
        spread = (true.var(-1, keepdim=True) + 1e-6).sqrt()
        patches = (patches - true.mean(-1, keepdim=True)) / spread
    torch.testing.assert_close(patches, out["prediction"], atol=1e-5, rtol=1e-4)
    assert torch.equal(patchify(shown.mask, 4).mean(-1), out["mask"])


def test_perfect_head_reconstructs_the_image():
    mae, images = model(norm_pix_loss=True), images_of(1, 3, 8, 8)
    mae.config.__dict__["mask_ratio"] = 0.5
    target = mae._target(images)
    mae.head = torch.nn.Sequential(Constant(target))
    torch.testing.assert_close(mae.reconstruct(images).prediction, images, atol=1e-5, rtol=1e-5)
    assert mae(images)["loss"].item() == 0


def test_class_token_takes_part_in_the_decoder():
    mae, images = model(), images_of(1, 3, 16, 16)
    latent = mae._encode_visible(images, None, seeded())
    other = latent._replace(tokens=latent.tokens.clone())
    other.tokens[:, 0] = -other.tokens[:, 0]
    assert not torch.allclose(mae.decoder(latent), mae.decoder(other))


def test_errors_reach_the_caller():
    with pytest.raises(InputError, match="no gsd came"):
        model(gsd_encoding=True)(images_of(1, 3, 8, 8))
    with pytest.raises(InputError, match="keeps 0"):
        model(mask_ratio=0.9)(images_of(1, 3, 8, 8))


#: What MAE and Scale-MAE share, by settings: (make, side of a patch in pixels of the images).
BOTH = {
    "mae": (partial(model, gsd_encoding=True), 4),
    "mae, patches as they are": (partial(model, gsd_encoding=True, norm_pix_loss=False), 4),
    "scale-mae": (scalemae, 8),
    "scale-mae as released": (partial(scalemae, variant="released"), 8),
}
both = pytest.mark.parametrize(("make", "side"), BOTH.values(), ids=list(BOTH))


@both
def test_every_parameter_gets_a_gradient(make, side):
    module = make()
    module(images_of(2, 3, 32, 32), torch.tensor([1.0, 7.0]), seeded())["loss"].backward()
    idle = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@both
def test_same_seed_same_loss(make, side):
    module, images = make(), images_of(2, 3, 32, 32)
    losses = [module(images, 5.0, seeded(s))["loss"].item() for s in (5, 5, 6)]
    assert losses[0] == losses[1] != losses[2]


@both
def test_reconstruct_keeps_what_was_seen(make, side):
    module, images = make(channels=2), images_of(2, 2, 2 * side, 3 * side)
    shown = module.reconstruct(images, 5.0, seeded())
    hidden = shown.mask.bool().expand_as(images)
    assert torch.equal(shown.image[~hidden], images[~hidden])
    assert torch.equal(shown.image[hidden], shown.prediction[hidden])
    assert shown.mask.mean().item() == pytest.approx(5 / 6)
    assert not shown.image.requires_grad


@both
def test_encode_and_features_are_those_of_the_encoder_on_images_as_they_come(make, side):
    module, images = make().eval(), images_of(2, 3, 8, 12)
    assert torch.equal(module.encode(images, 3.0), module.encoder(images, 3.0))
    assert module.encode(images, 3.0).shape == (2, 7, 24)
    for pool in ("mean", "cls"):
        expected = module.encoder.features(images, 3.0, pool=pool)
        assert torch.equal(module.features(images, 3.0, pool=pool), expected)


LEARNT = {
    "mae": (model, {}, images_of(1, 3, 8, 8), 0.05),
    "scale-mae": (scalemae, {"laplacian_dim": 32}, images_of(1, 3, 8, 8).tile(2, 2) - 2, 0.3),
}


@pytest.mark.parametrize(("make", "changes", "images", "share"), LEARNT.values(), ids=list(LEARNT))
def test_it_learns_one_image(make, changes, images, share):
    module = make(mask_ratio=0.5, **changes)
    optimiser = torch.optim.AdamW(module.parameters(), lr=4e-3)
    losses = []
    for _ in range(150):
        loss = module(images, 5.0, generator=seeded())["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < share * losses[0]


def test_default_config():
    assert MAE().config == MAEConfig()
    assert ScaleMAE().config == ScaleMAEConfig()
