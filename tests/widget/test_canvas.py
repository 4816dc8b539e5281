"""Pictures, bits and traits as the browser will read them."""

import io
import re

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as npst

from rsedu.widget.canvas import Canvas, packed, picture, shown_shape

SOURCE = str(Canvas._esm)


def test_the_browser_knows_the_traits_by_their_names():
    used = set(re.findall(r"model\.[sg]et\('(\w+)'", SOURCE))
    used |= set(re.findall(r"'change:(\w+)'", SOURCE))
    synced = {name for name in Canvas.class_traits(sync=True) if not name.startswith("_")}
    own = synced - {"layout", "tabbable", "tooltip", "comm", "keys"}
    assert used | {"mask", "kept"} == own
    assert repr(Canvas(rows=3, cols=5)) == "Canvas(3 x 5 px)"


def test_nothing_is_fetched_from_elsewhere():
    assert not re.search(r"https?://|import\s", SOURCE)


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((300, 300), (300, 300)),
        ((1024, 7), (1024, 7)),
        ((1025, 7), (1024, 7)),
        ((2048, 512), (1024, 256)),
        ((3, 4096), (1, 1024)),
    ],
)
def test_large_scenes_are_shown_smaller(shape, shown):
    assert shown_shape(shape) == shown


@pytest.mark.parametrize(("cols", "format_"), [(47, "PNG"), (512, "PNG"), (513, "JPEG")])
def test_a_picture_loses_nothing_up_to_512_px_and_little_beyond(cols, format_):
    colours = np.random.default_rng(0).integers(0, 256, (30, cols, 3), dtype=np.uint8)
    if format_ == "JPEG":  # as smooth as land, not noise
        colours = np.sort(colours, axis=1)
    file, kind = picture(colours)
    image = PIL.Image.open(io.BytesIO(file))
    assert (kind, image.format) == (f"image/{format_.lower()}", format_)
    lost = np.abs(np.asarray(image).astype(int) - colours)
    assert lost.max() == 0 if format_ == "PNG" else 0 < lost.mean() < 2


def test_a_large_picture_is_near_and_small():
    colours = np.zeros((900, 2048, 3), dtype=np.uint8)
    colours[:, 1024:, 0] = 255
    file, _ = picture(colours)
    image = np.asarray(PIL.Image.open(io.BytesIO(file)))
    assert image.shape == (450, 1024, 3) and len(file) < 20_000
    assert abs(image[:, 530:].astype(int) - [255, 0, 0]).max() < 8
    assert image[:, :490].max() < 8


def bits(data: bytes) -> list[int]:
    return [int(bit) for byte in data for bit in f"{byte:08b}"]


@given(npst.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_bits_go_row_by_row_from_the_highest(mask):
    data = packed(mask)
    wanted = [int(pixel) for row in mask for pixel in row]
    if not mask.any():
        assert data == b""
    else:
        assert len(data) == -(-mask.size // 8)
        assert bits(data)[: mask.size] == wanted


def test_a_shown_pixel_needs_half_of_what_it_stands_for():
    mask = np.zeros((2, 2048), dtype=bool)
    mask[:, 10] = True  # half of pixel 5
    mask[0, 20] = True  # a quarter of pixel 10
    assert np.flatnonzero(bits(packed(mask))).tolist() == [5]
