from pathlib import Path

import numpy as np

from rsedu.segment.cache import EmbeddingCache


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


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    cache = EmbeddingCache(folder=None, weights="a")
    cache.write(_image(), _embedding())
    assert cache.read(_image()) is None
