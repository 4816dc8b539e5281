"""Laplacian decoder of Scale-MAE: an image split into two bands of detail, and their prediction.

Reed et al. 2023, "Scale-MAE", ICCV, arXiv 2212.14532, section 3 (target images, Laplacian
blocks): "high" holds edges at full resolution, "low" holds averages at the encoder's.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from timm.layers.norm import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional as F

from rsedu.blocks.position import rows_and_cols
from rsedu.errors import InputError

Variant = Literal["paper", "released"]


@dataclass(frozen=True, kw_only=True)
class BandSplit:
    """Where the two bands end, in samples per side of a patch; 1 is one average per patch.

    Attributes:
        high_above: The high band is what this many samples per patch cannot hold.
        low_below: The low band is what this many can; None leaves the encoder's image as it is.
        high_loss: "l1" for absolute errors in the high band, "l2" for squared ones.
    """

    high_above: float
    low_below: float | None
    high_loss: Literal["l1", "l2"]


SPLITS: dict[str, BandSplit] = {
    # The paper's main text gives the recipe and no sizes. These follow a reading of its supplement:
    # of 448 px with 14 x 14 patches, high is above 56 px (4 samples per patch), low below 14 (1).
    "paper": BandSplit(high_above=4.0, low_below=1.0, high_loss="l1"),
    # The released defaults: down to 7 px is half a sample per patch; the condition that guards the
    # low-pass is inverted, so that it never runs; the L1 loss is behind a flag that is off.
    "released": BandSplit(high_above=0.5, low_below=None, high_loss="l2"),
}


class Bands(NamedTuple):
    """The two bands of an image, or of its prediction.

    Attributes:
        low: (B, C, H, W) at the encoder's resolution.
        high: (B, C, H * s, W * s) at the target's, s times finer.
    """

    low: Float[Tensor, "batch channels low_height low_width"]
    high: Float[Tensor, "batch channels high_height high_width"]


def resize_area(
    images: Float[Tensor, "batch channels height width"], size: tuple[int, int]
) -> Float[Tensor, "batch channels rows cols"]:
    """Shrink images to a size (rows, cols): the mean of all pixels that fall into each new one."""
    return F.interpolate(images, size=size, mode="area")


def low_pass(
    images: Float[Tensor, "batch channels height width"],
    samples: tuple[int, int],
    size: tuple[int, int] | None = None,
) -> Float[Tensor, "batch channels rows cols"]:
    """Keep only what a coarse grid can hold: average down, interpolate up.

    Args:
        images: (B, C, H, W), any unit.
        samples: (rows, cols) of the coarse grid.
        size: (rows, cols) of the result, bilinear between the samples; None: as the images came.
    """
    coarse, size = resize_area(images, samples), size or (images.shape[-2], images.shape[-1])
    return F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)


def split_bands(
    images: Float[Tensor, "batch channels height width"],
    grid_size: int | tuple[int, int],
    *,
    target_scale: int = 2,
    variant: Variant = "paper",
) -> Bands:
    """Split images into the low and the high band that Scale-MAE rebuilds.

    Args:
        images: (B, C, H, W) I_hr, at the target's resolution, any unit.
        grid_size: Side of the square grid of patches, or (rows, cols).
        target_scale: How many times finer the images are than what the encoder sees.
        variant: "paper", or "released" for what the published code does.

    Returns:
        high = I_hr - up(down(I_hr)), at (H, W); low = up(down'(I_hr)), at (H, W) / target_scale.
        The paper's down' is coarser than its down, so what lies between is in neither band;
        the released bands overlap instead.

    Raises:
        InputError: There is no such variant.
    """
    if variant not in SPLITS:
        raise InputError(f"variant is {variant!r}, but only {sorted(SPLITS)} are known.")
    split, grid = SPLITS[variant], rows_and_cols(grid_size)
    height, width = images.shape[-2:]
    low_size = (height // target_scale, width // target_scale)
    high = images - low_pass(images, _samples(grid, split.high_above))
    if split.low_below is None:
        return Bands(resize_area(images, low_size), high)
    return Bands(low_pass(images, _samples(grid, split.low_below), low_size), high)


def merge_bands(
    bands: Bands, grid_size: int | tuple[int, int], *, variant: Variant = "paper"
) -> Float[Tensor, "batch channels height width"]:
    """Add both bands of `split_bands` to one image at the resolution of the high one.

    Returns:
        (B, C, H, W) up(down(low)) + high. With "released" bands this is the image again; with
        the paper's, the detail between both cuts is missing.
    """
    samples = _samples(rows_and_cols(grid_size), SPLITS[variant].high_above)
    height, width = bands.high.shape[-2:]
    return low_pass(bands.low, samples, (height, width)) + bands.high


class LaplacianDecoder(nn.Module):
    """Two convolutional branches from a map of patch tokens to the two bands.

    Args:
        dim: Channels of the map.
        hidden: Channels within the branches, a multiple of 4.
        channels: Bands of the image.
        patch_size: Side of a patch at the encoder's resolution, even.
        target_scale: How many times finer the high band is.

    The high branch doubles the map twice and the low one once, each by a transposed convolution;
    a `LaplacianBlock` then reaches the resolution of its band. Convolutions run in the
    channels-last layout, up to three times as fast on a CPU.
    """

    def __init__(
        self, dim: int, hidden: int, channels: int, *, patch_size: int, target_scale: int
    ) -> None:
        super().__init__()
        if patch_size % 2 or (patch_size * target_scale) % 4:
            raise InputError(
                f"patch_size {patch_size} at target_scale {target_scale}: the branches start at 2 "
                "and 4 samples per patch, so choose an even patch, and 4 or more target pixels."
            )
        self.low = nn.Sequential(
            _enlarge(dim, dim, 2), LaplacianBlock(dim, hidden, channels, factor=patch_size // 2)
        )
        self.high = nn.Sequential(
            *(_enlarge(dim, dim, 2), LayerNorm2d(dim), nn.GELU(), _enlarge(dim, dim, 2)),
            LaplacianBlock(dim, hidden, channels, factor=patch_size * target_scale // 4),
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, tokens: Float[Tensor, "batch dim rows cols"]) -> Bands:
        """Predict low (B, C, rows * P, cols * P), and high, `target_scale` times finer."""
        tokens = tokens.contiguous(memory_format=torch.channels_last)
        return Bands(self.low(tokens), self.high(tokens))


class LaplacianBlock(nn.Sequential):
    """From features to pixels, `factor` times larger: mapping, two residual blocks, enlargement."""

    def __init__(self, dim: int, hidden: int, channels: int, *, factor: int) -> None:
        last = 2 if factor % 2 == 0 else 1
        half = hidden // 2
        super().__init__(
            nn.Conv2d(dim, hidden, 1),
            *(_ResidualBlock(hidden), _ResidualBlock(hidden)),
            *(LayerNorm2d(hidden), _enlarge(hidden, half, factor // last), nn.GELU()),
            *(_mix(half), nn.GELU()),
            _enlarge(half, channels, last),
        )


class _ResidualBlock(nn.Module):
    """GELU, mixing, GELU, mixing around a learnt shortcut."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(dim, dim, 1)
        self.path = nn.Sequential(nn.GELU(), _mix(dim))

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.shortcut(features) + self.path(features)
        return out


def _mix(dim: int) -> nn.Sequential:
    """Mix neighbours in pairs of channels, then all channels: few weights, wide view."""
    half = dim // 2
    return nn.Sequential(
        nn.Conv2d(dim, half, 3, padding=1, groups=half), nn.GELU(), nn.Conv2d(half, dim, 1)
    )


def _enlarge(dim_in: int, dim_out: int, factor: int) -> nn.Module:
    return nn.ConvTranspose2d(dim_in, dim_out, factor, stride=factor)


def _samples(grid: tuple[int, int], per_patch: float) -> tuple[int, int]:
    """Count the samples of a whole image; a grid of one patch still has one."""
    return max(1, round(grid[0] * per_patch)), max(1, round(grid[1] * per_patch))
