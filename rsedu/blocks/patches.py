"""Patches: cut an image into tokens, hide some at random, put the rest in place again."""

from typing import NamedTuple

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Tensor

from rsedu.blocks.position import GridSize, rows_and_cols
from rsedu.errors import InputError


class Masked(NamedTuple):
    """The tokens that were kept, and what is needed to put them back.

    Attributes:
        visible: (B, kept, D) tokens in shuffled order.
        mask: (B, N) float, 1 where a token was removed and 0 where it was kept.
        ids_keep: (B, kept) position in the grid of each visible token.
        ids_restore: (B, N) for each position in the grid, its place in the shuffled order.
    """

    visible: Float[Tensor, "batch kept dim"]
    mask: Float[Tensor, "batch tokens"]
    ids_keep: Int[Tensor, "batch kept"]
    ids_restore: Int[Tensor, "batch tokens"]


def grid_shape(
    images: Float[Tensor, "batch channels height width"], patch_size: int
) -> tuple[int, int]:
    """Return how many patches fit, as (rows, cols).

    Raises:
        InputError: Height or width, in pixels, is no multiple of the patch.
    """
    height, width = images.shape[-2:]
    if patch_size < 1 or height % patch_size or width % patch_size:
        raise InputError(
            f"images are {height} x {width} pixels, but must be cut into whole patches of "
            f"{patch_size}: crop or resample them, or change patch_size."
        )
    return height // patch_size, width // patch_size


def patchify(
    images: Float[Tensor, "batch channels height width"], patch_size: int
) -> Float[Tensor, "batch tokens values"]:
    """Cut images into a row of flat patches.

    Args:
        images: (B, C, H, W), any number of channels, any unit, H and W multiples of the patch.
        patch_size: Side P of a patch in pixels.

    Returns:
        (B, N, P * P * C) with N = H/P * W/P, patches row by row; inside a patch the pixels row
        by row and the channels last, as in He et al. 2022.

    Raises:
        InputError: As `grid_shape`.

    >>> patchify(torch.arange(8.0).reshape(1, 1, 2, 4), 2)  # two patches of 2 x 2 pixels
    tensor([[[0., 1., 4., 5.],
             [2., 3., 6., 7.]]])
    """
    rows, cols = grid_shape(images, patch_size)
    pattern = "b c (rows y) (cols x) -> b (rows cols) (y x c)"
    return rearrange(images, pattern, rows=rows, cols=cols)  # (B, N, P * P * C)


def unpatchify(
    patches: Float[Tensor, "batch tokens values"], patch_size: int, grid_size: GridSize
) -> Float[Tensor, "batch channels height width"]:
    """Put flat patches together again: the inverse of `patchify`.

    Args:
        patches: (B, N, P * P * C) as `patchify` orders them.
        patch_size: Side P of a patch in pixels.
        grid_size: Side of a square grid, or (rows, cols), in patches.

    Returns:
        (B, C, rows * P, cols * P).

    Raises:
        InputError: The patches do not fill the grid, or hold no whole number of channels.
    """
    rows, cols = rows_and_cols(grid_size)
    _, tokens, values = patches.shape
    if tokens != rows * cols or values % patch_size**2:
        raise InputError(
            f"patches are {tokens} tokens of {values} values, but a grid of {rows} x {cols} needs "
            f"{rows * cols} tokens of {patch_size}^2 values a channel: check grid_size, patch_size."
        )
    pattern = "b (rows cols) (y x c) -> b c (rows y) (cols x)"
    sides = {"rows": rows, "y": patch_size, "x": patch_size}
    return rearrange(patches, pattern, **sides)  # (B, C, rows * P, cols * P)


def normalise_patches(
    patches: Float[Tensor, "batch tokens values"], *, eps: float = 1e-6
) -> tuple[
    Float[Tensor, "batch tokens values"],
    Float[Tensor, "batch tokens 1"],
    Float[Tensor, "batch tokens 1"],
]:
    """Shift and scale each patch to mean 0 and variance 1 over all of its values.

    Args:
        patches: (B, N, P * P * C).
        eps: Added to the variance, so that a flat patch becomes 0.

    Returns:
        The normalised patches, and the mean and the spread, (B, N, 1) each, that undo it:
        `patches = normalised * spread + mean`. The variance is the unbiased one, as released.
    """
    mean = patches.mean(dim=-1, keepdim=True)  # (B, N, 1)
    spread = (patches.var(dim=-1, keepdim=True) + eps).sqrt()
    return (patches - mean) / spread, mean, spread


def masked_mean(
    values: Float[Tensor, "*shape"], mask: Float[Tensor, "*shape"]
) -> Float[Tensor, ""]:
    """Average values, such as errors of patches or pixels, where a mask of their shape is 1."""
    return (values * mask).sum() / mask.sum()


def take_tokens(
    tokens: Float[Tensor, "batch tokens dim"], ids: Int[Tensor, "batch places"]
) -> Float[Tensor, "batch places dim"]:
    """Pick tokens by their index in 0 .. N - 1, each image its own: tokens[b, ids[b, i]]."""
    index = repeat(ids, "b places -> b places d", d=tokens.shape[-1])  # (B, places, D)
    return tokens.gather(1, index)  # (B, places, D)


def random_masking(
    tokens: Float[Tensor, "batch tokens dim"],
    mask_ratio: float,
    *,
    generator: torch.Generator | None = None,
) -> Masked:
    """Remove the same share of tokens, at random places, from each image.

    Args:
        tokens: (B, N, D) in grid order.
        mask_ratio: Share to remove, in [0, 1); int(N * (1 - mask_ratio)) tokens stay.
        generator: Source of the noise, on any device: a seeded CPU generator draws the same mask
            whatever the device of the tokens. None uses the global one of their device.

    Returns:
        A `Masked`. Each token gets a uniform random number and those with the lowest stay, so
        every subset of the grid is equally likely.

    Raises:
        InputError: The ratio is outside [0, 1) or leaves no token.
    """
    batch, total, _ = tokens.shape
    # The small number repairs 10 * (1 - 0.9) = 0.9999999999999998.
    kept = int(total * (1 - mask_ratio) + 1e-9)
    if not 0 <= mask_ratio < 1 or kept < 1:
        raise InputError(
            f"mask_ratio is {mask_ratio} on {total} tokens, which keeps {kept}: "
            "give a ratio in [0, 1) that leaves at least one token."
        )
    source = tokens.device if generator is None else generator.device
    noise = torch.rand(batch, total, device=source, generator=generator).to(tokens.device)
    ids_shuffle = noise.argsort(dim=1)  # the grid position at each place of the shuffled order
    ids_restore = ids_shuffle.argsort(dim=1)  # the inverse permutation
    ids_keep = ids_shuffle[:, :kept]
    mask = (ids_restore >= kept).to(tokens.dtype)
    return Masked(take_tokens(tokens, ids_keep), mask, ids_keep, ids_restore)


def unshuffle(
    visible: Float[Tensor, "batch kept dim"],
    ids_restore: Int[Tensor, "batch tokens"],
    mask_token: Float[Tensor, "*one dim"],
) -> Float[Tensor, "batch tokens dim"]:
    """Put visible tokens back at their place in the grid and a mask token everywhere else.

    Args:
        visible: (B, kept, D), as `random_masking` returns them.
        ids_restore: (B, N), likewise.
        mask_token: (D,), or any shape that broadcasts to (B, N - kept, D).

    Returns:
        (B, N, D) in grid order.
    """
    batch, kept, dim = visible.shape
    fill = mask_token.to(visible.dtype).expand(batch, ids_restore.shape[1] - kept, dim)
    shuffled = torch.cat([visible, fill], dim=1)  # (B, N, D), in shuffled order
    return take_tokens(shuffled, ids_restore)  # (B, N, D), in grid order


def mask_to_pixels(
    mask: Float[Tensor, "batch tokens"], patch_size: int, grid_size: GridSize
) -> Float[Tensor, "batch 1 height width"]:
    """Enlarge a mask over patches to a mask over pixels.

    Args:
        mask: (B, N), 1 where a patch was removed.
        patch_size: Side P of a patch in the pixels of the result.
        grid_size: Side of a square grid, or (rows, cols), in patches.

    Returns:
        (B, 1, rows * P, cols * P) with the value of the patch at each of its pixels.
    """
    rows, cols = rows_and_cols(grid_size)
    pattern = "b (rows cols) -> b 1 (rows y) (cols x)"
    sides = {"rows": rows, "cols": cols, "y": patch_size, "x": patch_size}
    return repeat(mask, pattern, **sides)  # (B, 1, rows * P, cols * P)
