"""A small SAM: the published architecture, its own classes, at 256 px and with 2 M parameters.

SAM (Kirillov et al. 2023) is an image encoder that runs once per image, a prompt encoder that
turns clicks, boxes and masks into tokens, and a decoder that reads both. Here all three come from
the package `segment_anything`; only their sizes are other, and how they are initialised.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import nn

from rsedu.blocks.position import sincos_2d

PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # those of SAM
SHARPNESS = 2.5  # of attention between places at the start: about 4 nats above the mean


@dataclass(frozen=True, kw_only=True)
class TinySamConfig:
    """Sizes of a small SAM.

    Attributes:
        image_px: side of the square that the encoder sees.
        patch_px: side of a patch; masks come out at a quarter of it.
        encoder_dim: width of a token in the encoder, a multiple of 4 and of `encoder_heads`.
        encoder_depth: blocks.
        encoder_heads: attention heads.
        dim: width in the decoder, a multiple of 16.
        decoder_heads: attention heads.
        decoder_mlp: hidden width of its perceptrons.
        finest: how often the fastest position wave passes over half an image.
    """

    image_px: int = 256
    patch_px: int = 16
    encoder_dim: int = 128
    encoder_depth: int = 5
    encoder_heads: int = 4
    dim: int = 128
    decoder_heads: int = 4
    decoder_mlp: int = 256
    finest: float = 4.0


def _encoder(config: TinySamConfig) -> ImageEncoderViT:
    return ImageEncoderViT(
        img_size=config.image_px,
        patch_size=config.patch_px,
        embed_dim=config.encoder_dim,
        depth=config.encoder_depth,
        num_heads=config.encoder_heads,
        out_chans=config.dim,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        global_attn_indexes=tuple(range(config.encoder_depth)),
    )


def _decoder(config: TinySamConfig) -> MaskDecoder:
    return MaskDecoder(
        transformer_dim=config.dim,
        transformer=TwoWayTransformer(
            depth=2,
            embedding_dim=config.dim,
            num_heads=config.decoder_heads,
            mlp_dim=config.decoder_mlp,
        ),
        iou_head_hidden_dim=config.dim,
    )


class TinySam(Sam):  # type: ignore[misc]  # the package has no types
    """A `segment_anything` Sam of small sizes; whatever takes a Sam takes it."""

    def __init__(self, config: TinySamConfig | None = None) -> None:
        """Make one with fresh weights; None: the kit's own sizes."""
        config = config or TinySamConfig()
        side = config.image_px // config.patch_px
        super().__init__(
            image_encoder=_encoder(config),
            prompt_encoder=PromptEncoder(
                embed_dim=config.dim,
                image_embedding_size=(side, side),
                input_image_size=(config.image_px, config.image_px),
                mask_in_chans=16,
            ),
            mask_decoder=_decoder(config),
            pixel_mean=list(PIXEL_MEAN),
            pixel_std=list(PIXEL_STD),
        )
        self.config = config
        self._initialise(side)

    @torch.no_grad()
    def _initialise(self, side: int) -> None:
        """Start where a click already finds its place, which saves thousands of steps."""
        table = sincos_2d(self.config.encoder_dim, side)
        self.image_encoder.pos_embed.copy_(table.reshape(1, side, side, -1))
        # The package draws its position waves at random, none much finer than half an image.
        waves = self.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
        spread = torch.logspace(-1, 0, waves.shape[1], base=8.0) * self.config.finest
        waves.copy_(nn.functional.normalize(waves, dim=0) * spread)
        for attention in _crossing(self.mask_decoder.transformer):
            # With equal query and key, what is near in place attends to each other.
            attention.q_proj.weight.mul_(SHARPNESS)
            attention.k_proj.load_state_dict(attention.q_proj.state_dict())


def _crossing(transformer: TwoWayTransformer) -> list[Any]:
    """Every attention between tokens and image."""
    names = ("cross_attn_token_to_image", "cross_attn_image_to_token")
    inner = [getattr(layer, name) for layer in transformer.layers for name in names]
    return [*inner, transformer.final_attn_token_to_image]
