"""Building blocks on pure tensors: position encodings, patches, attention, contrastive loss."""

from rsedu.blocks.attention import Attention, Block, scaled_dot_product_attention
from rsedu.blocks.contrastive import gather_rows, info_nce
from rsedu.blocks.patches import (
    Masked,
    grid_shape,
    mask_to_pixels,
    masked_mean,
    normalise_patches,
    patchify,
    random_masking,
    take_tokens,
    unpatchify,
    unshuffle,
)
from rsedu.blocks.position import (
    alibi_2d,
    alibi_between,
    alibi_slopes,
    gsd_sincos_2d,
    interleaved_order,
    sincos_1d,
    sincos_2d,
)

__all__ = [
    "Attention",
    "Block",
    "Masked",
    "alibi_2d",
    "alibi_between",
    "alibi_slopes",
    "gather_rows",
    "grid_shape",
    "gsd_sincos_2d",
    "info_nce",
    "interleaved_order",
    "mask_to_pixels",
    "masked_mean",
    "normalise_patches",
    "patchify",
    "random_masking",
    "scaled_dot_product_attention",
    "sincos_1d",
    "sincos_2d",
    "take_tokens",
    "unpatchify",
    "unshuffle",
]
