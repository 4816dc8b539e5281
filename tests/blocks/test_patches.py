import pytest
import torch
from hypothesis import given, settings, strategies as st

from rsedu.blocks.patches import (
    grid_shape,
    mask_to_pixels,
    normalise_patches,
    patchify,
    random_masking,
    take_tokens,
    unpatchify,
    unshuffle,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images_of(*shape):
    return torch.rand(*shape, generator=seeded())


def test_patchify_by_slices():
    images, side = images_of(2, 5, 6, 9), 3
    ours = patchify(images, side)
    assert ours.shape == (2, 6, 45)
    for b in range(2):
        for row in range(2):
            for col in range(3):
                piece = images[b, :, row * 3 : row * 3 + 3, col * 3 : col * 3 + 3]
                flat = [piece[c, y, x] for y in range(3) for x in range(3) for c in range(5)]
                assert torch.equal(ours[b, row * 3 + col], torch.stack(flat))


@settings(deadline=None, max_examples=40)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 13),
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    side=st.integers(1, 4),
)
def test_unpatchify_undoes_patchify(batch, channels, rows, cols, side):
    images = images_of(batch, channels, rows * side, cols * side)
    assert grid_shape(images, side) == (rows, cols)
    assert torch.equal(unpatchify(patchify(images, side), side, (rows, cols)), images)


@pytest.mark.parametrize(
    ("ratio", "total", "kept"),
    [(0.75, 64, 16), (0.0, 5, 5), (0.5, 7, 3), (0.9, 10, 1), (0.99, 225, 2), (0.75, 225, 56)],
)
def test_masking_keeps_the_right_number(ratio, total, kept):
    tokens = torch.rand(3, total, 2)
    masked = random_masking(tokens, ratio, generator=seeded())
    assert masked.visible.shape == (3, kept, 2)
    assert masked.mask.sum(dim=1).tolist() == [total - kept] * 3
    assert set(masked.mask.unique().tolist()) <= {0.0, 1.0}


def test_mask_visible_and_both_indices_agree():
    tokens = torch.arange(24.0).reshape(2, 12, 1)
    masked = random_masking(tokens, 0.5, generator=seeded())
    for b in range(2):
        kept = masked.ids_keep[b].tolist()
        assert sorted(kept) == [i for i in range(12) if masked.mask[b, i] == 0]
        assert masked.visible[b, :, 0].tolist() == [b * 12 + i for i in kept]
        assert masked.ids_restore[b, masked.ids_keep[b]].tolist() == list(range(6))


def test_restore_puts_each_token_back():
    tokens = torch.rand(3, 10, 4)
    masked = random_masking(tokens, 0.6, generator=seeded())
    fill = torch.full((1, 1, 4), -7.0)
    full = unshuffle(masked.visible, masked.ids_restore, fill)
    assert torch.equal(full, torch.where(masked.mask[..., None] == 0, tokens, fill))
    assert torch.equal(full, unshuffle(masked.visible, masked.ids_restore, fill[0, 0]))


def test_every_patch_is_hidden_equally_often_and_images_differ():
    masked = random_masking(torch.zeros(4000, 12, 1), 0.75, generator=seeded())
    share = masked.mask.mean(dim=0)
    # Five standard deviations of a share of 4000 draws.
    assert (share - 0.75).abs().max() < 5 * (0.75 * 0.25 / 4000) ** 0.5
    together = (masked.mask[:, 0] * masked.mask[:, 1]).mean().item()
    assert together == pytest.approx(0.75 * 8 / 11, abs=0.04)
    assert len(masked.mask.unique(dim=0)) == 220  # all 12-choose-3 subsets come up


def test_same_seed_same_mask():
    tokens = torch.zeros(2, 64, 1)
    one, two = (random_masking(tokens, 0.75, generator=seeded(3)).mask for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, random_masking(tokens, 0.75, generator=seeded(4)).mask)
    torch.manual_seed(1)
    first = random_masking(tokens, 0.75).mask
    torch.manual_seed(1)
    assert torch.equal(first, random_masking(tokens, 0.75).mask)


def test_gradient_reaches_visible_tokens_only():
    tokens = torch.rand(2, 8, 3, requires_grad=True)
    masked = random_masking(tokens, 0.5, generator=seeded())
    masked.visible.sum().backward()
    assert torch.equal(tokens.grad, (1 - masked.mask)[..., None].expand(-1, -1, 3))


def test_take_tokens_by_loop():
    tokens, ids = torch.rand(2, 5, 3), torch.tensor([[4, 0], [1, 1]])
    picked = take_tokens(tokens, ids)
    for b in range(2):
        for place in range(2):
            assert torch.equal(picked[b, place], tokens[b, ids[b, place]])


def test_mask_to_pixels_is_the_mask_of_patchify():
    mask = torch.tensor([[0.0, 1.0, 1.0, 1.0, 0.0, 1.0]])
    pixels = mask_to_pixels(mask, 3, (2, 3))
    assert pixels.shape == (1, 1, 6, 9)
    assert torch.equal(patchify(pixels, 3).mean(dim=-1), mask)
    assert set(pixels.unique().tolist()) == {0.0, 1.0}


def test_normalise_patches():
    patches = 5 + 3 * torch.randn(2, 4, 48, generator=seeded())
    normal, mean, spread = normalise_patches(patches)
    torch.testing.assert_close(normal.mean(-1), torch.zeros(2, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.std(-1, unbiased=True), torch.ones(2, 4))
    torch.testing.assert_close(normal * spread + mean, patches)


def test_flat_patches_become_zero():
    normal, _, spread = normalise_patches(torch.full((1, 1, 12), 0.25), eps=1e-4)
    assert torch.equal(normal, torch.zeros(1, 1, 12))
    assert spread.item() == pytest.approx(1e-2)
