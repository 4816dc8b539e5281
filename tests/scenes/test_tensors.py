import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.samples import pairs
from rsedu.scenes.tensors import STATISTICS, denormalise, measure, normalise, scale_by_batch
from rsedu.synthetic.frontier import Frontier


def test_every_band_has_a_statistic() -> None:
    assert set(STATISTICS) == {*S2_BANDS, *S1_BANDS}
    assert all(each.deviation > 0 for each in STATISTICS.values())


def test_the_table_is_what_its_places_give() -> None:
    scenes = [(pair.optical, pair.radar) for pair in pairs() if not pair.snow]
    for seed in range(1000, 1005):
        world = Frontier(seed=seed, size_m=2560)
        scenes.append((world.optical(date=2023.5), world.radar(date=2023.5)))
    table = measure(
        [{name: each.band(name) for each in place for name in each.bands} for place in scenes]
    )
    for name, found in table.items():
        assert STATISTICS[name].mean == pytest.approx(found.mean, abs=1e-4)
        assert STATISTICS[name].deviation == pytest.approx(found.deviation, abs=1e-4)


def test_a_pixel_at_the_mean_is_zero_and_one_deviation_above_is_one() -> None:
    first, second = STATISTICS["B08"], STATISTICS["VH"]
    array = np.array([[[first.mean]], [[second.mean + second.deviation]]], dtype=np.float32)
    scaled = normalise(array, ["B08", "VH"])
    np.testing.assert_allclose(scaled.ravel(), [0, 1], atol=1e-6)
    assert scaled.dtype == np.float32


def test_the_same_pixel_gives_the_same_number_in_any_company() -> None:
    """What statistics of the batch cannot do: a uniform, cloudy batch stays uniform and bright."""
    cloudy = np.full((4, 2, 8, 8), 0.7, dtype=np.float32)
    mixed = np.concatenate([cloudy[:1], np.zeros((3, 2, 8, 8), np.float32)])
    bands = ["B02", "B08"]
    np.testing.assert_array_equal(normalise(cloudy, bands)[0], normalise(mixed, bands)[0])
    assert normalise(cloudy, bands).min() > 1


def test_restore_is_the_inverse_also_of_batches() -> None:
    array = np.random.default_rng(0).uniform(0, 0.5, size=(3, 2, 12, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(denormalise(normalise(array, S2_BANDS), S2_BANDS), array, atol=1e-6)


def test_each_place_counts_the_same_whatever_its_size() -> None:
    places = [{"B02": np.array([0.0, 2.0])}, {"B02": np.full((50, 50), 5.0)}]
    table = measure(places)
    assert table["B02"].mean == pytest.approx((1 + 5) / 2)
    # E[x^2] - E[x]^2 with E[x^2] = (2 + 25) / 2
    assert table["B02"].deviation == pytest.approx(np.sqrt(13.5 - 9))


def test_equal_places_give_the_moments_of_all_pixels_without_the_invalid() -> None:
    values = np.random.default_rng(1).normal(-12, 3, size=(4, 6, 7))
    places = [{"VV": np.append(each.ravel(), np.nan), "VH": 2 * each} for each in values]
    table = measure(places)
    assert table["VV"].mean == pytest.approx(values.mean())
    assert table["VV"].deviation == pytest.approx(values.std())
    assert table["VH"].deviation == pytest.approx(2 * values.std())


def test_unknown_bands_wrong_numbers_and_empty_bands_are_told() -> None:
    with pytest.raises(InputError, match="No statistics for B10"):
        normalise(np.zeros((1, 2, 2), np.float32), ["B10"])
    with pytest.raises(InputError, match="3 bands and 2 names"):
        denormalise(np.zeros((3, 2, 2), np.float32), ["B02", "B03"])
    with pytest.raises(InputError, match="No valid pixel of B03"):
        measure([{"B02": np.ones(3), "B03": np.full(3, np.nan)}])


def test_real_pixels_fall_within_the_range_that_models_see() -> None:
    for pair in pairs():
        if not pair.snow:
            optical = normalise(pair.optical.array, pair.optical.bands)
            radar = normalise(pair.radar.array, pair.radar.bands)
            assert np.abs(optical.mean(axis=(1, 2))).max() < 2.5
            assert np.abs(radar.mean(axis=(1, 2))).max() < 1.5


def test_scaling_by_batch_is_clipped_and_stretched_band_by_band() -> None:
    images = np.random.default_rng(0).normal(
        [[[[3.0]], [[-9]]]], [[[[2.0]], [[0.1]]]], (4, 2, 5, 5)
    )
    scaled = scale_by_batch(images)
    for band in range(2):
        values = images[:, band]
        low, high = values.mean() - 2 * values.std(), values.mean() + 2 * values.std()
        wanted = [(min(max(each, low), high) - low) / (high - low) for each in values.ravel()]
        np.testing.assert_allclose(scaled[:, band].ravel(), wanted, rtol=1e-5, atol=1e-6)


def test_by_batch_the_same_forest_is_another_number_beside_clouds() -> None:
    forest = Frontier(seed=7, size_m=640.0).optical(date=2020.0, gsd_m=10.0).array
    clouds = Frontier(seed=7, size_m=640.0).optical(date=2020.0, gsd_m=10.0, cloud_cover=1.0).array
    alone, beside = (scale_by_batch(np.stack(batch))[0] for batch in ([forest], [forest, clouds]))
    assert np.abs(alone - beside).mean() > 0.2  # of a range of 1
    fixed = normalise(np.stack([forest, clouds]), S2_BANDS)[0]
    np.testing.assert_array_equal(fixed, normalise(forest, S2_BANDS))


def test_by_batch_haze_over_nothing_fills_the_range() -> None:
    generator = np.random.default_rng(0)
    uniform = 0.6 + 1e-4 * generator.normal(size=(1, 1, 64, 64))
    assert np.ptp(scale_by_batch(uniform)) == pytest.approx(1.0)
    assert (scale_by_batch(np.full((1, 1, 4, 4), 0.6)) == 0.5).all()
    with pytest.raises(InputError, match="above 0"):
        scale_by_batch(uniform, deviations=0)
