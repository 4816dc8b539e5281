import numpy as np
import pytest

from rsedu.scenes.bands import S2_BANDS
from rsedu.synthetic import clouds as sky
from rsedu.synthetic.land_cover import CLOUD

PLACE = (3, 5120.0)
ALL = slice(0, 256)  # of 20 m


def opacity(
    cover: float, date: float = 2021.3, level_m: float = 20.0, **moved: object
) -> np.ndarray:
    side = slice(0, round(5120 / level_m))
    return sky.opacity(PLACE, date, cover, level_m, side, side, **moved)


@pytest.mark.parametrize("cover", [0.1, 0.3, 0.5, 0.8])
def test_clouds_hide_what_they_are_asked_to(cover: float) -> None:
    hidden = opacity(cover)
    assert (hidden > 0.5).mean() == pytest.approx(cover, abs=0.002)
    assert hidden.min() >= 0
    assert hidden.max() <= 1
    assert 0.02 < ((hidden > 0) & (hidden < 1)).mean() < 0.5  # edges are soft


@pytest.mark.parametrize("cover", [0.0, 1.0])
def test_a_clear_and_a_closed_sky_are_exact(cover: float) -> None:
    assert (opacity(cover) == cover).all()


def test_more_cover_never_uncovers() -> None:
    assert (opacity(0.6) >= opacity(0.3)).all()


def test_each_day_has_its_own_clouds() -> None:
    same, other = opacity(0.4), opacity(0.4, date=2021.31)
    np.testing.assert_array_equal(same, opacity(0.4))
    assert np.mean((same > 0.5) != (other > 0.5)) > 0.05
    assert sky.stamp(2021.3) != sky.stamp(2021.31)


@pytest.mark.parametrize("level_m", [2.5, 10.0])
def test_clouds_are_the_same_at_any_pixel(level_m: float) -> None:
    factor = round(20 / level_m)
    fine = opacity(0.4, level_m=level_m)
    np.testing.assert_array_equal(fine[::factor, ::factor], opacity(0.4))


def test_clouds_can_be_moved() -> None:
    moved = opacity(0.4, moved=(4, -3))
    np.testing.assert_array_equal(moved[4:, :-3], opacity(0.4)[:-4, 3:])


def test_light_wanders_about_1_and_moisture_parts_the_bands() -> None:
    factor = sky.light(3, 20.0, ALL, ALL)
    assert factor.shape == (12, 256, 256)
    assert factor.mean() == pytest.approx(1, abs=0.05)
    assert 0.03 < factor[1].std() < 0.08
    band = {name: factor[number] for number, name in enumerate(S2_BANDS)}
    np.testing.assert_array_equal(band["B02"], band["B04"])  # visible light only brightens
    moist = band["B08"] - band["B02"]
    np.testing.assert_allclose(band["B12"] - band["B02"], -1.6 * moist, atol=1e-5)


def test_under_clouds_is_ground_shade_and_cloud() -> None:
    ground = np.full((12, 256, 256), 0.2, dtype=np.float32)
    seen = sky.under_clouds(ground, PLACE, 2021.3, 0.4, 20.0, ALL, ALL)
    clouds, shade = opacity(0.4), opacity(0.4, moved=(18, -14))
    for row, col in np.random.default_rng(0).integers(0, 256, size=(200, 2)):
        bright = 0.2 * (1 - 0.55 * shade[row, col]) * (1 - clouds[row, col])
        expected = bright + CLOUD * clouds[row, col]
        np.testing.assert_allclose(seen[:, row, col], expected, atol=1e-6)
    np.testing.assert_array_equal(ground, 0.2 * np.ones_like(ground))  # what came is left alone


def test_a_clear_sky_changes_nothing() -> None:
    ground = np.full((12, 4, 4), 0.2, dtype=np.float32)
    seen = sky.under_clouds(ground, PLACE, 2021.3, 0.0, 20.0, slice(0, 4), slice(0, 4))
    np.testing.assert_array_equal(seen, ground)


def test_two_places_have_two_skies() -> None:
    clouds = [sky.opacity((seed, 5120.0), 2021.3, 0.4, 20.0, ALL, ALL) for seed in (3, 4)]
    assert np.mean((clouds[0] > 0.5) != (clouds[1] > 0.5)) > 0.05
    light = [sky.light(seed, 20.0, ALL, ALL) for seed in (3, 4)]
    visible = [each[1].ravel() for each in light]
    moisture = [(each[7] - each[1]).ravel() for each in light]
    for one, other in (visible, moisture):
        assert np.abs(one - other).mean() > 0.005
