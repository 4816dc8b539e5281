"""Scale-MAE: a masked autoencoder that knows how large a pixel is, and predicts two bands.

Reed et al. 2023, "Scale-MAE: A Scale-Aware Masked Autoencoder for Multiscale Geospatial
Representation Learning", ICCV, arXiv 2212.14532.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from rsedu.blocks.patches import mask_to_pixels, masked_mean
from rsedu.errors import InputError
from rsedu.models.laplacian import (
    SPLITS,
    Bands,
    LaplacianDecoder,
    Variant,
    merge_bands,
    resize_area,
    split_bands,
)
from rsedu.models.mae import MaskedAutoencoder
from rsedu.models.published import NonCommercialWeightsWarning, read_scalemae
from rsedu.models.vit import Decoder, Encoder, Gsd, Latent, MaskedViTConfig


@dataclass(frozen=True, kw_only=True)
class ScaleMAEConfig(MaskedViTConfig):
    """How a Scale-MAE is made; the rest is in `MaskedViTConfig`.

    Attributes:
        gsd_encoding: False is the baseline that counts patches, whatever their size in metres.
        decoder_depth: The paper finds 3 blocks enough, where MAE needs 8.
        laplacian_dim: Channels within the Laplacian blocks, a multiple of 4.
        target_scale: How many times finer the image that comes is than what the encoder sees.
        variant: "paper" bands with L1 on high and L2 on low, or "released": see `SPLITS`.
    """

    gsd_encoding: bool = True
    decoder_depth: int = 3
    laplacian_dim: int = 32
    target_scale: int = 2
    variant: Variant = "paper"


class ScaleMAE(MaskedAutoencoder):
    """Scale-aware masked autoencoder.

    The loss is mean |high - predicted| + mean (low - predicted)^2, each mean over the bands and
    the pixels of hidden patches. (The released code sums over bands, so its loss is C times this
    one, and squares both terms by default: `variant="released"` squares, and keeps the mean.)

    >>> model, images = ScaleMAE(ScaleMAEConfig(channels=12)), torch.ones(2, 12, 64, 64)
    >>> model.features(images, gsd=10.0).shape
    torch.Size([2, 96])
    >>> near, far = model.features(images, gsd=torch.tensor([10.0, 20.0]))  # metres per pixel
    >>> torch.equal(near, far)
    False
    """

    config: ScaleMAEConfig

    def __init__(self, config: ScaleMAEConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ScaleMAEConfig()
        if config.variant not in SPLITS:
            raise InputError(f"variant is {config.variant!r}, but only {sorted(SPLITS)} are known.")
        self.encoder = Encoder(config)
        self.decoder = Decoder(config, self.encoder, keep_prefix=False)
        self.head = LaplacianDecoder(
            config.decoder_dim,
            config.laplacian_dim,
            config.channels,
            patch_size=config.patch_size,
            target_scale=config.target_scale,
        )

    @classmethod
    def from_released(cls, path: str | Path, *, heads: int | None = None) -> "ScaleMAE":
        """Make a model around the released encoder weights; its decoder is new.

        Args:
            path: Checkpoint as published, e.g. of the ViT-L after 800 epochs.
            heads: Attention heads of the encoder, which no tensor tells; if not given, as in
                ViT-B, L and H: 12, 16, 16.

        Returns:
            A model in evaluation mode on the CPU, with the width, depth, patch and bands of the
            file, for red, green and blue scaled to [0, 1] and normalised as ImageNet.

        Raises:
            MissingDataError, BrokenDataError, InputError: As `read_scalemae`.

        Warns:
            NonCommercialWeightsWarning: Always; the licence is CC-BY-NC-4.0.
        """
        config, state = read_scalemae(path, heads=heads)
        model = cls(ScaleMAEConfig(**config))
        model.encoder.vit.load_state_dict(state)
        warnings.warn(
            "The released Scale-MAE weights are licensed CC-BY-NC-4.0: no commercial use.",
            NonCommercialWeightsWarning,
            stacklevel=2,
        )
        return model.eval()

    def forward(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Shrink the images, hide patches, predict both bands of the full resolution, compare.

        Args:
            images: (B, C, H, W) float32 I_hr, normalised per band; the encoder sees them
                `target_scale` times smaller, so H and W are multiples of patch_size * target_scale.
            gsd: (B,), or one number for all images, metres per pixel *of `images`*.
            generator: Source of the mask; a seeded one repeats it.

        Returns:
            Scalars: "loss" = "loss_high" + "loss_low". For figures, without gradient: "high"
            (B, C, H, W), "low" (B, C, H/s, W/s), "mask" (B, N), 1 for hidden.

        Raises:
            InputError: As `Encoder.forward`.
        """
        latent = self._encode_visible(images, gsd, generator)
        predicted = self._decode(latent)
        losses = self._losses(self._target(images, latent), predicted, latent)
        figures = {"high": predicted.high.detach(), "low": predicted.low.detach()}
        loss = losses["loss_high"] + losses["loss_low"]
        return {"loss": loss, **losses, **figures, "mask": latent.masked.mask}

    def _complete(self, images: Tensor, latent: Latent) -> Tensor:
        return merge_bands(self._decode(latent), latent.grid, variant=self.config.variant)

    def _encode_visible(
        self, images: Tensor, gsd: Gsd, generator: torch.Generator | None
    ) -> Latent:
        scale = self.config.target_scale
        height, width = images.shape[-2:]
        if height % scale or width % scale:
            raise InputError(
                f"images are {height} x {width} pixels, but shrink by {scale}: "
                f"give multiples of {self.config.patch_size * scale}."
            )
        small = resize_area(images, (height // scale, width // scale))  # (B, C, H/s, W/s)
        coarser = None if gsd is None else gsd * scale  # a pixel now covers more ground
        return super()._encode_visible(small, coarser, generator)

    def _decode(self, latent: Latent) -> Bands:
        tokens = self.decoder(latent)  # (B, N, D)
        tokens = rearrange(tokens, "b (rows cols) d -> b d rows cols", rows=latent.grid[0])
        bands: Bands = self.head(tokens)  # high (B, C, H, W), low (B, C, H/s, W/s)
        return bands

    def _target(self, images: Tensor, latent: Latent) -> Bands:
        config = self.config
        return split_bands(
            images, latent.grid, target_scale=config.target_scale, variant=config.variant
        )

    def _losses(self, target: Bands, predicted: Bands, latent: Latent) -> dict[str, Tensor]:
        high_loss = F.l1_loss if SPLITS[self.config.variant].high_loss == "l1" else F.mse_loss
        errors = {
            "loss_high": high_loss(predicted.high, target.high, reduction="none"),
            "loss_low": F.mse_loss(predicted.low, target.low, reduction="none"),
        }
        losses = {}
        for name, error in errors.items():
            side_px = error.shape[-1] // latent.grid[1]
            mask = mask_to_pixels(latent.masked.mask, side_px, latent.grid)  # (B, 1, H, W)
            # The mean over bands first: the mask then multiplies one band, not C.
            losses[name] = masked_mean(error.mean(dim=1, keepdim=True), mask)
        return losses
