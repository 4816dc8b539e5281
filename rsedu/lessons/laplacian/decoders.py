"""Plain decoder beside the Laplacian one, judged band by band: what lesson 04 compares."""

from typing import Literal

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Float32
from torch import Tensor, nn

from rsedu.blocks.patches import mask_to_pixels, unpatchify
from rsedu.errors import InputError
from rsedu.lessons.laplacian.spectra import radial_power
from rsedu.models.laplacian import Bands, resize_area, split_bands
from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig
from rsedu.models.vit import Decoder, Encoder, Gsd, Latent, initialise
from rsedu.training.settings import TrainConfig

DRAWN_PX = 32
STREET_PX = 2.0  # 10 m wide
#: Which models are compared: how they paint, and with which loss.
ARMS = ("plain", "plain, two losses", "laplacian", "laplacian, squared")


class SquaredScaleMAE(ScaleMAE):
    """Scale-MAE whose high band has a loss of squared errors, as its low one has."""

    def _losses(self, target: Bands, predicted: Bands, latent: Latent) -> dict[str, Tensor]:
        hidden = _hidden(latent.masked.mask, target, latent.grid)
        return {
            "loss_high": _mean((predicted.high - target.high).square(), hidden.high),
            "loss_low": _mean((predicted.low - target.low).square(), hidden.low),
        }


class PlainMAE(nn.Module):
    """Scale-MAE with MAE's way to paint: one linear layer from a token to its target pixels.

    Args:
        config: of the Scale-MAE that it stands beside; encoder and decoder are the same.
        loss: "pixels" is MAE's, squared errors of the image; "bands" is Scale-MAE's, absolute
            errors of the image's high band and squared ones of its low band.
    """

    def __init__(self, config: ScaleMAEConfig, *, loss: Literal["pixels", "bands"]) -> None:
        super().__init__()
        self.config, self.loss = config, loss
        self.encoder = Encoder(config)
        self.decoder = Decoder(config, self.encoder, keep_prefix=False)
        self.patch = config.patch_size * config.target_scale
        self.head = nn.Linear(config.decoder_dim, self.patch**2 * config.channels)
        initialise(self.head)

    def forward(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Hide, paint, compare; the same as `ScaleMAE.forward`, the bands cut from one image."""
        scale, (height, width) = self.config.target_scale, images.shape[-2:]
        small = resize_area(images, (height // scale, width // scale))
        latent = self.encoder.encode_visible(
            small, gsd, mask_ratio=self.config.mask_ratio, generator=generator
        )
        painted = unpatchify(self.head(self.decoder(latent)), self.patch, latent.grid)
        made, true = (self._split(image, latent.grid) for image in (painted, images))
        mask = latent.masked.mask
        hidden = _hidden(mask, made, latent.grid)
        if self.loss == "pixels":
            loss = _mean((painted - images).square(), hidden.high)
        else:
            loss = _mean((made.high - true.high).abs(), hidden.high)
            loss = loss + _mean((made.low - true.low).square(), hidden.low)
        return {"loss": loss, "high": made.high.detach(), "low": made.low.detach(), "mask": mask}

    def _split(self, images: Tensor, grid: tuple[int, int]) -> Bands:
        return split_bands(images, grid, target_scale=self.config.target_scale)


def make(arm: str, *, channels: int, mask_ratio: float, seed: int) -> ScaleMAE | PlainMAE:
    """Make one of `ARMS`, with weights drawn from `seed`.

    Raises:
        InputError: there is no such arm.
    """
    if arm not in ARMS:
        raise InputError(f"There is no arm {arm!r} to compare; there are {', '.join(ARMS)}.")
    torch.manual_seed(seed)
    config = ScaleMAEConfig(
        channels=channels,
        mask_ratio=mask_ratio,
        patch_size=4,
        decoder_depth=1,
        laplacian_dim=16,
        gsd_encoding=False,
    )
    if arm.startswith("laplacian"):
        return ScaleMAE(config) if arm == "laplacian" else SquaredScaleMAE(config)
    return PlainMAE(config, loss="pixels" if arm == "plain" else "bands")


def recipe(steps: int, seed: int) -> TrainConfig:
    """How each is trained.

    The rate is one for all: in a trial of one seed, judged on streets that are not in the results,
    the plain decoder did better at twice this rate and the Laplacian one at half of it.
    """
    return TrainConfig(steps=steps, batch_size=16, blr=16e-3, warmup_steps=50, seed=seed)


def streets(count: int, seed: int, *, noise: float = 0.0) -> Float32[Tensor, "tiles 1 32 32"]:
    """Drawn tiles: a street from west to east and one from north to south, 2 px wide.

    Where a street runs on is known from any visible piece of it; noise is known from nothing.

    Args:
        count: of tiles.
        seed: of places and noise.
        noise: deviation of the noise, where a street is 3 and the ground 0.
    """
    draw = torch.Generator().manual_seed(seed)
    centres = DRAWN_PX * torch.rand(count, 2, 1, generator=draw)
    distance = (torch.arange(DRAWN_PX) + 0.5 - centres).abs()  # (count, direction, pixel)
    covered = (STREET_PX / 2 + 0.5 - distance).clamp(0, 1)  # share of a pixel under a street
    across, along = covered[:, 0, :, None], covered[:, 1, None, :]
    drawn = 3 * torch.maximum(across, along)[:, None]
    return drawn + noise * torch.randn(drawn.shape, generator=draw)


@torch.no_grad()
def evaluate(
    model: ScaleMAE | PlainMAE, images: Float32[Tensor, "tiles bands rows cols"]
) -> dict[str, float | list[float]]:
    """Errors on hidden patches, each divided by that of predicting 0; and spectra.

    Returns:
        "high": mean |error|. "high, squared" and "low, squared": mean squared errors. "power of
        high", "power of low": radial power of the prediction there, from 0 to N // 2 cycles per
        tile, mean over tiles; "true power of high", "true power of low": of the truth.
    """
    model.eval()
    patch = model.config.patch_size * model.config.target_scale
    grid = (images.shape[-2] // patch, images.shape[-1] // patch)
    made = model(images, None, torch.Generator().manual_seed(0))
    model.train()
    true, predicted = split_bands(images, grid), Bands(made["low"], made["high"])
    hidden = _hidden(made["mask"], predicted, grid)
    scores: dict[str, float | list[float]] = {}
    for name, one, other, where in (
        ("high", predicted.high, true.high, hidden.high),
        ("low", predicted.low, true.low, hidden.low),
    ):
        squared = _mean((one - other).square(), where) / _mean(other.square(), where)
        scores[f"{name}, squared"] = float(squared)
        scores[f"power of {name}"] = _power(one * where)
        scores[f"true power of {name}"] = _power(other * where)
    error = _mean((predicted.high - true.high).abs(), hidden.high)
    scores["high"] = float(error / _mean(true.high.abs(), hidden.high))
    return scores


def _hidden(mask: Tensor, like: Bands, grid: tuple[int, int]) -> Bands:
    """The mask in the pixels of both bands, (B, 1, ...), 1 for hidden."""
    sizes = [band.shape[-1] // grid[1] for band in like]
    low, high = (mask_to_pixels(mask, size, grid) for size in sizes)
    return Bands(low, high)


def _mean(values: Tensor, hidden: Tensor) -> Tensor:
    """Mean over bands and hidden pixels."""
    return (values.mean(dim=1, keepdim=True) * hidden).sum() / hidden.sum()


def _power(images: Tensor) -> list[float]:
    """Radial power, mean over tiles and bands."""
    flat = rearrange(images, "tiles bands rows cols -> (tiles bands) rows cols").numpy()
    power = np.mean([radial_power(image) for image in flat], axis=0)
    return [float(value) for value in power]
