import io
from typing import Any

import numpy as np
import pytest

from rsedu.datasets.stac.remote import Remote, explain_error, unsigned
from rsedu.errors import BrokenDataError, MissingDataError
from rsedu.io.http import RetryPolicy

CONTENT = np.random.default_rng(2).bytes(100_000)
BLOCK = 1 << 14


@pytest.fixture
def remote(web: Any, quick: RetryPolicy) -> Remote:
    web.files["/a.bin"] = CONTENT
    return Remote(f"{web.base}/a.bin", patience=quick)


def test_any_part_is_what_the_file_holds(remote: Remote) -> None:
    random = np.random.default_rng(0)
    for start, length in random.integers(0, 60_000, (50, 2)):
        assert remote.part(int(start), int(start + length)) == CONTENT[start : start + length]
    assert remote.part(99_990, 200_000) == CONTENT[99_990:]
    assert remote.part(100_000, 100_001) == b""
    assert remote.size == 100_000 and remote.bytes_read <= 100_000 + 6 * BLOCK


def test_blocks_are_fetched_once_and_counted(web: Any, remote: Remote) -> None:
    assert remote.bytes_read == BLOCK
    remote.part(0, BLOCK)
    assert len(web.asked) == 1
    remote.part(BLOCK * 2, BLOCK * 3 + 1)
    assert web.asked[-1][1] == f"bytes={BLOCK * 2}-{BLOCK * 4 - 1}"
    assert remote.bytes_read == BLOCK * 3 == web.sent
    remote.part(BLOCK * 2, BLOCK * 4)
    assert len(web.asked) == 2


def test_it_reads_like_a_file(remote: Remote) -> None:
    ours, theirs = remote.open(remote.address), io.BytesIO(CONTENT)
    assert ours.readable() and ours.seekable()
    for offset, whence in ((10, 0), (5, 1), (-100, 2), (-1000, 0)):
        if (offset, whence) != (-1000, 0):
            assert ours.seek(offset, whence) == theirs.seek(offset, whence)
        assert ours.read(50) == theirs.read(50) and ours.tell() == theirs.tell()
    ours.seek(0), theirs.seek(0)
    assert ours.read() == theirs.read()
    assert remote.open(remote.address + ".aux.xml").read() == b""


def test_a_failure_is_kept_and_told(web: Any, remote: Remote) -> None:
    web.faults["/a.bin"] = ["404"]
    file = remote.open(remote.address)
    file.seek(50_000)
    assert file.read(10) == b"" and isinstance(remote.failure, MissingDataError)
    asked = len(web.asked)
    assert file.read(10) == b"" and len(web.asked) == asked, "not asked again and again"
    with pytest.raises(MissingDataError, match="answered 404"), explain_error(remote):
        raise BrokenDataError("GDAL says no")
    with pytest.raises(MissingDataError, match="answered 404"), explain_error(remote):
        pass
    remote.failure = None
    with pytest.raises(BrokenDataError, match="GDAL says no"), explain_error(remote):
        raise BrokenDataError("GDAL says no")


def test_a_refusal_asks_once_for_a_new_signature(web: Any, quick: RetryPolicy) -> None:
    web.files["/a.bin"], renewed = CONTENT, []

    def sign(address: str, *, renew: bool = False) -> str:
        renewed.append(renew)
        return address

    web.faults["/a.bin"] = ["403"]
    Remote(f"{web.base}/a.bin", sign=sign, patience=quick)
    assert renewed == [False, True]
    web.faults["/a.bin"] = ["403", "401"]
    with pytest.raises(MissingDataError, match="answered 401"):
        Remote(f"{web.base}/a.bin", sign=sign, patience=quick)
    assert unsigned("a", renew=True) == "a"


def test_a_file_that_grows_is_no_longer_the_same(web: Any, remote: Remote) -> None:
    web.files["/a.bin"] = CONTENT + b"more"
    with pytest.raises(BrokenDataError, match="changed on the server"):
        remote.part(50_000, 50_001)
