from pathlib import Path

import numpy as np
import pytest
import torch

from rsedu.pretraining.recipes import ENCODER_PX, INPUTS, RECIPES, inputs_of
from rsedu.training.sampler import TensorSource


def tile_source(count: int = 4, size: int = 32) -> TensorSource:
    generator = torch.Generator().manual_seed(0)
    optical = torch.randn(count, 12, size, size, generator=generator)
    radar = torch.randn(count, 2, size, size, generator=generator)
    gsd = torch.linspace(2.5, 20, count)
    return TensorSource({"optical": optical, "radar": radar, "gsd": gsd})


SHIPPED = sorted(set(RECIPES) - {"croma-base", "sam"})  # sam makes its own tiles


@pytest.mark.parametrize("name", SHIPPED)
def test_every_recipe_fits_its_model_and_is_small_enough_to_ship(name: str) -> None:
    recipe = RECIPES[name]
    batch = inputs_of(recipe, tile_source(), turn=True).batch(np.arange(4), np.arange(4))
    torch.manual_seed(0)
    model = recipe.build()
    loss = model(**batch)["loss"]
    assert loss.ndim == 0
    loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert 4 * sum(p.numel() for p in model.parameters()) < 10e6


def test_mae_sees_the_tile_shrunk_and_scalemae_sees_it_whole() -> None:
    tiles = tile_source()
    seen = {
        name: inputs_of(RECIPES[name], tiles, turn=False).batch(np.arange(4), np.arange(4))
        for name in ("mae", "scalemae")
    }
    assert torch.equal(seen["scalemae"]["images"], tiles.tensors["optical"])
    assert torch.equal(seen["scalemae"]["gsd"], tiles.tensors["gsd"])
    assert seen["mae"]["images"].shape == (4, 12, 16, 16)
    assert torch.equal(seen["mae"]["gsd"], 2 * tiles.tensors["gsd"])


def test_croma_sees_both_sensors_whole() -> None:
    tiles = tile_source()
    seen = inputs_of(RECIPES["croma"], tiles, turn=False).batch(np.arange(4), np.arange(4))
    assert set(seen) == {"radar", "optical"}
    assert all(torch.equal(seen[name], tiles.tensors[name]) for name in seen)


def test_the_base_model_is_as_large_as_the_published_one() -> None:
    with torch.device("meta"):
        model = RECIPES["croma-base"].build()
    encoders = sum(each.numel() for each in model.croma.parameters())
    # A block has 12 d^2 + 10 d parameters (no bias for q, k, v), one that also looks across 16 d^2.
    d = 768
    alone, across = 12 * d * d, 16 * d * d
    by_hand = 18 * alone + 6 * across + 2 * 8 * d * d  # and two heads of 8 d^2
    assert encoders == pytest.approx(by_hand, rel=0.01)
    assert encoders == pytest.approx(778e6 / 4, rel=0.01)  # bytes of CROMA_base.pt, in float32


@pytest.mark.parametrize("name", SHIPPED)
def test_every_encoder_sees_as_many_pixels_and_each_input_can_be_named(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.size_px % ENCODER_PX == 0
    assert set(recipe.inputs.values()) <= set(INPUTS)


def test_sam_practises_on_tiles_of_its_own(tmp_path: Path) -> None:
    recipe = RECIPES["sam"]
    assert recipe.own_tiles is not None and set(recipe.inputs.values()) <= set(INPUTS)
    model = recipe.build()
    product = recipe.product(model)
    assert type(product).__name__ == "TinySam"
    assert 4 * sum(p.numel() for p in product.parameters()) < 8e6
    assert recipe.config.lr == pytest.approx(1e-3)
    assert RECIPES["mae"].product(model) is model
