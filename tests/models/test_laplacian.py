import pytest
import torch
from hypothesis import given, strategies as st

from rsedu.errors import InputError
from rsedu.models.laplacian import (
    SPLITS,
    Bands,
    LaplacianBlock,
    LaplacianDecoder,
    low_pass,
    merge_bands,
    resize_area,
    split_bands,
)
from tests.models.autoencoders import images_of


def area_by_hand(image, rows, cols):
    """Averages of whole blocks, for one band whose size the result divides."""
    down, right = image.shape[0] // rows, image.shape[1] // cols
    out = torch.zeros(rows, cols)
    for r in range(rows):
        for c in range(cols):
            out[r, c] = image[r * down : (r + 1) * down, c * right : (c + 1) * right].mean()
    return out


def bilinear_by_hand(image, height, width):
    """Pixel centres at half integers, edges repeated."""
    rows, cols = image.shape
    out = torch.zeros(height, width)
    for y in range(height):
        for x in range(width):
            row = min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1)
            col = min(max((x + 0.5) * cols / width - 0.5, 0), cols - 1)
            top, left = int(row), int(col)
            below, right = min(top + 1, rows - 1), min(left + 1, cols - 1)
            dy, dx = row - top, col - left
            out[y, x] = (1 - dy) * ((1 - dx) * image[top, left] + dx * image[top, right]) + dy * (
                (1 - dx) * image[below, left] + dx * image[below, right]
            )
    return out


def by_hand(images, samples, size):
    bands = [bilinear_by_hand(area_by_hand(band, *samples), *size) for band in images.flatten(0, 1)]
    return torch.stack(bands).unflatten(0, images.shape[:2])


@pytest.mark.parametrize(("channels", "rows", "cols"), [(3, 2, 2), (5, 1, 3)])
def test_paper_bands_by_hand(channels, rows, cols):
    images = images_of(2, channels, rows * 16, cols * 16)  # patches of 8, targets twice as fine
    bands = split_bands(images, (rows, cols))
    coarse = by_hand(images, (rows * 4, cols * 4), (rows * 16, cols * 16))
    torch.testing.assert_close(bands.high, images - coarse)
    torch.testing.assert_close(bands.low, by_hand(images, (rows, cols), (rows * 8, cols * 8)))


def test_released_bands_by_hand():
    images = images_of(1, 3, 64, 64)
    bands = split_bands(images, 4, variant="released")
    torch.testing.assert_close(bands.high, images - by_hand(images, (2, 2), (64, 64)))
    expected = torch.stack([area_by_hand(band, 32, 32) for band in images[0]])
    torch.testing.assert_close(bands.low[0], expected)


def test_sizes_of_the_paper():
    # 448 px, 16 px patches at 224 px: the released defaults shrink to 7 px, the paper to 56 and 14.
    images = images_of(1, 1, 448, 448)
    paper, released = (split_bands(images, 14, variant=v) for v in ("paper", "released"))
    torch.testing.assert_close(paper.high, images - low_pass(images, (56, 56)))
    torch.testing.assert_close(paper.low, low_pass(images, (14, 14), (224, 224)))
    torch.testing.assert_close(released.high, images - low_pass(images, (7, 7)))
    torch.testing.assert_close(released.low, resize_area(images, (224, 224)))


@pytest.mark.parametrize("target_scale", [1, 2, 4])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_shapes_follow_the_scale(target_scale, variant):
    bands = split_bands(images_of(2, 4, 32, 64), (2, 4), target_scale=target_scale, variant=variant)
    assert bands.high.shape == (2, 4, 32, 64)
    assert bands.low.shape == (2, 4, 32 // target_scale, 64 // target_scale)


def test_a_flat_image_has_no_high_band():
    for variant in SPLITS:
        bands = split_bands(torch.full((1, 2, 32, 32), 0.3), 2, variant=variant)
        torch.testing.assert_close(bands.high, torch.zeros(1, 2, 32, 32), atol=1e-6, rtol=0)
        torch.testing.assert_close(bands.low, torch.full((1, 2, 16, 16), 0.3))


def test_a_fine_pattern_is_all_high_and_a_broad_one_all_low():
    fine = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(16, 16)[None, None]
    assert split_bands(fine, 2).low.abs().max() < 1e-6
    torch.testing.assert_close(split_bands(fine, 2).high, fine)
    broad = torch.linspace(-1, 1, 128).expand(1, 1, 128, 128)
    assert split_bands(broad, 8).high[..., 16:-16].abs().max() < 1e-5


@given(rows=st.integers(1, 4).map(lambda n: 2 * n), cols=st.integers(1, 4).map(lambda n: 2 * n))
def test_released_bands_add_up_to_the_image(rows, cols):
    images = images_of(1, 2, rows * 8, cols * 8)
    bands = split_bands(images, (rows, cols), variant="released")
    merged = merge_bands(bands, (rows, cols), variant="released")
    torch.testing.assert_close(merged, images, atol=1e-5, rtol=1e-5)


def test_paper_bands_leave_a_gap():
    images = images_of(1, 2, 64, 64)
    bands = split_bands(images, 4)
    missing = images - merge_bands(bands, 4)
    expected = low_pass(images, (16, 16)) - low_pass(bands.low, (16, 16), (64, 64))
    torch.testing.assert_close(missing, expected)
    assert missing.abs().mean() > 0.05


def test_one_patch_keeps_one_sample_and_an_unknown_variant_is_refused():
    bands = split_bands(images_of(1, 1, 16, 16), 1, variant="released")
    assert torch.isfinite(bands.high).all()
    with pytest.raises(InputError, match="'paper', 'released'"):
        split_bands.__wrapped__(images_of(1, 1, 16, 16), 1, variant="reviewed")


@pytest.mark.parametrize(("patch", "scale"), [(8, 2), (16, 2), (4, 1), (6, 2), (8, 1), (14, 2)])
@pytest.mark.parametrize(("rows", "cols"), [(3, 3), (1, 4)])
def test_decoder_reaches_the_resolution_of_each_band(patch, scale, rows, cols):
    decoder = LaplacianDecoder(12, 8, 5, patch_size=patch, target_scale=scale)
    bands = decoder(torch.randn(2, 12, rows, cols))
    assert bands.low.shape == (2, 5, rows * patch, cols * patch)
    assert bands.high.shape == (2, 5, rows * patch * scale, cols * patch * scale)


def test_branches_share_nothing():
    decoder = LaplacianDecoder(8, 4, 3, patch_size=4, target_scale=2)
    decoder(torch.randn(1, 8, 2, 2)).low.sum().backward()
    assert all(p.grad is None for p in decoder.high.parameters())
    assert all(p.grad is not None for p in decoder.low.parameters())


def test_layout_of_memory_does_not_change_values():
    decoder = LaplacianDecoder(8, 4, 3, patch_size=4, target_scale=2)
    tokens = torch.randn(1, 8, 3, 2)
    fast = decoder(tokens)
    plain = decoder.to(memory_format=torch.contiguous_format)
    slow = Bands(plain.low(tokens), plain.high(tokens))
    torch.testing.assert_close(fast.low, slow.low)
    torch.testing.assert_close(fast.high, slow.high)


@pytest.mark.parametrize(("patch", "scale"), [(7, 2), (2, 1), (6, 1)])
def test_patch_must_split_into_four_target_pixels(patch, scale):
    with pytest.raises(InputError, match="even patch"):
        LaplacianDecoder(8, 4, 3, patch_size=patch, target_scale=scale)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
def test_block_enlarges_by_its_factor(factor):
    enlarged = LaplacianBlock(6, 8, 2, factor=factor)(torch.randn(1, 6, 3, 5))
    assert enlarged.shape == (1, 2, 3 * factor, 5 * factor)


def test_one_token_reaches_only_its_neighbourhood():
    # Two residual blocks of 3 x 3 see two samples to each side, and half a patch is four samples.
    decoder = LaplacianDecoder(8, 4, 1, patch_size=16, target_scale=2).double()
    tokens = torch.randn(1, 8, 5, 5, dtype=torch.float64)
    changed = tokens.clone()
    changed[..., 2, 2] += 1
    moved = (decoder(changed).high - decoder(tokens).high)[0, 0].abs()
    assert moved[64:96, 64:96].max() > 1e-6
    assert moved[:32].max() == moved[:, 128:].max() == 0
