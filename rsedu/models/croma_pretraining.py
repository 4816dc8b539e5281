"""Pre-training of CROMA: contrast between two sensors, and reconstruction of what is hidden.

Fuller et al. 2023, arXiv 2311.00566, section 3. The published code has this model and no loop;
`rsedu pretrain croma` is one.
"""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from rsedu.blocks import Block, alibi_between, info_nce, sincos_2d
from rsedu.blocks.patches import (
    Masked,
    masked_mean,
    normalise_patches,
    patchify,
    random_masking,
    take_tokens,
    unshuffle,
)
from rsedu.errors import InputError
from rsedu.models.croma import Croma, CromaConfig
from rsedu.models.vit import initialise


@dataclass(frozen=True, kw_only=True)
class CromaTrainingConfig(CromaConfig):
    """How CROMA is trained; the encoders are described in `CromaConfig`.

    Attributes:
        mask_ratio: Share of each sensor's patches that is hidden, independently.
        contrast: Weight of the contrastive loss; 0 leaves it out.
        reconstruction: Weight of the reconstruction loss; 0 leaves it out.
        decoder_dim: Width of a decoder token, a multiple of 4 and of `decoder_heads`.
        decoder_depth: Blocks of the decoder, 1 in the paper.
        decoder_heads: Its attention heads.
        temperature: At the start; it is learnt.
        released_bias: Whether the joint encoder's self-attention gets, as in the published
            pre-training code, the distances from radar to *optical* patches, which are those of
            other places when both sensors are masked independently. False is right.
    """

    mask_ratio: float = 0.75
    contrast: float = 1.0
    reconstruction: float = 1.0
    decoder_dim: int = 64
    decoder_depth: int = 1
    decoder_heads: int = 4
    temperature: float = 0.07
    released_bias: bool = False

    @property
    def encoders(self) -> CromaConfig:
        """What is left of it after training."""
        return CromaConfig(**{item.name: getattr(self, item.name) for item in fields(CromaConfig)})


class _Visible(NamedTuple):
    """What both sensors' encoders make of the patches that are left."""

    radar: Tensor
    optical: Tensor
    radar_mask: Masked
    optical_mask: Masked
    grid: tuple[int, int]


class CromaTraining(nn.Module):
    """CROMA with what only training needs: contrast heads, mask token, decoder.

    Raises:
        InputError: Both losses are left out.
    """

    def __init__(self, config: CromaTrainingConfig | None = None) -> None:
        super().__init__()
        self.config = config or CromaTrainingConfig()
        made, dim = self.config, self.config.dim
        if made.contrast <= 0 and made.reconstruction <= 0:
            raise InputError("contrast and reconstruction are both 0: weigh at least one above 0.")
        self.croma = Croma(made.encoders)
        self.contrast_radar, self.contrast_optical = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / made.temperature)))
        self.embed = nn.Linear(dim, made.decoder_dim)
        self.mask_token = nn.Parameter(torch.zeros(made.decoder_dim))
        self.decoder = nn.ModuleList(
            Block(made.decoder_dim, made.decoder_heads) for _ in range(made.decoder_depth)
        )
        self.norm = nn.LayerNorm(made.decoder_dim)
        channels = made.radar_channels + made.optical_channels
        self.head = nn.Linear(made.decoder_dim, made.patch_size**2 * channels)
        for part in (self.contrast_radar, self.contrast_optical, self.embed, self.head):
            initialise(part)
        initialise(self.decoder)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(
        self,
        radar: Float[Tensor, "batch radar_bands height width"],
        optical: Float[Tensor, "batch optical_bands height width"],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Mask both sensors, contrast what is left, predict what is hidden.

        Args:
            radar: (B, 2, H, W) float32, dB, standardised.
            optical: (B, 12, H, W) float32, reflectance, standardised, of the same places.
            generator: Source of both masks.

        Returns:
            Scalars: "loss", and its parts "loss_contrast", "loss_radar" and "loss_optical" that are
            weighed above 0. For figures: "prediction" (B, N, P * P * 14), optical channels first.
        """
        visible = self._encode_visible(radar, optical, generator)
        losses: dict[str, Tensor] = {}
        total = radar.new_zeros(())
        if self.config.contrast > 0:
            losses["loss_contrast"] = self._contrast(visible)
            total = total + self.config.contrast * losses["loss_contrast"]
        if self.config.reconstruction > 0:
            prediction = self._reconstruct(visible)
            losses |= self._compare(prediction, radar, optical, visible)
            hidden = losses["loss_radar"] + losses["loss_optical"]
            total = total + self.config.reconstruction * hidden
            losses["prediction"] = prediction.detach()
        return {"loss": total, **losses}

    def features(
        self,
        radar: Float[Tensor, "batch radar_bands height width"] | None = None,
        optical: Float[Tensor, "batch optical_bands height width"] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """Return one vector per place from what there is: joint, else of the one sensor."""
        out = self.croma(radar=radar, optical=optical)
        best = next(name for name in ("joint", "optical", "radar") if f"{name}_pooled" in out)
        vectors: Tensor = out[f"{best}_tokens"].mean(dim=1)
        return vectors

    def _encode_visible(
        self, radar: Tensor, optical: Tensor, generator: torch.Generator | None
    ) -> _Visible:
        croma = self.croma
        grid = croma.check({"radar": radar, "optical": optical})
        parts = []
        for encoder, image in ((croma.radar_encoder, radar), (croma.optical_encoder, optical)):
            patches = patchify(image, self.config.patch_size)  # (B, N, P * P * C)
            masked = random_masking(patches, self.config.mask_ratio, generator=generator)
            bias = self._bias(masked, masked, grid)
            tokens = encoder(masked.visible, code=self._code(masked, grid), bias=bias)  # (B, n, D)
            parts.append((tokens, masked))
        (radar_tokens, radar_mask), (optical_tokens, optical_mask) = parts
        return _Visible(radar_tokens, optical_tokens, radar_mask, optical_mask, grid)

    def _code(self, masked: Masked, grid: tuple[int, int]) -> Tensor | None:
        if self.config.positions == "alibi":
            return None
        code = sincos_2d(self.config.dim, grid, device=masked.mask.device)
        code = code.expand(len(masked.mask), -1, -1)  # (B, N, D)
        return take_tokens(code, masked.ids_keep)  # (B, n, D)

    def _bias(self, queries: Masked, keys: Masked, grid: tuple[int, int]) -> Tensor | None:
        if self.config.positions == "sincos":
            return None
        return alibi_between(self.config.heads, queries.ids_keep, keys.ids_keep, grid[1])

    def _contrast(self, visible: _Visible) -> Tensor:
        radar = self.contrast_radar(self.croma.radar_head(visible.radar.mean(dim=1)))
        optical = self.contrast_optical(self.croma.optical_head(visible.optical.mean(dim=1)))
        return info_nce(radar, optical, (-self.log_scale).exp())

    def _reconstruct(self, visible: _Visible) -> Tensor:
        """Predict all patches of both sensors from the joint tokens, (B, N, P * P * 14)."""
        cross = self._bias(visible.radar_mask, visible.optical_mask, visible.grid)
        right = self._bias(visible.radar_mask, visible.radar_mask, visible.grid)
        own = cross if self.config.released_bias else right
        joint = self.croma.joint_encoder(visible.radar, visible.optical, bias=own, cross_bias=cross)
        tokens = self.embed(joint)  # (B, n, d)
        tokens = unshuffle(tokens, visible.radar_mask.ids_restore, self.mask_token)  # (B, N, d)
        tokens = tokens + sincos_2d(self.config.decoder_dim, visible.grid, device=tokens.device)
        for block in self.decoder:
            tokens = block(tokens)
        prediction: Tensor = self.head(self.norm(tokens))
        return prediction

    def _compare(
        self, prediction: Tensor, radar: Tensor, optical: Tensor, visible: _Visible
    ) -> dict[str, Tensor]:
        """Errors on hidden patches, per sensor; a patch is normalised over the bands of both."""
        both = torch.cat([optical, radar], dim=1)  # (B, 14, H, W)
        patches = patchify(both, self.config.patch_size)  # (B, N, P * P * 14)
        error = (prediction - normalise_patches(patches)[0]).square()  # (B, N, P * P * 14)
        pixels = self.config.patch_size**2
        by_band = rearrange(error, "b n (p c) -> b n p c", p=pixels)  # (B, N, P * P, 14)
        bands = optical.shape[1]
        radar_error = by_band[..., bands:].mean(dim=(2, 3))  # (B, N)
        optical_error = by_band[..., :bands].mean(dim=(2, 3))  # (B, N)
        return {
            "loss_radar": masked_mean(radar_error, visible.radar_mask.mask),
            "loss_optical": masked_mean(optical_error, visible.optical_mask.mask),
        }
