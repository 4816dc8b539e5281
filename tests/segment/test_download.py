import hashlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.segment.download import FILES, expected_digest, fetch

CONTENT = np.random.default_rng(0).bytes(300_000)
NAME = f"sam_test_{hashlib.sha256(CONTENT).hexdigest()[:6]}.pth"


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves one file, with ranges, and notes what was asked for."""

    asked: list[str | None] = []  # noqa: RUF012  # emptied by the fixture
    knows_ranges = True

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        if not self.path.endswith(".pth"):
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        start = start if self.knows_ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def base() -> Iterator[str]:
    _Ranges.asked, _Ranges.knows_ranges = [], True
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_names_of_released_files_tell_their_digest() -> None:
    assert [expected_digest(file) for file in FILES.values()] == ["01ec64", "0b3195", "4b8939"]
    with pytest.raises(InputError, match="digits"):
        expected_digest("sam_vit_b.pth")


def test_a_file_is_fetched_once(base: str, tmp_path: Path) -> None:
    path = fetch(NAME, tmp_path / "new", base=base)
    assert path.read_bytes() == CONTENT
    fetch(NAME, tmp_path / "new", base=base)
    assert _Ranges.asked == [None]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_download_goes_on_where_it_ended(base: str, tmp_path: Path, knows_ranges: bool) -> None:
    _Ranges.knows_ranges = knows_ranges
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:123_456])
    assert fetch(NAME, tmp_path, base=base).read_bytes() == CONTENT
    assert _Ranges.asked == ["bytes=123456-"]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_part_that_is_whole_already_is_taken(base: str, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    assert fetch(NAME, tmp_path, base=base).read_bytes() == CONTENT


def test_what_is_not_the_file_is_deleted(base: str, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 1000)
    with pytest.raises(BrokenDataError, match="SHA-256"):
        fetch(NAME, tmp_path, base=base)
    assert not list(tmp_path.iterdir())


def test_no_network_and_no_such_file_say_so(base: str, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="could not be downloaded"):
        fetch("sam_other_abcdef.zip", tmp_path, base=base)
    with pytest.raises(MissingDataError, match="Connect to the internet"):
        fetch(NAME, tmp_path, base="http://127.0.0.1:9/")
