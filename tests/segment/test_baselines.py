import numpy as np
import pytest
from affine import Affine

from rsedu.errors import InputError
from rsedu.scenes.samples import clearing
from rsedu.scenes.scene import Scene
from rsedu.segment.baselines import ndvi_threshold, patches, region_growing


def _scene(near: np.ndarray, red: np.ndarray) -> Scene:
    return Scene(
        array=np.stack([red, near]),
        bands=("B04", "B08"),
        transform=Affine(10, 0, 0, 0, -10, 0),
        crs=None,
        units=("reflectance",) * 2,
    )


def _frontier() -> Scene:
    """Forest (NDVI 0.8) with a clearing of 20 x 20 px, one of 3 x 3, and a lake."""
    near, red = np.full((60, 60), 0.36), np.full((60, 60), 0.04)
    for rows, cols in ((slice(10, 30), slice(10, 30)), (slice(40, 43), slice(10, 13))):
        near[rows, cols], red[rows, cols] = 0.2, 0.16
    near[40:55, 40:55], red[40:55, 40:55] = 0.02, 0.03
    return _scene(near, red)


def test_growing_stops_where_the_colour_changes() -> None:
    image = np.full((40, 50, 3), 40, dtype=np.uint8)
    image[10:30, 5:25] = 200
    image[10:30, 30:40] = 200  # the same colour, but not connected
    grown = region_growing(image, (15, 20), tolerance=30)
    expected = np.zeros((40, 50), dtype=bool)
    expected[10:30, 5:25] = True
    expected[[10, 10, 29, 29], [5, 24, 5, 24]] = False  # the median rounds corners
    np.testing.assert_array_equal(grown, expected)


def test_one_colour_that_differs_is_enough() -> None:
    image = np.full((20, 20, 3), 100, dtype=np.uint8)
    image[:, 10:, 2] = 140
    assert region_growing(image, (3, 3), tolerance=39).sum() == 200
    assert region_growing(image, (3, 3), tolerance=40).sum() == 400
    with pytest.raises(InputError, match="outside"):
        region_growing(np.zeros((5, 9, 3), dtype=np.uint8), (2, 5))


def test_bare_patches_are_neither_water_nor_too_small() -> None:
    found = patches(_frontier(), threshold=0.5, least_ha=0.5)
    assert len(found) == 1
    assert found[0].sum() == pytest.approx(400, abs=8)
    assert found[0][12:28, 12:28].all()


def test_green_patches_are_the_rest_of_the_land() -> None:
    found = patches(_frontier(), green=True, threshold=0.5)
    assert len(found) == 1
    assert not found[0][40:55, 40:55][2:-2, 2:-2].any() and found[0][0, 0]


def test_holes_smaller_than_the_least_patch_are_filled() -> None:
    scene = _frontier()
    array = scene.array.copy()
    array[:, 17:21, 17:21] = scene.array[:, :1, :1]  # 16 px of forest within the clearing
    holed = _scene(array[1], array[0])
    assert patches(holed, threshold=0.5, least_ha=0.5)[0][18, 18]
    assert not patches(holed, threshold=0.5, least_ha=0.1)[0][18, 18]


@pytest.mark.parametrize(
    ("near", "land"), [(0.02, False), (0.099, False), (np.nan, False), (0.101, True)]
)
def test_a_hole_of_water_or_of_nothing_is_no_land(near: float, land: bool) -> None:
    scene = _frontier()
    array = scene.array.copy()
    array[:, 17:20, 17:20] = near
    found = patches(_scene(array[1], array[0]), threshold=0.5, least_ha=0.5)
    assert (found[0][17:20, 17:20] == land).all() and found[0][12:28, 12:16].all()


def test_a_scene_without_a_valid_pixel_is_refused() -> None:
    nothing = _scene(np.full((9, 9), np.nan), np.full((9, 9), np.nan))
    with pytest.raises(InputError, match="No pixel of the scene is valid"):
        ndvi_threshold(nothing)
    with pytest.raises(InputError, match="No pixel of the scene is valid"):
        patches(nothing, threshold=0.5)


def test_patches_can_be_too_large() -> None:
    (clearing_ha,) = (patch.sum() / 100 for patch in patches(_frontier(), threshold=0.5))
    assert not patches(_frontier(), threshold=0.5, most_ha=clearing_ha - 0.01)
    assert len(patches(_frontier(), threshold=0.5, most_ha=clearing_ha)) == 1


def test_otsu_parts_the_real_scene_between_its_two_hills() -> None:
    # Its histogram has hills near 0.22 (soil) and 0.76 (trees).
    assert 0.4 < ndvi_threshold(clearing()) < 0.6
    assert len(patches(clearing(), most_ha=225)) == 10
