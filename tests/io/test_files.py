import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rsedu.io.files import sha256, write_atomically


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
