"""Masked autoencoder: hide most patches of an image, and learn to predict them from the rest.

He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", CVPR, arXiv 2111.06377.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsedu.blocks import mask_to_pixels, masked_mean, normalise_patches, patchify, unpatchify
from rsedu.models.vit import Decoder, Encoder, Gsd, Latent, MaskedViTConfig, initialise


class Reconstruction(NamedTuple):
    """An image as a model completes it.

    Attributes:
        image: (B, C, H, W), the true pixels where they were seen, predicted ones elsewhere.
        prediction: (B, C, H, W), predicted everywhere; only hidden patches were trained.
        mask: (B, 1, H, W), 1 where a pixel was hidden.
    """

    image: Float[Tensor, "batch channels height width"]
    prediction: Float[Tensor, "batch channels height width"]
    mask: Float[Tensor, "batch 1 height width"]


class MaskedAutoencoder(nn.Module):
    """What MAE and Scale-MAE share: an encoder to keep, and a decoder that completes images."""

    config: MaskedViTConfig
    encoder: Encoder
    decoder: Decoder

    def encode(
        self, images: Float[Tensor, "batch channels height width"], gsd: Gsd = None
    ) -> Float[Tensor, "batch tokens dim"]:
        """Encode images as they come, nothing hidden or shrunk, as `Encoder.forward` does.

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
        """Hide patches, as `forward` does, and predict them at the resolution of the images.

        Returns:
            A `Reconstruction` in the units of `images`. With `norm_pix_loss` an MAE never learns
            the brightness of a patch, so mean and spread are lent from the truth: such a picture
            shows structure, and its brightness proves nothing.
        """
        latent = self._encode_visible(images, gsd, generator)
        prediction = self._complete(images, latent)  # (B, C, H, W)
        side_px = images.shape[-1] // latent.grid[1]
        mask = mask_to_pixels(latent.masked.mask, side_px, latent.grid)  # (B, 1, H, W)
        return Reconstruction(torch.where(mask > 0, prediction, images), prediction, mask)

    def _encode_visible(
        self, images: Tensor, gsd: Gsd, generator: torch.Generator | None
    ) -> Latent:
        return self.encoder.encode_visible(
            images, gsd, mask_ratio=self.config.mask_ratio, generator=generator
        )

    def _complete(self, images: Tensor, latent: Latent) -> Tensor:
        """Predict all pixels of images from what was seen of them: (B, C, H, W)."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class MAEConfig(MaskedViTConfig):
    """How a masked autoencoder is made; the rest is in `MaskedViTConfig`.

    Attributes:
        norm_pix_loss: Whether each patch is shifted and scaled to mean 0 and variance 1 before
            it becomes a target, so that contrast counts and not brightness.
    """

    norm_pix_loss: bool = True


class MAE(MaskedAutoencoder):
    """Masked autoencoder.

    The loss is the mean over hidden patches, and over the P * P * C values of each, of
    (predicted - true)^2; seen patches do not count.

    >>> model = MAE(MAEConfig(channels=12))  # patches of 8 x 8 pixels, three of four hidden
    >>> out = model(torch.zeros(2, 12, 64, 64))
    >>> out["loss"].shape, out["prediction"].shape, out["mask"].sum(dim=1)
    (torch.Size([]), torch.Size([2, 64, 768]), tensor([48., 48.]))
    >>> model.features(torch.zeros(2, 12, 64, 64)).shape
    torch.Size([2, 96])
    """

    config: MAEConfig

    def __init__(self, config: MAEConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MAEConfig()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config, self.encoder, keep_prefix=True)
        self.head = nn.Linear(config.decoder_dim, config.patch_size**2 * config.channels)
        initialise(self.head)

    def forward(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Hide patches, predict them, compare.

        Args:
            images: (B, C, H, W) float32, normalised per band, in whole patches.
            gsd: (B,), or one number for all, metres per pixel; read if there is `gsd_encoding`.
            generator: Source of the mask; a seeded one repeats it.

        Returns:
            "loss", a scalar. For figures, without gradient: "prediction" (B, N, P * P * C) as
            `patchify` orders it, "mask" (B, N) with 1 for hidden.

        Raises:
            InputError: As `Encoder.forward`.
        """
        latent = self._encode_visible(images, gsd, generator)
        prediction = self.head(self.decoder(latent))  # (B, N, P * P * C)
        mask = latent.masked.mask
        error = (prediction - self._target(images)).square().mean(dim=-1)  # (B, N)
        loss = masked_mean(error, mask)
        return {"loss": loss, "prediction": prediction.detach(), "mask": mask}

    def _complete(self, images: Tensor, latent: Latent) -> Tensor:
        patches = self.head(self.decoder(latent))  # (B, N, P * P * C)
        if self.config.norm_pix_loss:
            _, mean, spread = normalise_patches(patchify(images, self.config.patch_size))
            patches = patches * spread + mean
        return unpatchify(patches, self.config.patch_size, latent.grid)  # (B, C, H, W)

    def _target(self, images: Tensor) -> Tensor:
        patches = patchify(images, self.config.patch_size)  # (B, N, P * P * C)
        return normalise_patches(patches)[0] if self.config.norm_pix_loss else patches
