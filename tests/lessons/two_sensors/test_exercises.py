"""The two losses of lesson 05 beside those that the kit trains on."""

import numpy as np
import pytest
import torch
from einops import rearrange

from rsedu.lessons.two_sensors.exercises import two_losses
from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig


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
