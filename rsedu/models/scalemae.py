"""Scale-MAE: a masked autoencoder that knows how large a pixel is, and rebuilds two bands.

Reed et al. 2023, "Scale-MAE: A Scale-Aware Masked Autoencoder for Multiscale Geospatial
Representation Learning", ICCV, arXiv 2212.14532.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from rsedu.blocks.patches import mask_to_pixels
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
from rsedu.models.mae import Reconstruction
from rsedu.models.published import NonCommercialWeightsWarning, read_released
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


class ScaleMAE(nn.Module):
    """Scale-aware masked autoencoder.

    Args:
        config: See `ScaleMAEConfig`.

    The loss is mean |high - predicted| + mean (low - predicted)^2, each mean over the bands and
    the pixels of hidden patches. (The released code sums over bands, so its loss is C times this
    one, and squares both terms by default: `variant="released"` squares, and keeps the mean.)
    """

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
            path: Checkpoint file as published, e.g. of the ViT-L after 800 epochs.
            heads: Attention heads of the encoder, which no tensor tells; if not given, as in
                ViT-B, L and H: 12, 16, 16.

        Returns:
            A model in evaluation mode on the CPU, with the width, depth, patch and bands of the
            file, for red, green and blue scaled to [0, 1] and normalised as ImageNet.

        Raises:
            MissingDataError: There is no such file.
            BrokenDataError: It is no PyTorch checkpoint.
            InputError: A tensor of the encoder is missing, or one is unknown.

        Warns:
            NonCommercialWeightsWarning: Always; the licence is CC-BY-NC-4.0.
        """
        released = read_released(path, heads=heads)
        model = cls(
            ScaleMAEConfig(
                encoder=released.size, channels=released.channels, patch_size=released.patch_size
            )
        )
        model.encoder.vit.load_state_dict(released.state)
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
            Scalars to be minimised or shown: "loss" = "loss_high" + "loss_low". For figures,
            without gradient: "high" (B, C, H, W), "low" (B, C, H/s, W/s), "mask" (B, N), 1 for
            hidden.

        Raises:
            InputError: Wrong number of bands, no whole patches, or a GSD is missing.
        """
        latent = self._encode_visible(images, gsd, generator)
        predicted = self._decode(latent)
        losses = self._losses(self._target(images, latent), predicted, latent)
        shown = {"high": predicted.high.detach(), "low": predicted.low.detach()}
        loss = losses["loss_high"] + losses["loss_low"]
        return {"loss": loss, **losses, **shown, "mask": latent.masked.mask}

    def encode(
        self, images: Float[Tensor, "batch channels height width"], gsd: Gsd = None
    ) -> Float[Tensor, "batch tokens dim"]:
        """Encode images as they come, nothing hidden or shrunk: see `Encoder.forward`.

        Args:
            images: (B, C, H, W) float32, H and W multiples of patch_size.
            gsd: (B,), or one number for all images, metres per pixel of `images`.

        Returns:
            (B, 1 + N, D), class token first.
        """
        tokens: Tensor = self.encoder(images, gsd)
        return tokens

    def features(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        *,
        pool: str = "mean",
    ) -> Float[Tensor, "batch dim"]:
        """Return one vector per image, (B, D): see `encode` and `Encoder.features`."""
        return self.encoder.features(images, gsd, pool=pool)

    @torch.no_grad()
    def reconstruct(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        generator: torch.Generator | None = None,
    ) -> Reconstruction:
        """Hide patches and paint them in at full resolution.

        Args:
            images: (B, C, H, W) float32, as in `forward`.
            gsd: (B,), or one number for all images, metres per pixel of `images`.
            generator: Source of the mask.

        Returns:
            A `Reconstruction` in the units of `images`, both predicted bands added.

        Raises:
            InputError: As in `forward`.
        """
        latent = self._encode_visible(images, gsd, generator)
        prediction = merge_bands(self._decode(latent), latent.grid, variant=self.config.variant)
        mask = mask_to_pixels(latent.masked.mask, self._target_patch, latent.grid)
        return Reconstruction(torch.where(mask > 0, prediction, images), prediction, mask)

    @property
    def _target_patch(self) -> int:
        """Side of a patch in pixels of the target."""
        return self.config.patch_size * self.config.target_scale

    def _encode_visible(
        self, images: Tensor, gsd: Gsd, generator: torch.Generator | None
    ) -> Latent:
        scale, ratio = self.config.target_scale, self.config.mask_ratio
        height, width = images.shape[-2:]
        if height % scale or width % scale:
            raise InputError(
                f"images are {height} x {width} pixels, but shrink by {scale}: "
                f"give multiples of {self._target_patch}."
            )
        small = resize_area(images, (height // scale, width // scale))
        coarser = None if gsd is None else gsd * scale  # a pixel now covers more ground
        return self.encoder.encode_visible(small, coarser, mask_ratio=ratio, generator=generator)

    def _decode(self, latent: Latent) -> Bands:
        tokens = self.decoder(latent)
        rows, _ = latent.grid
        bands: Bands = self.head(
            rearrange(tokens, "batch (rows cols) dim -> batch dim rows cols", rows=rows)
        )
        return bands

    def _target(self, images: Tensor, latent: Latent) -> Bands:
        config = self.config
        return split_bands(
            images, latent.grid, target_scale=config.target_scale, variant=config.variant
        )

    def _losses(self, target: Bands, predicted: Bands, latent: Latent) -> dict[str, Tensor]:
        mask, grid = latent.masked.mask, latent.grid
        low_mask = mask_to_pixels(mask, self.config.patch_size, grid)
        high_mask = mask_to_pixels(mask, self._target_patch, grid)
        high_loss = F.l1_loss if SPLITS[self.config.variant].high_loss == "l1" else F.mse_loss
        high_error = high_loss(predicted.high, target.high, reduction="none")
        low_error = F.mse_loss(predicted.low, target.low, reduction="none")
        return {
            "loss_high": _masked_mean(high_error, high_mask),
            "loss_low": _masked_mean(low_error, low_mask),
        }


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Average (B, C, H, W) values over all bands of the pixels where the (B, 1, H, W) mask is 1."""
    per_pixel = values.mean(dim=1, keepdim=True)  # first: the mask then multiplies one band, not C
    return (per_pixel * mask).sum() / mask.sum()
