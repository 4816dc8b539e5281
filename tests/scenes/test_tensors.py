from collections.abc import Callable

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.samples import pairs
from rsedu.scenes.scene import Scene
from rsedu.scenes.tensors import STATISTICS, denormalise, normalise, scale_by_batch, to_tensor
from rsedu.synthetic.frontier import Frontier


def test_the_table_is_what_its_places_give() -> None:
    places = [(pair.optical, pair.radar) for pair in pairs() if not pair.snow]
    for seed in range(1000, 1005):
        world = Frontier(seed=seed, size_m=2560)
        places.append((world.optical(date=2023.5), world.radar(date=2023.5)))
    assert set(STATISTICS) == {*S2_BANDS, *S1_BANDS}
    for sensor, names in enumerate((S2_BANDS, S1_BANDS)):
        values = [place[sensor].array.astype(np.float64) for place in places]
        mean = np.mean([each.mean(axis=(1, 2)) for each in values], axis=0)
        square = np.mean([np.square(each).mean(axis=(1, 2)) for each in values], axis=0)
        table = [STATISTICS[name] for name in names]
        np.testing.assert_allclose([band.mean for band in table], mean, atol=1e-4)
        deviation = np.sqrt(square - mean**2)
        np.testing.assert_allclose([band.deviation for band in table], deviation, atol=1e-4)


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
    world = Frontier(seed=7, size_m=640.0)
    forest, clouds = (world.optical(date=2020.0, cloud_cover=cover).array for cover in (0.0, 1.0))
    alone, beside = (scale_by_batch(np.stack(batch))[0] for batch in ([forest], [forest, clouds]))
    assert np.abs(alone - beside).mean() > 0.2  # of a range of 1
    fixed = normalise(np.stack([forest, clouds]), S2_BANDS)[0]
    np.testing.assert_array_equal(fixed, normalise(forest, S2_BANDS))


def test_by_batch_haze_over_nothing_fills_the_range() -> None:
    generator = np.random.default_rng(0)
    uniform = 0.6 + 1e-4 * generator.normal(size=(1, 1, 64, 64))
    assert np.ptp(scale_by_batch(uniform)) == pytest.approx(1.0)
    assert (scale_by_batch(np.full((1, 1, 4, 4), 0.6)) == 0.5).all()


def test_values_and_pixel_size_go_along(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(gsd_m=20.0)
    tensor, gsd_m = to_tensor(scene)
    assert gsd_m == 20 and tensor.dtype == torch.float32
    np.testing.assert_array_equal(tensor.numpy(), scene.array)
    tensor += 1  # its own memory
    assert (tensor.numpy() != scene.array).all()


def test_holes_are_an_error_or_are_filled(make_scene: Callable[..., Scene]) -> None:
    mask = np.ones((12, 9), bool)
    mask[1, 2] = False
    scene = make_scene().with_valid(mask)
    with pytest.raises(InputError, match="1 pixels"):
        to_tensor(scene)
    tensor, _ = to_tensor(scene, fill=-1.0)
    assert (tensor[:, 1, 2] == -1).all() and int((tensor == -1).sum()) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda zeros: normalise(zeros, ["B10", "B02", "B03"]), "No statistics for B10"),
        (lambda zeros: denormalise(zeros, ["B02", "B03"]), "3 bands and 2 names"),
        (lambda zeros: scale_by_batch(zeros[None], deviations=0), "above 0"),
    ],
)
def test_refused(call: Callable[[np.ndarray], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(np.zeros((3, 2, 2), np.float32))
