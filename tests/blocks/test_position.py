import math

import pytest
import torch
from hypothesis import given, settings, strategies as st

from rsedu.blocks.position import (
    alibi_2d,
    alibi_between,
    alibi_slopes,
    gsd_sincos_2d,
    interleaved_order,
    sincos_1d,
    sincos_2d,
)


def code_by_hand(dim, rows, cols, gsd, reference=1.0):
    """The encoding by the formula, one number after the other, in double precision."""
    quarter = dim // 4
    table = []
    for row in range(rows):
        for col in range(cols):
            token = []
            for position in (col, row):
                metres = gsd / reference * position
                phases = [metres / 10000 ** (2 * i / (dim / 2)) for i in range(quarter)]
                token += [math.sin(p) for p in phases] + [math.cos(p) for p in phases]
            table.append(token)
    return torch.tensor(table, dtype=torch.float64)


@pytest.mark.parametrize("dim", [4, 8, 96])
@pytest.mark.parametrize("grid", [(1, 1), (2, 5), (7, 3)])
def test_gsd_sincos_2d_is_the_formula(dim, grid):
    gsd = torch.tensor([0.3, 1.0, 10.0], dtype=torch.float64)
    ours = gsd_sincos_2d(dim, grid, gsd, 2.5)
    assert ours.shape == (3, grid[0] * grid[1], dim)
    for image, g in enumerate(gsd.tolist()):
        torch.testing.assert_close(ours[image], code_by_hand(dim, *grid, g, 2.5))


def test_single_precision_stays_close_to_double_at_large_gsd():
    single = gsd_sincos_2d(64, 14, torch.tensor([10.0]))
    assert single.dtype == torch.float32
    double = code_by_hand(64, 14, 14, 10.0)
    torch.testing.assert_close(single[0].double(), double, atol=2e-5, rtol=0)


def test_known_numbers():
    # One row, two columns, D = 4: [sin x, cos x, sin y, cos y] with a single frequency of 1.
    expected = [[0.0, 1.0, 0.0, 1.0], [math.sin(3.0), math.cos(3.0), 0.0, 1.0]]
    code = gsd_sincos_2d(4, (1, 2), torch.tensor([3.0]))
    torch.testing.assert_close(code[0], torch.tensor(expected))


def test_first_half_follows_the_column_and_second_half_the_row():
    code = sincos_2d(16, (3, 4)).reshape(3, 4, 16)
    assert torch.equal(code[0, :, :8], code[2, :, :8])
    assert torch.equal(code[:, 0, 8:], code[:, 3, 8:])
    assert not torch.equal(code[0, 0, :8], code[0, 1, :8])
    assert not torch.equal(code[0, 0, 8:], code[1, 0, 8:])


def test_plain_encoding_is_the_gsd_encoding_at_the_reference():
    gsd = torch.tensor([2.5])
    torch.testing.assert_close(gsd_sincos_2d(32, (3, 5), gsd, 2.5)[0], sincos_2d(32, (3, 5)))
    assert sincos_2d(8, 3, device="cpu").shape == (9, 8)


@settings(deadline=None, max_examples=30)
@given(
    gsd=st.floats(0.1, 60),
    factor=st.floats(0.1, 10),
    rows=st.integers(1, 5),
    cols=st.integers(1, 5),
)
def test_only_the_ratio_of_gsd_and_reference_counts(gsd, factor, rows, cols):
    gsd = torch.tensor([gsd], dtype=torch.float64)
    one = gsd_sincos_2d(8, (rows, cols), gsd, 1.0)
    other = gsd_sincos_2d(8, (rows, cols), gsd * factor, factor)
    torch.testing.assert_close(one, other)


def test_same_metres_have_the_same_code():
    # The patch of index 2 at 10 m begins where the patch of index 4 at 5 m does.
    code = gsd_sincos_2d(32, (1, 6), torch.tensor([10.0, 5.0], dtype=torch.float64))
    torch.testing.assert_close(code[0, 2], code[1, 4])


def test_matches_an_independent_implementation():
    other = pytest.importorskip("torchgeo.models.scale_mae")
    gsd = torch.tensor([0.5, 1.0, 2.24, 5.0])
    theirs = other.get_2d_sincos_pos_embed_with_resolution(64, 7, gsd)
    torch.testing.assert_close(gsd_sincos_2d(64, 7, gsd), theirs, atol=1e-5, rtol=0)


def test_interleaved_order_gives_the_layout_of_the_formula():
    dim, col, row = 16, 3, 2
    code = sincos_2d(dim, (4, 5)).reshape(4, 5, dim)[row, col][interleaved_order(dim)]
    half = dim // 2
    for start, position in ((0, col), (half, row)):
        for i in range(half // 2):
            phase = position / 10000 ** (2 * i / half)
            assert code[start + 2 * i] == pytest.approx(math.sin(phase), abs=1e-6)
            assert code[start + 2 * i + 1] == pytest.approx(math.cos(phase), abs=1e-6)


@pytest.mark.parametrize("dim", [4, 12, 96])
def test_interleaved_order_is_a_permutation(dim):
    assert interleaved_order(dim).sort().values.tolist() == list(range(dim))


def test_sincos_1d_takes_any_shape():
    positions = torch.rand(2, 3, 4)
    code = sincos_1d(6, positions)
    assert code.shape == (2, 3, 4, 6)
    torch.testing.assert_close(code[1, 2, 3, 0], positions[1, 2, 3].sin())
    torch.testing.assert_close(code[1, 2, 3, 4], (positions[1, 2, 3] * 10000 ** (-1 / 3)).cos())


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (1, [2**-8]),
        (2, [2**-4, 2**-8]),
        (8, [2**-i for i in range(1, 9)]),
        (16, [2 ** (-i / 2) for i in range(1, 17)]),
        (6, [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]),
        (12, [2**-i for i in range(1, 9)] + [2**-0.5, 2**-1.5, 2**-2.5, 2**-3.5]),
    ],
)
def test_alibi_slopes(heads, expected):
    torch.testing.assert_close(alibi_slopes(heads), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize(("heads", "rows", "cols"), [(1, 1, 1), (4, 3, 3), (6, 2, 5)])
def test_alibi_2d_is_the_double_loop(heads, rows, cols):
    ours = alibi_2d(heads, (rows, cols), device="cpu")
    assert ours.shape == (1, heads, rows * cols, rows * cols)
    slopes = alibi_slopes(heads)
    for a in range(rows * cols):
        for b in range(rows * cols):
            apart = math.dist(divmod(a, cols), divmod(b, cols))
            torch.testing.assert_close(ours[0, :, a, b], -slopes * apart)


def test_alibi_between_some_patches_is_picked_from_the_whole():
    whole = alibi_2d(4, (3, 5))
    queries = torch.tensor([[0, 14, 7], [2, 2, 9]])
    keys = torch.tensor([[4, 5], [13, 0]])
    ours = alibi_between(4, queries, keys, 5)
    for image in range(2):
        for head in range(4):
            for i, query in enumerate(queries[image]):
                for j, key in enumerate(keys[image]):
                    assert ours[image, head, i, j] == whole[0, head, query, key]
