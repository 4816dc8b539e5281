"""A web server on loopback that misbehaves on request."""

import http.server
import json
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest

from rsedu.download import Patience

QUICK = Patience(timeout_s=0.3, tries=3, pause_s=0.01)


class Web:
    """Files by path, faults by path (one for each request), and what was asked and sent."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.sent = 0
        self.etag = '"one"'
        self.token: str | None = None  # wanted in the query of what ends in .tif
        self.base = ""

    def fault(self, path: str) -> str:
        """The next fault of a path, or of "*"."""
        for key in (path, "*"):
            if self.faults.get(key):
                return self.faults[key].pop(0)
        return ""

    def put_json(self, path: str, value: Any) -> None:
        """Serve a value as JSON."""
        self.files[path] = json.dumps(value).encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    web: Web

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def do_GET(self) -> None:
        web, parts = self.web, urlsplit(self.path)
        wanted = self.headers.get("Range")
        web.asked.append((self.path, wanted))
        fault, content = web.fault(parts.path), web.files.get(parts.path)
        if fault.isdigit() or content is None:
            self.send_error(int(fault or 404))
            return
        if web.token and parts.path.endswith(".tif") and parts.query != web.token:
            self.send_error(403)
            return
        if fault == "html":
            self._answer(200, b"<html>Sign in</html>", kind="text/html")
            return
        if fault == "garbage":
            content = b'{"type": "FeatureCollection", "features": [{'
        if wanted is None or fault == "no ranges":
            self._answer(200, content, fault=fault)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last or len(content) - 1) + 1, len(content))
        if start >= len(content):
            self.send_error(416)
            return
        where = f"bytes {start}-{stop - 1}/{len(content)}"
        self._answer(206, content[start:stop], fault=fault, where=where)

    def _answer(
        self, status: int, body: bytes, *, fault: str = "", kind: str = "", where: str = ""
    ) -> None:
        is_json = urlsplit(self.path).path.endswith(".tif") is False and body[:1] in (b"{", b"[")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + 100 * (fault == "too long")))
        self.send_header("ETag", '"two"' if fault == "changed" else self.web.etag)
        self.send_header("Content-Type", kind or ("application/json" if is_json else "image/tiff"))
        if where:
            self.send_header("Content-Range", where)
        self.end_headers()
        half = len(body) // 2
        if fault in ("reset", "stalled", "truncated"):
            self.wfile.write(body[:half])
            self.wfile.flush()
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif fault == "stalled":
            time.sleep(0.5)
        elif fault != "truncated":
            self.wfile.write(b"x" * len(body) if fault == "altered" else body)
            self.web.sent += len(body)

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    """A server with nothing on it; its faults are set by the test."""
    state = Web()
    server = _Quiet(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": state}))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.base = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def quick() -> Patience:
    """Little patience: a stalled server is given up after 0.3 s."""
    return QUICK


@pytest.fixture
def archive() -> bytes:
    """A zip with two classes of twelve and three pictures."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for label, count in (("Forest", 12), ("River", 3)):
            for number in range(1, count + 1):
                file.writestr(f"set/{label}/{label}_{number}.tif", f"{label} {number}")
        file.writestr("set/readme.txt", "about")
    return buffer.getvalue()
