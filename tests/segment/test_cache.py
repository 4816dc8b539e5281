from pathlib import Path

import numpy as np
import pytest

from rsedu.segment.cache import EmbeddingCache, UnkeptWarning


def _image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (6, 7, 3)).astype(np.uint8)


def _embedding() -> np.ndarray:
    return np.random.default_rng(9).random((4, 2, 2)).astype(np.float32)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    cache = EmbeddingCache(folder=tmp_path / "made", weights="a")
    assert cache.read(_image()) is None
    cache.write(_image(), _embedding())
    np.testing.assert_array_equal(cache.read(_image()), _embedding())


def test_other_pixels_sizes_and_weights_have_other_files(tmp_path: Path) -> None:
    cache = EmbeddingCache(folder=tmp_path, weights="a")
    one_pixel = _image()
    one_pixel[3, 3, 1] ^= 1
    images = [_image(), one_pixel, _image().reshape(7, 6, 3)]
    paths = {cache.path(image) for image in images}
    paths.add(EmbeddingCache(folder=tmp_path, weights="b").path(_image()))
    assert len(paths) == 4
    assert cache.path(_image()[:, ::-1][:, ::-1]) == cache.path(_image())


def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    cache = EmbeddingCache(folder=tmp_path, weights="a")
    cache.write(_image(), _embedding())
    path = cache.path(_image())
    assert path is not None
    path.write_bytes(path.read_bytes()[:-9])
    assert cache.read(_image()) is None


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY\x01\x00\x10\x00{'descr': ((((((\n",
        b"\x93NUMPY\x01\x00\x10\x00{'descr' 'descr'\n",
        b"\x93NUMPY\x01\x00",
        b"PK\x03\x04 no zip",
        b"",
    ],
)
def test_a_damaged_file_is_made_again(tmp_path: Path, content: bytes) -> None:
    cache = EmbeddingCache(folder=tmp_path, weights="a")
    path = cache.path(_image())
    assert path is not None
    path.write_bytes(content)
    assert cache.read(_image()) is None


@pytest.mark.parametrize("wrong", [_embedding().astype(np.float64), _embedding()[0]])
def test_what_is_no_embedding_is_made_again(tmp_path: Path, wrong: np.ndarray) -> None:
    cache = EmbeddingCache(folder=tmp_path, weights="a")
    path = cache.path(_image())
    assert path is not None
    np.save(path, wrong)
    assert cache.read(_image()) is None
    with path.open("wb") as file:
        np.savez(file, a=_embedding())
    assert cache.read(_image()) is None


def test_a_folder_that_cannot_be_written_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = EmbeddingCache(folder=tmp_path / "file", weights="a")
    with pytest.warns(UnkeptWarning, match="file") as told:
        cache.write(_image(), _embedding())
        cache.write(_image(1), _embedding())
    assert len(told) == 1


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    cache = EmbeddingCache(folder=None, weights="a")
    cache.write(_image(), _embedding())
    assert cache.read(_image()) is None
