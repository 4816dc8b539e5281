import numpy as np
import pytest
from affine import Affine

from rsedu.scenes.indices import ndvi, normalised_difference
from rsedu.scenes.scene import Scene


@pytest.mark.parametrize(
    ("near", "red", "index"),
    [
        pytest.param(0.3, 0.1, 0.5, id="their difference divided by their sum"),
        pytest.param(0.1, 0.3, -0.5, id="negative where red is brighter"),
        pytest.param(0.03, -0.01, 1, id="red below 0 counts as 0"),
        pytest.param(-0.02, 0.05, -1, id="near infrared below 0 counts as 0"),
        pytest.param(0.0, 0.0, np.nan, id="nothing is reflected"),
        pytest.param(-0.1, -0.1, np.nan, id="both below 0"),
        pytest.param(1e-6, 0.0, 1, id="just above 0"),
        pytest.param(np.nan, 0.1, np.nan, id="not valid"),
    ],
)
def test_ndvi(near: float, red: float, index: float) -> None:
    scene = Scene(
        array=np.array([[[red]], [[near]]]),
        bands=("B04", "B08"),
        units=("reflectance", "reflectance"),
        transform=Affine(10, 0, 0, 0, -10, 0),
        crs=None,
    )
    np.testing.assert_allclose(ndvi(scene), [[index]], rtol=1e-6)
    stack = np.moveaxis(scene.array, 0, -1)  # bands anywhere, any number of axes
    np.testing.assert_array_equal(normalised_difference(stack[..., 1], stack[..., 0]), ndvi(scene))
