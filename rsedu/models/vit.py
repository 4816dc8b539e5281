"""Vision transformer: an encoder that sees a few patches of an image, a decoder of all of them.

MAE and Scale-MAE share both; they are stacks of timm's transformer blocks, whose parameter names
released weights carry.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import timm
import torch
from einops import rearrange
from jaxtyping import Float
from timm.models import is_model_in_modules
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from rsedu.blocks import grid_shape, gsd_sincos_2d, patchify, random_masking, take_tokens, unshuffle
from rsedu.blocks.patches import Masked
from rsedu.errors import InputError


@dataclass(frozen=True)
class ViTSize:
    """Size of a vision transformer.

    Attributes:
        dim: Width of a token, a multiple of 4 and of `heads`.
        depth: Number of blocks.
        heads: Attention heads in each block.
    """

    dim: int
    depth: int
    heads: int


# The kit's own sizes, that a laptop trains in minutes.
SIZES = {"tiny": ViTSize(96, 4, 4), "small": ViTSize(192, 6, 6)}


@dataclass(frozen=True, kw_only=True)
class MaskedViTConfig:
    """What MAE and Scale-MAE have in common.

    Attributes:
        encoder: One of the kit's sizes ("tiny", "small"), a `ViTSize`, or the name of any plain
            vision transformer of timm ("vit_base_patch16_224").
        channels: Bands of an image.
        patch_size: Side of a patch, in pixels of what the encoder sees.
        mask_ratio: Share of patches hidden in `forward`, in [0, 1).
        decoder_dim: Width of a decoder token, a multiple of 4 and of `decoder_heads`.
        decoder_depth: Number of decoder blocks.
        decoder_heads: Attention heads in each decoder block.
        gsd_encoding: Whether positions are measured on the ground (True) or counted in patches
            (False: the plain, absolute encoding; a GSD may still be passed, and is not read).
        reference_gsd: The G of the encoding, metres per pixel; 1 in released weights.
    """

    encoder: str | ViTSize = "tiny"
    channels: int = 3
    patch_size: int = 8
    mask_ratio: float = 0.75
    decoder_dim: int = 64
    decoder_depth: int = 2
    decoder_heads: int = 4
    gsd_encoding: bool = False
    reference_gsd: float = 1.0


Gsd = Float[Tensor, "_"] | float | int | None


class Latent(NamedTuple):
    """What the encoder hands to the decoder.

    Attributes:
        tokens: (B, prefix + kept, D), the class token (and timm's registers, if any) first.
        masked: Which patches were seen, and how to put them back.
        grid: (rows, cols) of the whole image, in patches.
        gsd: (B,) the ground sample distance that the positions were made with.
    """

    tokens: Float[Tensor, "batch prefix_and_kept dim"]
    masked: Masked
    grid: tuple[int, int]
    gsd: Float[Tensor, "batch"]


class Encoder(nn.Module):
    """Vision transformer that can look at a random part of an image's patches.

    Images of any size that whole patches fill are welcome: positions are computed, not learnt.
    """

    def __init__(self, config: MaskedViTConfig) -> None:
        super().__init__()
        self.config = config
        self.vit = _build_vit(config)
        self.dim = self.vit.embed_dim
        self.prefix = self.vit.num_prefix_tokens
        initialise(self)
        nn.init.xavier_uniform_(self.vit.patch_embed.proj.weight.flatten(1))  # it is linear too
        if self.vit.cls_token is not None:
            nn.init.normal_(self.vit.cls_token, std=0.02)

    def forward(
        self, images: Float[Tensor, "batch channels height width"], gsd: Gsd = None
    ) -> Float[Tensor, "batch tokens dim"]:
        """Encode all patches.

        Args:
            images: (B, C, H, W) float32, normalised as in training.
            gsd: (B,), or one number for all images, metres per pixel of `images`.

        Returns:
            (B, prefix + N, D): class token first, then the patches row by row.

        Raises:
            InputError: Wrong number of bands, no whole patches, or a GSD is missing.
        """
        self._check_channels(images)
        patches = patchify(images, self.config.patch_size)  # (B, N, P * P * C)
        positions = self._positions(images, self.gsd_of(images, gsd))  # (B, N, D)
        return self._transform(self._embed(patches) + positions)

    def encode_visible(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        *,
        mask_ratio: float,
        generator: torch.Generator | None = None,
    ) -> Latent:
        """Encode a random part of the patches, as `forward` does; the others cost nothing.

        The share `mask_ratio`, in [0, 1), stays unseen; `generator` draws which.

        Raises:
            InputError: As in `forward`, or the ratio leaves no patch.
        """
        self._check_channels(images)
        patches = patchify(images, self.config.patch_size)  # (B, N, P * P * C)
        masked = random_masking(patches, mask_ratio, generator=generator)
        gsd = self.gsd_of(images, gsd)
        positions = take_tokens(self._positions(images, gsd), masked.ids_keep)  # (B, n, D)
        tokens = self._transform(self._embed(masked.visible) + positions)  # (B, prefix + n, D)
        return Latent(tokens, masked, grid_shape(images, self.config.patch_size), gsd)

    def features(
        self,
        images: Float[Tensor, "batch channels height width"],
        gsd: Gsd = None,
        *,
        pool: str = "mean",
    ) -> Float[Tensor, "batch dim"]:
        """Return one vector per image, (B, D), for a classifier or a neighbour search.

        It is the "mean" of the patch tokens that `forward` gives, or the class token, "cls".
        """
        if pool not in ("mean", "cls"):
            raise InputError(f"pool is {pool!r}, but only 'mean' and 'cls' are known.")
        tokens: Tensor = self(images, gsd)  # (B, prefix + N, D)
        return tokens[:, 0] if pool == "cls" else tokens[:, self.prefix :].mean(dim=1)

    def gsd_of(
        self, images: Float[Tensor, "batch channels height width"], gsd: Gsd
    ) -> Float[Tensor, "batch"]:
        """Return one GSD per image, (B,): what was given, or the reference for the plain encoding.

        Raises:
            InputError: The encoding needs a GSD and none came, or not one for each image.
        """
        batch, config = len(images), self.config
        if not config.gsd_encoding:
            # Every g/G is 1, and the encoding counts patches.
            return images.new_full((batch,), config.reference_gsd, dtype=torch.float32)
        if gsd is None:
            raise InputError(
                "the encoding measures patches on the ground and no gsd came: pass metres per "
                "pixel, one number or one per image, or make the model with gsd_encoding=False."
            )
        gsds = torch.as_tensor(gsd, dtype=torch.float32, device=images.device)
        if gsds.ndim and len(gsds) != batch:
            raise InputError(f"gsd has {len(gsds)} values for {batch} images: pass one for each.")
        return gsds.expand(batch)  # (B,)

    def _positions(self, images: Tensor, gsd: Tensor) -> Tensor:
        grid = grid_shape(images, self.config.patch_size)
        return gsd_sincos_2d(self.dim, grid, gsd, self.config.reference_gsd)

    def _embed(self, patches: Tensor) -> Tensor:
        """Project flat patches: a convolution whose stride is its kernel is a linear layer."""
        proj = self.vit.patch_embed.proj
        weight = rearrange(proj.weight, "d c y x -> d (y x c)")  # (D, P * P * C)
        embedded: Tensor = self.vit.patch_embed.norm(F.linear(patches, weight, proj.bias))
        return embedded

    def _transform(self, tokens: Tensor) -> Tensor:
        """Prepend the class token, whose position code is zero, and run the blocks."""
        learnt = (self.vit.cls_token, self.vit.reg_token)
        prefix = [token.expand(len(tokens), -1, -1) for token in learnt if token is not None]
        tokens = self.vit.norm_pre(torch.cat([*prefix, tokens], dim=1))  # (B, prefix + N, D)
        out: Tensor = self.vit.norm(self.vit.blocks(tokens))
        return out

    def _check_channels(self, images: Tensor) -> None:
        if images.shape[1] != self.config.channels:
            raise InputError(
                f"images have {images.shape[1]} bands, but the model was made for "
                f"{self.config.channels}: select bands, or make it with channels="
                f"{images.shape[1]}."
            )


class Decoder(nn.Module):
    """Small transformer that fills the hidden patches in: one token for each patch.

    With `keep_prefix` the class token takes part (MAE), else it is dropped first (Scale-MAE).
    """

    def __init__(self, config: MaskedViTConfig, encoder: Encoder, *, keep_prefix: bool) -> None:
        super().__init__()
        dim = config.decoder_dim
        self.prefix, self.keep_prefix = encoder.prefix, keep_prefix
        self.embed = nn.Linear(encoder.dim, dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.dim, self.reference_gsd = dim, config.reference_gsd
        self.blocks = nn.Sequential(
            *(Block(dim, config.decoder_heads, qkv_bias=True) for _ in range(config.decoder_depth))
        )
        self.norm = nn.LayerNorm(dim)
        initialise(self)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, latent: Latent) -> Float[Tensor, "batch tokens dim"]:
        """Return (B, N, decoder_dim), the patches row by row, seen and unseen."""
        kept = latent.masked.ids_keep.shape[1]
        prefix, visible = self.embed(latent.tokens).split([self.prefix, kept], dim=1)  # (B, n, d)
        tokens = unshuffle(visible, latent.masked.ids_restore, self.mask_token)  # (B, N, d)
        tokens = tokens + gsd_sincos_2d(self.dim, latent.grid, latent.gsd, self.reference_gsd)
        if self.keep_prefix:
            tokens = torch.cat([prefix, tokens], dim=1)  # (B, prefix + N, d)
        out: Tensor = self.norm(self.blocks(tokens))
        return out[:, self.prefix :] if self.keep_prefix else out


def initialise(module: nn.Module) -> None:
    """Fill all linear layers in place as MAE does: Xavier-uniform weights, zero biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _build_vit(config: MaskedViTConfig) -> VisionTransformer:
    """Make timm's transformer with a class token and no learnt positions."""
    encoder = config.encoder
    size = SIZES.get(encoder, encoder) if isinstance(encoder, str) else encoder
    shared: dict[str, Any] = {
        "patch_size": config.patch_size,
        "in_chans": config.channels,
        "num_classes": 0,
        "pos_embed": "none",
        "class_token": True,
        "global_pool": "token",
    }
    if isinstance(size, ViTSize):
        return VisionTransformer(
            embed_dim=size.dim, depth=size.depth, num_heads=size.heads, **shared
        )
    if not is_model_in_modules(size, {"vision_transformer"}):
        raise InputError(
            f"encoder is {size!r}, but the kit has {sorted(SIZES)}, and timm no plain vision "
            "transformer of that name: see timm.list_models('vit_*')."
        )
    vit = timm.create_model(size, pretrained=False, **shared)
    assert isinstance(vit, VisionTransformer)
    return vit
