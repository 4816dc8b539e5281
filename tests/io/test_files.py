import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rsedu.io.files import (
    NotStoredWarning,
    read_array,
    settings_digest,
    sha256,
    stored_array,
    visible_files,
    write_array,
    write_atomically,
)


def test_a_new_file_is_written_with_its_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.bin"
    write_atomically(target, lambda path: path.write_bytes(b"new"))
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")

    def fail(path: Path) -> None:
        path.write_bytes(b"ha")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_atomically(target, fail)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_target_is_the_old_file_until_the_writer_has_finished(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")

    def write(path: Path) -> None:
        path.write_bytes(b"new")
        assert target.read_bytes() == b"old"

    with target.open("rb") as reader:
        write_atomically(target, write)
        assert reader.read() == b"old"  # who reads while it is replaced gets a whole file
    assert target.read_bytes() == b"new"


def test_threads_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    target, both = tmp_path / "file.bin", threading.Barrier(2, timeout=10)

    def put(content: bytes) -> None:
        def write(path: Path) -> None:
            path.write_bytes(content)
            both.wait()
            assert path.read_bytes() == content
            both.wait()

        write_atomically(target, write)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put, (b"one", b"other")))
    assert target.read_bytes() in (b"one", b"other")
    assert list(tmp_path.iterdir()) == [target]


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()


def test_arrays_are_stored_under_their_settings(tmp_path: Path) -> None:
    settings = {"gsds_m": (2.5, 5.0), "version": 1}
    digests = {settings_digest(settings | other) for other in ({}, {"version": 2}, {"seed": 0})}
    assert len(digests) == 3 and all(len(digest) == 12 for digest in digests)
    assert settings_digest(dict(reversed(settings.items()))) in digests
    path = tmp_path / settings_digest(settings) / "world.npy"
    assert read_array(path) is None
    array = np.arange(24, dtype=np.float16).reshape(2, 3, 4)
    np.testing.assert_array_equal(stored_array(path, lambda: array), array)
    stored = stored_array(path, lambda: array + 1)  # read, not made again
    np.testing.assert_array_equal(stored, array)
    assert isinstance(stored, np.memmap) and not stored.flags.writeable


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY\x01\x00\x10\x00{'descr': ((((((\n",
        b"\x93NUMPY\x01\x00\x10\x00{'descr' 'descr'\n",
        b"\x93NUMPY\x01\x00",
        b"PK\x03\x04 no zip",
        b"",
        None,
    ],
    ids=["a header cut off", "no header", "no length", "a zip", "empty", "numbers missing"],
)
def test_a_damaged_array_is_made_again(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "array.npy"
    assert write_array(path, np.ones(9))
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    assert read_array(path) is None
    np.testing.assert_array_equal(stored_array(path, lambda: np.ones(3)), np.ones(3))
    np.testing.assert_array_equal(read_array(path), np.ones(3))


def test_a_folder_that_cannot_be_written_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(NotStoredWarning, match="file") as warned:
        assert not write_array(tmp_path / "file" / "a.npy", np.ones(3))
        made = stored_array(tmp_path / "file" / "b.npy", lambda: np.ones(2))
    np.testing.assert_array_equal(made, np.ones(2))
    assert len(warned) == 1


def test_files_that_nobody_wrote_are_passed_over(tmp_path: Path) -> None:
    home = tmp_path / ".rsedu" / "data"
    for name in ("b/scene.TIF", "a.tif", "._a.tif", "__MACOSX/a.tif", ".cache/a.tif", "notes.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"")
    found = [path.relative_to(home).as_posix() for path in visible_files(home, ".tif")]
    assert found == ["a.tif", "b/scene.TIF"]
    assert len(visible_files(home)) == 3
