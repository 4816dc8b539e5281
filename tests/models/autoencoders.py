"""The smallest autoencoders, images for them, and a layer that always says the same."""

import torch

from rsedu.models.mae import MAE, MAEConfig
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig
from rsedu.models.vit import ViTSize

SMALL = {
    "encoder": ViTSize(dim=24, depth=1, heads=3),
    **{"patch_size": 4, "decoder_dim": 16, "decoder_depth": 1, "decoder_heads": 2},
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images_of(*shape):
    return torch.randn(*shape, generator=seeded(1))


def mae(**changes):
    torch.manual_seed(0)
    return MAE(MAEConfig(**{**SMALL, **changes}))


def scalemae(**changes):
    torch.manual_seed(0)
    return ScaleMAE(ScaleMAEConfig(**{**SMALL, "laplacian_dim": 8, **changes}))


class Constant(torch.nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, _):
        return self.value
