"""Distances, two masks and the two losses of lesson 05, beside the kit's own models."""

import numpy as np
import pytest
import torch
from einops import rearrange

from rsedu.blocks.position import alibi_2d, alibi_between
from rsedu.lessons.two_sensors.exercises import EXERCISES, alibi_bias, cross_bias, two_losses
from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig


@pytest.mark.parametrize(("rows", "cols", "heads"), [(2, 3, 2), (4, 4, 8), (3, 1, 16)])
def test_the_bias_is_that_of_the_kit(rows: int, cols: int, heads: int) -> None:
    kit = alibi_2d(heads, (rows, cols))[0]
    np.testing.assert_allclose(alibi_bias(rows, cols, heads), kit, rtol=1e-6, atol=1e-7)


def test_the_cross_bias_is_that_of_the_kit() -> None:
    radar, optical = np.array([4, 0, 7]), np.array([1, 11, 4])
    ids = [torch.from_numpy(each)[None] for each in (radar, optical)]
    kit = alibi_between(4, ids[0], ids[1], 4)[0]
    made = cross_bias(alibi_bias(3, 4, 4), radar, optical)
    np.testing.assert_allclose(made, kit, rtol=1e-6, atol=1e-7)
    assert made[:, 0, 2].max() == 0  # the place that both have kept


def test_the_two_losses_are_those_that_the_kit_trains_on() -> None:
    model = CromaTraining(CromaTrainingConfig(dim=16, heads=2, decoder_dim=16, decoder_heads=2))
    draw = torch.Generator().manual_seed(3)
    images = {
        name: 2 * torch.randn(1, bands, 16, 24, generator=draw) + 1
        for name, bands in (("radar", 2), ("optical", 12))
    }
    with torch.no_grad():
        out = model(**images, generator=torch.Generator().manual_seed(4))
        seen = model._encode_visible(
            images["radar"], images["optical"], torch.Generator().manual_seed(4)
        )

    def cut(values: torch.Tensor) -> np.ndarray:
        cuts = rearrange(values, "1 b (r y) (c x) -> (r c) (y x) b", y=8, x=8)
        return cuts.double().numpy()

    made = two_losses(
        out["prediction"][0].reshape(6, 64, 14).double().numpy(),
        cut(images["optical"]),
        cut(images["radar"]),
        seen.optical_mask.mask[0].numpy(),
        seen.radar_mask.mask[0].numpy(),
    )
    assert made == pytest.approx(float(out["loss_radar"] + out["loss_optical"]), rel=1e-5)


def test_lesson_05_has_its_six_exercises() -> None:
    assert [each.id for each in EXERCISES] == [
        "info_nce",
        "recall_at_k",
        "alibi_bias",
        "cross_bias",
        "two_losses",
        "same_place_pairs",
    ]
