"""Position encodings: sines of a patch's index, sines of its metres, a penalty on distance.

A transformer sees a *set* of tokens, so each position must be told to it. `sincos_2d` counts
patches, `gsd_sincos_2d` measures them on the ground, `alibi_2d` leaves the tokens alone and
lowers the attention between tokens that are far apart.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rsedu.errors import InputError

GridSize = int | tuple[int, int]


def rows_and_cols(grid_size: GridSize) -> tuple[int, int]:
    """Return (rows, cols) of a grid of patches that is given as one side or as two.

    Raises:
        InputError: A side is smaller than 1.
    """
    rows, cols = (grid_size, grid_size) if isinstance(grid_size, int) else grid_size
    if rows < 1 or cols < 1:
        raise InputError(f"grid_size is {grid_size}, but a grid has at least one row and column.")
    return rows, cols


def sincos_1d(dim: int, positions: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch {dim}"]:
    """Encode coordinates as sines and cosines of falling frequency.

    Args:
        dim: Length D of the code, even.
        positions: Coordinates of any shape, in any one unit (patches, or metres per metre).

    Returns:
        `positions.shape + (dim,)`, in [-1, 1]: first all sines, then all cosines.

    The frequencies are omega_k = 10000^(-2k/D) for k = 0 .. D/2 - 1, and the code of p is
    [sin(omega_0 p), sin(omega_1 p), .., cos(omega_0 p), cos(omega_1 p), ..].
    """
    half = dim // 2
    index = torch.arange(half, dtype=positions.dtype, device=positions.device)
    # A plain product: matmul or einsum would drop to half precision under autocast.
    phase = positions[..., None] * 10000 ** (-index / half)  # (..., D/2)
    return torch.cat([phase.sin(), phase.cos()], dim=-1)  # (..., D)


def sincos_2d(
    dim: int, grid_size: GridSize, *, device: torch.device | str | None = None
) -> Float[Tensor, "tokens {dim}"]:
    """Encode where each patch is, counted in patches.

    Args:
        dim: Width D of a token, a multiple of 4.
        grid_size: Side of a square grid, or (rows, cols), in patches.
        device: Where the result lies.

    Returns:
        (rows * cols, dim) in [-1, 1], tokens row by row. The first D/2 numbers of a token encode
        x (its column) and the last D/2 encode y (its row), as released MAE weights need it:
        the original code names the first half after the height, yet fills it from the columns.

    Equal to `gsd_sincos_2d` with all ground sample distances at the reference.
    He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", arXiv 2111.06377.
    """
    return gsd_sincos_2d(dim, grid_size, torch.ones(1, device=device))[0]


def gsd_sincos_2d(
    dim: int, grid_size: GridSize, gsd: Float[Tensor, "batch"], reference_gsd: float = 1.0
) -> Float[Tensor, "batch tokens {dim}"]:
    """Encode where each patch is on the ground: sines of the index times the pixel size.

    Args:
        dim: Width D of a token, a multiple of 4.
        grid_size: Side of a square grid, or (rows, cols), in patches.
        gsd: (N,) ground sample distance g of each image, metres per pixel, above 0.
        reference_gsd: The distance G, in metres per pixel, at which the code is `sincos_2d`.

    Returns:
        (N, rows * cols, dim) in [-1, 1], in the dtype and on the device of `gsd`. Halves as in
        `sincos_2d`: x (column) first, then y (row).

    Raises:
        InputError: `dim` is no multiple of 4, or a distance is not a finite number above 0.

    With d = D/2 for one axis, v(pos, 2i) = sin((g/G) pos / 10000^(2i/d)) and v(pos, 2i+1) =
    cos(of the same), where pos is the *patch* index. Here all sines stand before all cosines;
    `interleaved_order` gives the permutation between both layouts.
    Reed et al. 2023, "Scale-MAE", ICCV, arXiv 2212.14532, section on GSD positional encoding.
    The released code has no G: it is 1 m.

    >>> code = gsd_sincos_2d(8, (1, 5), torch.tensor([10.0, 20.0]))  # two images of one row
    >>> code.shape
    torch.Size([2, 5, 8])
    >>> torch.equal(code[0, 4], code[1, 2])  # 40 m east of the corner in both
    True
    """
    _check_dim(dim)
    for name, value in (("gsd", gsd), ("reference_gsd", torch.tensor(reference_gsd))):
        if not (torch.isfinite(value) & (value > 0)).all():
            raise InputError(
                f"{name} is {value.tolist()}, but a pixel has a finite size above 0: "
                "give metres per pixel."
            )
    rows, cols = rows_and_cols(grid_size)
    x = _axis_code(dim // 2, cols, gsd / reference_gsd)[:, None, :]  # (B, 1, cols, D/2)
    y = _axis_code(dim // 2, rows, gsd / reference_gsd)[:, :, None]  # (B, rows, 1, D/2)
    grid = (-1, rows, cols, -1)
    code = torch.cat([x.expand(grid), y.expand(grid)], dim=-1)  # (B, rows, cols, D)
    return code.flatten(1, 2)  # (B, rows * cols, D)


def interleaved_order(dim: int) -> Int[Tensor, "{dim}"]:
    """Return the order that turns [sines, cosines] into sine, cosine, sine, cosine, ...

    Returns:
        (dim,) indices. The columns of `sincos_2d(dim, g)` in this order are the layout of the
        formula: within each half, entry 2i is a sine and 2i+1 the cosine of the same phase.

    A linear layer that follows can undo any permutation, so neither layout knows more.
    """
    _check_dim(dim)
    half, quarter = dim // 2, dim // 4
    one_axis = torch.arange(half).reshape(2, quarter).T.flatten()  # (D/2,): 0, q, 1, q + 1, ...
    return torch.cat([one_axis, one_axis + half])  # (D,)


def alibi_slopes(num_heads: int) -> Float[Tensor, "{num_heads}"]:
    """Return how fast each of n attention heads loses interest with distance.

    Returns:
        (n,) slopes in (0, 1), per patch: m_h = 2^(-8h/n) for h = 1 .. n when n is a power of 2.
        Otherwise those of the next lower power p, then every second one of 2p.

    Raises:
        InputError: There is no head.

    Press et al. 2022, "Train Short, Test Long", ICLR, arXiv 2108.12409.
    """
    if num_heads < 1:
        raise InputError(f"num_heads is {num_heads}, but attention needs at least one head.")
    lower = 2 ** (num_heads.bit_length() - 1)
    extra = _power_of_two_slopes(2 * lower)[::2]
    return torch.cat([_power_of_two_slopes(lower), extra])[:num_heads]


def alibi_2d(
    num_heads: int, grid_size: GridSize, *, device: torch.device | str | None = None
) -> Float[Tensor, "1 {num_heads} tokens tokens"]:
    """Return what attention loses by distance, to be added to its logits before the softmax.

    Args:
        num_heads: Number of attention heads.
        grid_size: Side of a square grid, or (rows, cols), in patches.
        device: Where the result lies.

    Returns:
        (1, heads, N, N) with N = rows * cols, at most 0: -m_h * distance(a, b), the distance
        between the centres of patches a and b in patches. Symmetric, zero on the diagonal.
        It grows with N squared: 1 GB in float32 for 16 heads on 63 x 63 patches.

    Fuller et al. 2023, "CROMA", NeurIPS, arXiv 2311.00566 (2D-ALiBi; X-ALiBi is the same matrix
    between the tokens of two sensors), after Press et al. 2022.

    >>> bias = alibi_2d(2, (4, 5))
    >>> bias.shape
    torch.Size([1, 2, 20, 20])
    >>> bias[0, :, 0, 19]  # to the far corner, 3 rows and 4 columns away: 5 patches
    tensor([-0.3125, -0.0195])
    """
    rows, cols = rows_and_cols(grid_size)
    everywhere = torch.arange(rows * cols, device=device)[None]  # (1, N)
    return alibi_between(num_heads, everywhere, everywhere, cols)


def alibi_between(
    num_heads: int,
    queries: Int[Tensor, "batch queries"],
    keys: Int[Tensor, "batch keys"],
    cols: int,
) -> Float[Tensor, "batch {num_heads} queries keys"]:
    """Return the entries of `alibi_2d` between some patches and some others, each image its own.

    Args:
        num_heads: Number of attention heads.
        queries: (B, Q) places of the patches that ask, counted row by row.
        keys: (B, K) places of those that answer.
        cols: Columns of the grid, in patches.

    Returns:
        (B, heads, Q, K), on the device of `queries`, at most 0.
    """
    slopes = alibi_slopes(num_heads).to(queries.device)
    y, x = (queries // cols)[:, :, None], (queries % cols)[:, :, None]  # (B, Q, 1)
    down, across = y - (keys // cols)[:, None, :], x - (keys % cols)[:, None, :]  # (B, Q, K)
    distance = torch.hypot(down.to(slopes), across.to(slopes))  # (B, Q, K)
    return -slopes[:, None, None] * distance[:, None]  # (B, heads, Q, K)


def _axis_code(dim: int, length: int, scale: Tensor) -> Tensor:
    """Encode the indices 0 .. length - 1 times the scale of each image."""
    index = torch.arange(length, dtype=scale.dtype, device=scale.device)
    return sincos_1d(dim, scale[:, None] * index)  # (B, length, dim)


def _power_of_two_slopes(num_heads: int) -> Tensor:
    return 2.0 ** (-8 * torch.arange(1, num_heads + 1) / num_heads)


def _check_dim(dim: int) -> None:
    if dim < 4 or dim % 4:
        raise InputError(
            f"dim is {dim}, but the encoding needs a multiple of 4: sine and cosine, of x and y."
        )
