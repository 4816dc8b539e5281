import errno
import hashlib
import http.client
import http.server
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rsedu.errors import BrokenDataError, InputError, MissingDataError, RseduError
from rsedu.io import http as module
from rsedu.io.http import RetryPolicy, digest_of, download

CONTENT = np.random.default_rng(1).bytes(400_000)
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
QUICK = RetryPolicy(timeout_s=0.3, tries=3, pause_s=0.01)


class _Faulty(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges and ETags; each request takes one fault from the list."""

    faults: list[str] = []  # noqa: RUF012  # emptied by the fixture
    asked: list[tuple[str | None, str | None]] = []  # noqa: RUF012
    etag = '"one"'
    go_on = threading.Event()

    def do_GET(self) -> None:
        wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
        self.asked.append((wanted, condition))
        fault = self.faults.pop(0) if self.faults else ""
        if fault.isdigit():
            self.send_error(int(fault))
            return
        if fault == "html":
            self._answer(200, b"<html>Please sign in</html>", kind="text/html")
            return
        content = b"y" * len(CONTENT) if fault == "altered" else CONTENT
        ranges = wanted and fault != "no ranges"
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges else 0
        if condition and condition != self.etag and fault != "ignores If-Range":
            start = 0
        self._answer(206 if start else 200, content[start:], fault=fault)

    def _answer(self, status: int, body: bytes, *, fault: str = "", kind: str = "") -> None:
        self.send_response(status)
        declared = {"too long": len(body) + 100, "too short": len(body) - 100}.get(fault, len(body))
        self.send_header("Content-Length", str(declared))
        self.send_header("ETag" if '"' in self.etag else "Last-Modified", self.etag)
        self.send_header("Content-Type", kind or "application/zip")
        self.end_headers()
        half = len(body) // 2
        if fault == "reset":
            self.wfile.write(body[:half])
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif fault == "stalled":
            self.wfile.write(body[:half])
            self.wfile.flush()
            time.sleep(0.6)
        elif fault == "slow":
            self.wfile.write(body[:half])
            self.wfile.flush()
            self.go_on.wait(15)
            self.wfile.write(body[half:])
        elif fault == "truncated":
            self.wfile.write(body[:half])
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    _Faulty.faults, _Faulty.asked, _Faulty.etag = [], [], '"one"'
    server = _Quiet(("127.0.0.1", 0), _Faulty)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/set.zip"
    server.shutdown()
    server.server_close()
    thread.join()


def _get(address: str, folder: Path) -> Path:
    return download(address, folder / "set.zip", digest=DIGEST, size=len(CONTENT), patience=QUICK)


def _is_whole_and_alone(path: Path) -> bool:
    return path.read_bytes() == CONTENT and [each.name for each in path.parent.iterdir()] == [
        path.name
    ]


def test_a_file_is_fetched_once(address: str, tmp_path: Path) -> None:
    assert _is_whole_and_alone(_get(address, tmp_path / "new"))
    _get(address, tmp_path / "new")
    assert len(_Faulty.asked) == 1


@pytest.mark.parametrize(
    "fault", ["500", "503", "429", "truncated", "stalled", "reset", "too long"]
)
def test_what_passes_is_outlasted(address: str, tmp_path: Path, fault: str) -> None:
    _Faulty.faults = [fault]
    assert _is_whole_and_alone(_get(address, tmp_path))
    assert len(_Faulty.asked) <= 2


@pytest.mark.parametrize("fault", ["truncated", "stalled", "reset"])
def test_it_goes_on_where_it_ended(address: str, tmp_path: Path, fault: str) -> None:
    _Faulty.faults = [fault]
    assert _is_whole_and_alone(_get(address, tmp_path))
    if fault != "reset":  # a reset may throw away what was on its way
        assert _Faulty.asked[1] == (f"bytes={len(CONTENT) // 2}-", '"one"')


FOR_GOOD = {
    "404": (MissingDataError, "answered 404; there is no such file"),
    "403": (MissingDataError, "answered 403; access is refused; a signed address may have expired"),
    "401": (MissingDataError, "answered 401; it wants an account"),
    "500": (MissingDataError, r"answered 500 \(Internal Server Error\), 3 times"),
    "stalled": (MissingDataError, "the server sent nothing for 0.3 s, 3 times"),
    "truncated": (MissingDataError, r"ended after \d+ of 400000 bytes, 3 times"),
    "altered": (BrokenDataError, "another SHA-256 than expected; it was deleted"),
    "too short": (BrokenDataError, "399900 bytes where 400000 were expected; it was deleted"),
    "html": (BrokenDataError, "sent a web page"),
}


@pytest.mark.parametrize("fault", FOR_GOOD)
def test_what_stays_has_one_message_and_the_next_run_succeeds(
    address: str, tmp_path: Path, fault: str
) -> None:
    error, message = FOR_GOOD[fault]
    _Faulty.faults = [fault] * QUICK.tries
    with pytest.raises(error, match=message):
        _get(address, tmp_path)
    assert not (tmp_path / "set.zip").exists()
    _Faulty.faults = []
    assert _is_whole_and_alone(_get(address, tmp_path))


def test_a_server_without_ranges_sends_all_again(address: str, tmp_path: Path) -> None:
    _Faulty.faults = ["truncated", "no ranges"]
    assert _is_whole_and_alone(_get(address, tmp_path))


@pytest.mark.parametrize("fault", ["", "ignores If-Range"])
def test_parts_of_two_versions_are_not_glued(address: str, tmp_path: Path, fault: str) -> None:
    (tmp_path / "set.zip.part").write_bytes(b"old" * 1000)
    (tmp_path / "set.zip.part.etag").write_text('"old"')
    _Faulty.faults = [fault]
    assert _is_whole_and_alone(_get(address, tmp_path))
    assert _Faulty.asked[0] == ("bytes=3000-", '"old"')


@pytest.mark.parametrize("version", ['W/"one"', "Sat, 07 Mar 2026 10:00:00 GMT"])
def test_a_weak_version_is_compared_but_never_sent(
    address: str, tmp_path: Path, version: str
) -> None:
    _Faulty.etag, _Faulty.faults = version, ["truncated"]
    assert _is_whole_and_alone(_get(address, tmp_path / "same"))
    assert _Faulty.asked[1] == (f"bytes={len(CONTENT) // 2}-", None)
    part = tmp_path / "set.zip.part"
    part.write_bytes(b"old" * 1000)
    part.with_name("set.zip.part.etag").write_text(version.replace("one", "two").replace("7", "6"))
    found = download(address, tmp_path / "set.zip", patience=QUICK)  # no digest that would tell
    assert found.read_bytes() == CONTENT
    assert _Faulty.asked[2:] == [("bytes=3000-", None), (None, None)]


def test_two_downloads_of_one_file_are_told(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = module._write

    def both(answer: http.client.HTTPResponse, part: Path, *rest: object) -> None:
        write(answer, part, *rest)  # type: ignore[arg-type]
        with part.open("ab") as other:
            other.write(b"from the other")

    monkeypatch.setattr(module, "_write", both)
    with pytest.raises(BrokenDataError, match="400014 bytes, of 400000: another download writes"):
        _get(address, tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_network_says_so(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(MissingDataError, match=r"the connection was refused\. Connect"):
        _get(f"http://127.0.0.1:{port}/set.zip", tmp_path)
    assert not list(tmp_path.iterdir())


NO_ADDRESS = [
    "s3://eodata/x.tif",
    "file:///etc/passwd",
    "/etc/passwd",
    "http://",
    "http:///x.tif",
    "http://127.0.0.1:http/x.tif",
    "http://127.0.0.1:99999/x.tif",
    "http://127.0.0.1:1/a b.tif",
    "http://127.0.0.1:1/a\n.tif",
    "http://[::1/x.tif",
]


@pytest.mark.parametrize("wrong", NO_ADDRESS)
def test_what_is_no_address_is_told_without_a_try(wrong: str, tmp_path: Path) -> None:
    once = RetryPolicy(tries=2, pause_s=60)
    for call in (lambda: module.ask(wrong, patience=once), lambda: _get(wrong, tmp_path)):
        with pytest.raises(InputError, match="is no address of the web") as raised:
            call()
        assert repr(wrong) in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_letters_beyond_ascii_are_quoted(address: str) -> None:
    assert module.ask(address.replace("set", "sét"), patience=QUICK).body == CONTENT


def test_only_what_is_kept_goes_on_where_it_ended(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/a"
    with pytest.raises(MissingDataError, match="and try again; it goes on where it ended"):
        _get(address, tmp_path)
    with pytest.raises(MissingDataError, match=r"and try again\.$"):
        module.ask(address, patience=QUICK)


def test_an_unknown_server_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(MissingDataError, match="name of its server is not known"):
        _get("http://data.invalid/set.zip", tmp_path)
    assert not list(tmp_path.iterdir())


OF_THE_NETWORK = [
    ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed"),
    OSError(errno.EHOSTUNREACH, "No route to host"),
    OSError(errno.ENETDOWN, "Network is down"),
    OSError(errno.ENETUNREACH, "Network is unreachable"),
]


@pytest.mark.parametrize("method", ["read1", "begin"])
@pytest.mark.parametrize("error", OF_THE_NETWORK, ids=lambda error: type(error).__name__)
def test_what_breaks_in_the_network_is_outlasted(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, method: str
) -> None:
    true, calls = getattr(http.client.HTTPResponse, method), []

    def once_broken(self: http.client.HTTPResponse, *arguments: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise error
        return true(self, *arguments)

    monkeypatch.setattr(http.client.HTTPResponse, method, once_broken)
    assert _is_whole_and_alone(_get(address, tmp_path))
    calls.clear()
    assert module.ask(address, patience=QUICK).body == CONTENT


def test_a_false_certificate_is_final(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def refused(*_: object, **__: object) -> None:
        calls.append(1)
        raise urllib.error.URLError(ssl.SSLCertVerificationError(1, "certificate verify failed"))

    monkeypatch.setattr(urllib.request, "urlopen", refused)
    with pytest.raises(MissingDataError, match=r"cannot prove who it is .*verify failed"):
        _get(address, tmp_path)
    assert len(calls) == 1


def test_a_full_disk_is_not_taken_for_the_network(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(InputError, match="the disk is full: make room"):
        _get(address, tmp_path)
    assert len(_Faulty.asked) == 1


def test_a_small_disk_is_seen_before(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 100_000))
    with pytest.raises(InputError, match=r"needs 0.4 MB more, and .* has 0.1 MB free"):
        _get(address, tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    assert _is_whole_and_alone(_get(address, tmp_path))


def test_a_folder_that_cannot_be_written_says_so(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match="cannot be written"):
        _get(address, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "no folder"


def test_an_interrupted_download_goes_on(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = module._chunk
    calls: list[int] = []

    def interrupted(*arguments: object) -> bytes:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return chunk(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _get(address, tmp_path)
    assert not (tmp_path / "set.zip").exists()
    monkeypatch.undo()
    assert _is_whole_and_alone(_get(address, tmp_path))
    assert _Faulty.asked[1][0] is not None


def _another(address: str, folder: Path) -> "subprocess.Popen[str]":
    """The same download in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from rsedu.io.http import download;"
        "download(sys.argv[1], Path(sys.argv[2]), digest=sys.argv[3])"
    )
    arguments = [sys.executable, "-c", code, address, str(folder / "set.zip"), DIGEST]
    shown = os.environ | {"TQDM_DISABLE": "0"}
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=shown)


def _until_it_waits(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    assert any("another process is downloading it; waiting" in line for line in process.stderr)


def test_of_two_processes_one_downloads_and_the_other_waits(address: str, tmp_path: Path) -> None:
    _Faulty.faults = ["slow"]
    _Faulty.go_on.clear()
    first = _another(address, tmp_path)
    while not _Faulty.asked and first.poll() is None:
        time.sleep(0.02)
    second = _another(address, tmp_path)
    try:
        _until_it_waits(second)
        _Faulty.go_on.set()
        first.communicate(timeout=30)
        second.communicate(timeout=30)
    finally:
        _Faulty.go_on.set()
        for process in (first, second):
            process.kill()
    assert (first.returncode, second.returncode) == (0, 0)
    assert _is_whole_and_alone(tmp_path / "set.zip")
    assert len(_Faulty.asked) == 1


def test_a_digest_names_its_kind(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest_of(tmp_path / "a", "md5") == "md5:900150983cd24fb0d6963f7d28e17f72"
    assert issubclass(BrokenDataError, RseduError)
