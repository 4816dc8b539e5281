from collections.abc import Callable

import numpy as np
import pytest
import torch
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from rsedu.errors import InputError
from rsedu.scenes.scene import Scene
from rsedu.scenes.tensors import merge, tile, to_tensor

MakeScene = Callable[..., Scene]


def ramp(rows: int, cols: int) -> Scene:
    return Scene(
        array=np.arange(2.0 * rows * cols).reshape(2, rows, cols),
        bands=("B02", "B03"),
        transform=Affine(10, 0, 0, 0, -10, 0),
        crs=None,
        units=("dn", "dn"),
    )


def test_values_and_pixel_size_go_along(make_scene: MakeScene) -> None:
    scene = make_scene(gsd_m=20.0)
    tensor, gsd_m = to_tensor(scene)
    assert gsd_m == 20 and tensor.dtype == torch.float32
    np.testing.assert_array_equal(tensor.numpy(), scene.array)
    tensor += 1  # its own memory
    assert (tensor.numpy() != scene.array).all()


def test_holes_are_an_error_or_are_filled(make_scene: MakeScene) -> None:
    mask = np.ones((12, 9), bool)
    mask[1, 2] = False
    scene = make_scene().with_valid(mask)
    with pytest.raises(InputError, match="1 pixels"):
        to_tensor(scene)
    tensor, _ = to_tensor(scene, fill=-1.0)
    assert (tensor[:, 1, 2] == -1).all() and int((tensor == -1).sum()) == 2


@given(st.integers(5, 23), st.integers(5, 23), st.integers(1, 5), st.integers(0, 4))
def test_tiles_merge_into_the_scene(rows: int, cols: int, size: int, overlap: int) -> None:
    scene = ramp(rows, cols)
    tiles = [
        (r, c, to_tensor(part)[0])
        for r, c, part in tile(scene, size_px=size, overlap_px=min(overlap, size - 1))
    ]
    assert all(values.shape == (2, size, size) for _, _, values in tiles)
    np.testing.assert_array_equal(merge(tiles, scene.shape).numpy(), scene.array)


def test_tiles_know_their_place() -> None:
    parts = list(tile(ramp(10, 7), size_px=4, overlap_px=1))
    assert [(r.start, c.start) for r, c, _ in parts] == [
        (0, 0), (0, 3), (3, 0), (3, 3), (6, 0), (6, 3),
    ]  # fmt: skip
    assert parts[3][2].bounds == (30, -70, 70, -30)


def test_overlaps_are_averaged() -> None:
    one, two = torch.zeros(1, 2, 2), torch.ones(1, 2, 2)
    whole = merge([(slice(0, 2), slice(0, 2), one), (slice(0, 2), slice(1, 3), two)], (2, 4))
    np.testing.assert_array_equal(whole[0, 0].numpy(), [0, 0.5, 1, np.nan])


@pytest.mark.parametrize(("size", "overlap"), [(4, 4), (4, -1), (11, 0)])
def test_tiles_that_cannot_be(size: int, overlap: int) -> None:
    with pytest.raises(InputError):
        list(tile(ramp(10, 10), size_px=size, overlap_px=overlap))


def test_no_tiles() -> None:
    with pytest.raises(InputError, match="no tiles"):
        merge([], (2, 2))
