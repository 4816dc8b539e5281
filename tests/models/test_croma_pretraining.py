from dataclasses import replace

import pytest
import torch

from rsedu.blocks.contrastive import info_nce
from rsedu.blocks.patches import mask_to_pixels, patchify, random_masking
from rsedu.blocks.position import alibi_2d
from rsedu.errors import InputError
from rsedu.models.croma import CromaConfig
from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig

CONFIG = CromaTrainingConfig(
    dim=32, heads=4, optical_depth=1, radar_depth=1, joint_depth=1, decoder_dim=16, decoder_heads=2
)


def images(batch=3, height=32, width=40):
    generator = torch.Generator().manual_seed(0)
    radar = torch.randn(batch, 2, height, width, generator=generator)
    return radar, torch.randn(batch, 12, height, width, generator=generator)


def build(**changes):
    torch.manual_seed(0)
    return CromaTraining(replace(CONFIG, **changes))


def masks(radar, optical):
    """The masks that a generator of seed 5 draws: radar first."""
    draws = torch.Generator().manual_seed(5)
    return [random_masking(patchify(each, 8), 0.75, generator=draws) for each in (radar, optical)]


def run(model, radar, optical):
    return model(radar, optical, torch.Generator().manual_seed(5))


def test_the_losses_are_those_of_the_definition():
    model, (radar, optical) = build(), images()
    out = run(model, radar, optical)
    radar_mask, optical_mask = masks(radar, optical)
    target = patchify(torch.cat([optical, radar], dim=1), 8)
    expected = {"radar": [], "optical": []}
    for image in range(3):
        for token in range(20):
            patch = target[image, token]
            normal = (patch - patch.mean()) / (patch.var() + 1e-6).sqrt()
            error = (out["prediction"][image, token] - normal).square().reshape(64, 14)
            if radar_mask.mask[image, token]:
                expected["radar"].append(error[:, 12:].mean())
            if optical_mask.mask[image, token]:
                expected["optical"].append(error[:, :12].mean())
    for sensor, errors in expected.items():
        assert len(errors) == 3 * 15
        torch.testing.assert_close(out[f"loss_{sensor}"], torch.stack(errors).mean())
    parts = out["loss_contrast"] + out["loss_radar"] + out["loss_optical"]
    torch.testing.assert_close(out["loss"], parts)


def test_the_contrast_is_between_pooled_visible_tokens():
    model, (radar, optical) = build(), images()
    vectors = []
    for name, masked in zip(("radar", "optical"), masks(radar, optical), strict=True):
        encoder = getattr(model.croma, f"{name}_encoder")
        head = getattr(model.croma, f"{name}_head")
        bias = alibi_2d(4, (4, 5))[0]
        own = torch.stack([bias[:, ids][:, :, ids] for ids in masked.ids_keep])
        tokens = encoder(masked.visible, bias=own)
        vectors.append(getattr(model, f"contrast_{name}")(head(tokens.mean(dim=1))))
    expected = info_nce(*vectors, 0.07)
    torch.testing.assert_close(run(model, radar, optical)["loss_contrast"], expected)


def test_both_sensors_are_masked_independently():
    radar_mask, optical_mask = masks(*images())
    assert not torch.equal(radar_mask.mask, optical_mask.mask)
    hidden_in_both = (radar_mask.mask * optical_mask.mask).mean()
    assert 0.4 < hidden_in_both < 0.7  # 0.75 squared


def test_what_is_hidden_does_not_reach_the_prediction():
    model, (radar, optical) = build(), images()
    before = run(model, radar, optical)
    radar_mask, optical_mask = masks(radar, optical)
    noisy_radar = radar + 9 * mask_to_pixels(radar_mask.mask, 8, (4, 5))
    noisy_optical = optical - 7 * mask_to_pixels(optical_mask.mask, 8, (4, 5))
    after = run(model, noisy_radar, noisy_optical)
    torch.testing.assert_close(after["prediction"], before["prediction"])
    torch.testing.assert_close(after["loss_contrast"], before["loss_contrast"])
    seen = radar + 9 * (1 - mask_to_pixels(radar_mask.mask, 8, (4, 5)))
    assert not torch.allclose(run(model, seen, optical)["prediction"], before["prediction"])


def test_the_released_bias_is_another_one_and_only_in_the_joint_encoder():
    right, released = build(), build(released_bias=True)
    pair = images()
    first, second = run(right, *pair), run(released, *pair)
    torch.testing.assert_close(first["loss_contrast"], second["loss_contrast"])
    assert not torch.allclose(first["prediction"], second["prediction"])


def test_the_joint_encoder_gets_the_distances_between_the_patches_that_are_there(monkeypatch):
    model, pair = build(), images()
    caught = {}

    def joint(radar, optical, *, bias, cross_bias):
        caught.update(bias=bias, cross_bias=cross_bias)
        return radar

    monkeypatch.setattr(model.croma.joint_encoder, "forward", joint)
    run(model, *pair)
    everywhere = alibi_2d(4, (4, 5))[0]
    radar_mask, optical_mask = masks(*pair)
    for image in range(3):
        rows, cols = radar_mask.ids_keep[image], optical_mask.ids_keep[image]
        torch.testing.assert_close(caught["bias"][image], everywhere[:, rows][:, :, rows])
        torch.testing.assert_close(caught["cross_bias"][image], everywhere[:, rows][:, :, cols])


ALONE = {"reconstruction": {"loss_contrast"}, "contrast": {"loss_radar", "loss_optical"}}


@pytest.mark.parametrize(("left_out", "present"), ALONE.items())
def test_one_objective_alone(left_out, present):
    out = run(build(**{left_out: 0.0}), *images())
    assert {name for name in out if name.startswith("loss_")} == present
    torch.testing.assert_close(out["loss"], sum(out[name] for name in present))


def test_weights_weigh():
    out = run(build(contrast=0.5, reconstruction=2.0), *images())
    expected = 0.5 * out["loss_contrast"] + 2 * (out["loss_radar"] + out["loss_optical"])
    torch.testing.assert_close(out["loss"], expected)
    with pytest.raises(InputError, match="both 0"):
        build(contrast=0.0, reconstruction=0.0)


@pytest.mark.parametrize("positions", ["alibi", "sincos"])
def test_it_learns_four_places_by_heart(positions):
    model = build(positions=positions)
    radar, optical = images(4, 32, 32)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for step in range(120):
        losses = model(radar, optical, torch.Generator().manual_seed(step % 4))
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        history.append({name: losses[name].item() for name in ("loss_contrast", "loss_radar")})
    assert history[-1]["loss_contrast"] < 0.1 * history[0]["loss_contrast"]
    assert history[-1]["loss_radar"] < 0.9 * history[0]["loss_radar"]


def test_every_parameter_learns():
    model = build()
    run(model, *images())["loss"].backward()
    idle = [name for name, each in model.named_parameters() if each.grad is None]
    assert idle == []


def test_features_take_what_there_is():
    model, (radar, optical) = build().eval(), images()
    with torch.no_grad():
        out = model.croma(radar=radar, optical=optical)
        torch.testing.assert_close(model.features(radar, optical), out["joint_tokens"].mean(1))
        torch.testing.assert_close(model.features(radar), out["radar_tokens"].mean(1))
        alone = model.features(optical=optical)
    torch.testing.assert_close(alone, out["optical_tokens"].mean(1))


def test_what_is_left_after_training_is_the_encoders():
    expected = CromaConfig(dim=32, heads=4, optical_depth=1, radar_depth=1, joint_depth=1)
    assert type(CONFIG.encoders) is CromaConfig
    assert CONFIG.encoders == expected == build().croma.config
