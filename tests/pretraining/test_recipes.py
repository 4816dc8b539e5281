from pathlib import Path

import numpy as np
import pytest
import torch

from rsedu.pretraining.features import embed, knn_forest_share
from rsedu.pretraining.recipes import ENCODER_PX, INPUTS, RECIPES
from rsedu.synthetic.tiles import FrontierTiles
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
    assert recipe.size_px % ENCODER_PX == 0 and set(recipe.inputs.values()) <= set(INPUTS)
    batch = recipe.inputs_of(tile_source(), turn=True).batch(np.arange(4), np.arange(4))
    torch.manual_seed(0)
    model = recipe.build()
    loss = model(**batch)["loss"]
    assert loss.ndim == 0
    loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert 4 * sum(p.numel() for p in model.parameters()) < 10e6


def test_mae_sees_the_tile_shrunk_and_the_others_see_it_whole() -> None:
    tiles = tile_source()
    seen = {
        name: RECIPES[name].inputs_of(tiles, turn=False).batch(np.arange(4), np.arange(4))
        for name in ("mae", "scalemae", "croma")
    }
    assert torch.equal(seen["scalemae"]["images"], tiles.tensors["optical"])
    assert torch.equal(seen["scalemae"]["gsd"], tiles.tensors["gsd"])
    assert seen["mae"]["images"].shape == (4, 12, 16, 16)
    assert torch.equal(seen["mae"]["gsd"], 2 * tiles.tensors["gsd"])
    assert set(seen["croma"]) == {"radar", "optical"}
    assert all(torch.equal(image, tiles.tensors[name]) for name, image in seen["croma"].items())


def test_the_base_model_is_as_large_as_the_published_one() -> None:
    with torch.device("meta"):
        model = RECIPES["croma-base"].build()
    encoders = sum(p.numel() for p in model.croma.parameters())
    # A block has 12 d^2 + 10 d parameters (no bias for q, k, v), one that also looks across 16 d^2.
    d = 768
    alone, across = 12 * d * d, 16 * d * d
    by_hand = 18 * alone + 6 * across + 2 * 8 * d * d  # and two heads of 8 d^2
    assert encoders == pytest.approx(by_hand, rel=0.01)
    assert encoders == pytest.approx(778e6 / 4, rel=0.01)  # bytes of CROMA_base.pt, in float32


def test_sam_practises_on_tiles_of_its_own() -> None:
    recipe = RECIPES["sam"]
    own = recipe.own_module()
    assert own is not None and set(recipe.inputs.values()) <= set(INPUTS)
    product = own.product(recipe.build())
    assert type(product).__name__ == "TinySam"
    assert 4 * sum(p.numel() for p in product.parameters()) < 8e6
    assert recipe.config.lr == pytest.approx(1e-3)
    assert RECIPES["mae"].own_module() is None


def test_features_are_judged_across_worlds_against_band_means_and_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world's forest share is 0, 0.1, 0.2 or 0.3, ten times of which its second band shows."""
    tiles = FrontierTiles(worlds=range(0, 16), folder=tmp_path, size_px=32, tiles_per_world=5)
    share = torch.arange(80).div(5, rounding_mode="floor").remainder(4) / 10
    images = torch.rand(80, 12, 32, 32, generator=torch.Generator().manual_seed(0))
    images[:, 1] += 10 * share[:, None, None]
    source = TensorSource({"optical": images, "gsd": torch.full((80,), 10.0)})
    monkeypatch.setattr(FrontierTiles, "batch", lambda _, *numbers: source.batch(*numbers))
    covers = torch.stack([share, 1 - share], dim=1).numpy()
    monkeypatch.setattr(FrontierTiles, "cover", lambda _, index: covers[index])
    torch.manual_seed(0)
    model = RECIPES["mae"].build()
    scores = knn_forest_share(model, tiles)
    assert scores["band means"] == 1.0
    assert scores["commonest quarter"] == 0.25
    assert set(scores) == {"features", "band means", "commonest quarter"}


def test_features_come_in_order_from_the_shrunk_tile() -> None:
    tiles = tile_source(5)
    model = RECIPES["scalemae"].build().eval()
    features, means = embed(model, tiles, shrink=2, batch_size=2)
    small = torch.nn.functional.avg_pool2d(tiles.tensors["optical"], 2)
    with torch.no_grad():
        expected = model.features(small, 2 * tiles.tensors["gsd"])
    np.testing.assert_allclose(features, expected, atol=1e-5)
    np.testing.assert_allclose(means, tiles.tensors["optical"].mean(dim=(2, 3)), atol=1e-6)
