"""Outlines redrawn at their edges, against pixels that are mixed by a known share."""

import numpy as np

from rsedu.project.methods.pixel_classifier import Sample
from rsedu.project.methods.refine_boundary import change_of, redrawn
from rsedu.scenes.bands import S2_BANDS

CUT = np.array([0.08, -0.2, 0.12, 0.15], dtype=np.float32)[:, None, None]


def share_of_disc(centre: tuple[float, float], radius: float, side: int) -> np.ndarray:
    """Share of each pixel that a disc covers, from 10 x 10 points in it."""
    at = (np.arange(10 * side) + 0.5) / 10 - 0.5
    inside = np.hypot(at[:, None] - centre[0], at[None, :] - centre[1]) <= radius
    return inside.reshape(side, 10, side, 10).mean(axis=(1, 3))


def changed(share: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """Change of reflectance: linear in the share that was cut, and noise."""
    rng = np.random.default_rng(0)
    spread = noise * rng.standard_normal((4, *share.shape))
    return (CUT * share + spread).astype(np.float32)


def test_an_outline_that_is_too_large_or_too_small_finds_its_pixels() -> None:
    share = share_of_disc((30.3, 29.8), 11.4, 60)
    true = share > 0.5
    for radius in (9.9, 12.9):
        drawn = share_of_disc((30.3, 29.8), radius, 60) > 0.5
        again = redrawn(drawn, changed(share))
        assert (drawn ^ true).sum() > 80 and (again ^ true).sum() <= 6


def test_the_border_is_half_way_in_reflectance() -> None:
    share = np.zeros((40, 40))
    share[8:32, 8:32] = 1.0
    share[8:32, 32] = np.linspace(0.05, 0.95, 24)  # one column is mixed, more and more of it cut
    again = redrawn(share > 0.01, changed(share, noise=1e-4))
    assert np.array_equal(again, share > 0.5)


def test_each_outline_is_told_by_its_own_change() -> None:
    faint, strong = share_of_disc((20, 20), 9.4, 80), share_of_disc((58, 58), 9.4, 80)
    change = changed(0.3 * faint + strong, noise=0.003)
    drawn = (share_of_disc((20, 20), 10.6, 80) > 0.5) | (share_of_disc((58, 58), 8.4, 80) > 0.5)
    true = (faint > 0.5) | (strong > 0.5)
    assert (redrawn(drawn, change) ^ true).sum() <= 8 < (drawn ^ true).sum() / 8


def test_what_cannot_be_told_stays_as_it_is() -> None:
    share = share_of_disc((30, 30), 11.4, 60)
    drawn = share_of_disc((30, 30), 13, 60) > 0.5
    unseen = np.full((4, 60, 60), np.nan, dtype=np.float32)
    assert np.array_equal(redrawn(drawn, unseen), drawn)
    speck = np.zeros((60, 60), dtype=np.bool_)
    speck[30, 30:33] = True
    assert np.array_equal(redrawn(speck, changed(share)), speck)
    empty = np.zeros((60, 60), dtype=np.bool_)
    assert not redrawn(empty, changed(share)).any()
    half = changed(share)
    half[:, :, 30:] = np.nan  # a cloud over the east
    again = redrawn(drawn, half)
    assert np.array_equal(again[:, 30:], drawn[:, 30:])
    assert (again[:, :30] ^ (share > 0.5)[:, :30]).sum() <= 3


def test_the_change_is_that_of_the_first_and_the_last_clear_look(
    samples: tuple[Sample, ...],
) -> None:
    stack = samples[0].stack
    change = change_of(stack)
    row, col = np.argwhere(stack.clear.any(axis=0))[0]
    clear = np.flatnonzero(stack.clear[:, row, col])
    for band, name in enumerate(("B04", "B08", "B11", "B12")):
        seen = stack.optical[:, S2_BANDS.index(name), row, col]
        assert change[band, row, col] == seen[clear[-1]] - seen[clear[0]]
