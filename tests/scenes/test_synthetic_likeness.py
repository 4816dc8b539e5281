"""How fake is the synthetic frontier? Measured beside the real pairs, with bounds on both sides."""

import numpy as np

from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.samples import pairs
from rsedu.synthetic.frontier import Frontier


def test_how_fake_it_is() -> None:
    """Five real pairs without snow, five synthetic places: as close as this, and no closer."""
    real = [pair.optical.array for pair in pairs() if not pair.snow]
    fake = [
        Frontier(seed=seed, size_m=5120).optical(date=2023.5).array for seed in range(1000, 1005)
    ]
    medians = [np.array([np.median(each, axis=(1, 2)) for each in kind]) for kind in (real, fake)]
    # Between the darkest and the brightest real pair, but for red: 0.026, the darkest has 0.027.
    darkest, brightest = medians[0].min(axis=0), medians[0].max(axis=0)
    ours = medians[1].mean(axis=0)
    assert [S2_BANDS[band] for band in np.flatnonzero(ours < darkest)] == ["B04"]
    assert (ours > 0.9 * darkest).all()
    assert (ours < 0.8 * brightest).all()
    # All of them on the dark side of the median pair: 0.52 (B01) to 0.82 (B09) of it.
    share = ours / np.median(medians[0], axis=0)
    assert 0.45 < share.min() < share.max() < 0.9
    together = [
        np.mean([np.corrcoef(each.reshape(12, -1)) for each in kind], axis=0)
        for kind in (real, fake)
    ]
    difference = np.abs(together[0] - together[1])[np.triu_indices(12, 1)]
    # Measured 0.12 and 0.35. Single real patches are 0.18 to 0.51 from the mean of the others.
    assert 0.08 < difference.mean() < 0.16
    assert difference.max() < 0.42
    # What gives it away, 1.00 against 0.81: the real near infrared bands part a little.
    assert together[1][6:10, 6:10].min() > 0.99 > 0.9 > together[0][6:10, 6:10].min()


def test_how_fake_the_echo_is() -> None:
    """Medians -9.1 dB (VV) and -14.8 dB (VH) lie above all real pairs: at most -10.5 and -15.6."""
    real = [pair.radar.array for pair in pairs() if not pair.snow]
    fake = [Frontier(seed=seed, size_m=5120).radar(date=2023.5).array for seed in (1000, 1001)]
    medians, deviations = (
        [np.array([measure(each, axis=(1, 2)) for each in kind]) for kind in (real, fake)]
        for measure in (np.median, np.std)
    )
    above = medians[1].mean(axis=0) - medians[0].max(axis=0)
    np.testing.assert_allclose(above, (1.4, 0.8), atol=0.4)  # dB
    # Spread over a place, speckle and all: 2.9 and 3.2 dB; real pairs 2.5 to 4.8 and 2.7 to 4.2.
    assert (deviations[1] > deviations[0].min(axis=0)).all()
    assert (deviations[1] < deviations[0].max(axis=0)).all()
