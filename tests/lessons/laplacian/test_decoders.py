"""The compared models differ only where they should; judging beside closed forms."""

import pytest
import torch
from torch import Tensor

from rsedu.errors import InputError
from rsedu.lessons.laplacian import decoders
from rsedu.lessons.laplacian.decoders import PlainMAE
from rsedu.models.laplacian import low_pass, split_bands
from rsedu.models.scalemae import ScaleMAEConfig
from rsedu.models.vit import Gsd


class _Painter(PlainMAE):
    """Says the same thing whatever it sees: `share` of the truth."""

    def __init__(self, share: float) -> None:
        super().__init__(ScaleMAEConfig(patch_size=4), loss="pixels")
        self.share = share

    def forward(
        self, images: Tensor, gsd: Gsd = None, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        bands = split_bands(images, (4, 4))
        mask = torch.rand(len(images), 16, generator=generator).round()
        return {"high": self.share * bands.high, "low": self.share * bands.low, "mask": mask}


@pytest.mark.parametrize("share", [0.0, 1.0, 0.75])
def test_errors_are_shares_of_those_of_nothing(share: float) -> None:
    found = decoders.evaluate(_Painter(share), decoders.streets(6, 0, noise=0.5))
    assert found["high"] == pytest.approx(1 - share, abs=1e-6)
    assert found["high, squared"] == pytest.approx((1 - share) ** 2, abs=1e-6)
    assert found["low, squared"] == pytest.approx((1 - share) ** 2, abs=1e-6)
    made, true = found["power of high"], found["true power of high"]
    assert made == pytest.approx([share**2 * value for value in true])  # type: ignore[union-attr]


def test_encoders_begin_alike_and_plain_ones_share_everything() -> None:
    made = [decoders.make(arm, channels=1, mask_ratio=0.5, seed=3) for arm in decoders.ARMS]
    states = [model.encoder.state_dict() for model in made]
    for state in states[1:]:
        assert all(torch.equal(state[name], states[0][name]) for name in state)
    heads = [model.head.state_dict() for model in made]
    assert torch.equal(heads[0]["weight"], heads[1]["weight"])
    counts = [sum(each.numel() for each in model.parameters()) for model in made]
    assert max(counts) < 1.1 * min(counts)


def test_an_arm_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no arm 'linear'"):
        decoders.make("linear", channels=1, mask_ratio=0.5, seed=0)


def _hand(arm: str) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What a model gives, its images, and where patches are hidden, in pixels of the target."""
    images = decoders.streets(2, 1, noise=0.3)
    model = decoders.make(arm, channels=1, mask_ratio=0.5, seed=0)
    found = model(images, generator=torch.Generator().manual_seed(5))
    hidden = found["mask"].reshape(2, 1, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    return found, images, hidden > 0


@pytest.mark.parametrize(
    ("arm", "norm"), [("plain, two losses", 1), ("laplacian", 1), ("laplacian, squared", 2)]
)
def test_the_two_losses_by_hand(arm: str, norm: int) -> None:
    found, images, hidden = _hand(arm)
    high = (images - low_pass(images, (16, 16)) - found["high"])[hidden]
    low = (low_pass(images, (4, 4), (16, 16)) - found["low"])[hidden[:, :, ::2, ::2]]
    wanted = high.abs().pow(norm).mean() + low.square().mean()
    assert float(found["loss"].detach()) == pytest.approx(float(wanted), rel=1e-5)


def test_plain_loss_is_that_of_pixels_and_its_bands_those_of_one_image() -> None:
    torch.manual_seed(0)
    found, images, hidden = _hand("plain")
    model = decoders.make("plain", channels=1, mask_ratio=0.5, seed=0)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(2.0)
        even = model(images, generator=torch.Generator().manual_seed(5))
    wanted = (images - 2)[hidden].square().mean()
    assert float(even["loss"]) == pytest.approx(float(wanted), rel=1e-5)
    assert even["high"].abs().max() < 1e-5 and (even["low"] - 2).abs().max() < 1e-5
    assert found["high"].shape == images.shape and found["low"].shape == (2, 1, 16, 16)


def test_streets_run_from_edge_to_edge() -> None:
    tiles = decoders.streets(20, 2)
    assert tiles.shape == (20, 1, 32, 32)
    rows, cols = tiles[:, 0].amin(dim=2), tiles[:, 0].amin(dim=1)  # bright all along
    assert (rows.sum(dim=1) <= 6.001).all() and (rows.sum(dim=1) > 3).all()
    assert ((cols.amax(dim=1) > 1.4) & (rows.amax(dim=1) > 1.4)).all()
    noisy = decoders.streets(20, 2, noise=0.5) - tiles
    assert noisy.std() == pytest.approx(0.5, rel=0.05)


def test_the_recipe_keeps_its_seed() -> None:
    config = decoders.recipe(70, 3)
    assert (config.steps, config.seed, config.lr) == (70, 3, pytest.approx(1e-3))
