"""A web server on loopback that misbehaves on request."""

import http.server
import json
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from rasterio.warp import transform_bounds

from rsedu.datasets.stac.query import Catalogue, Query
from rsedu.io.http import RetryPolicy
from rsedu.io.raster_file import write_cog
from rsedu.scenes.bands import S2
from rsedu.scenes.scene import Scene
from rsedu.synthetic.frontier import Frontier

QUICK = RetryPolicy(timeout_s=0.3, tries=3, pause_s=0.01)


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
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}  # to what is posted

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
        posted = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        path = urlsplit(self.path).path
        if path in self.web.answers:
            self.web.put_json(path, self.web.answers[path](posted))
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
def quick() -> RetryPolicy:
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


PLACE = Frontier(seed=5, size_m=6000)
WINDOW_M = (402_000.0, 8_896_000.0, 403_000.0, 8_897_000.0)  # west, south, east, north


@pytest.fixture(scope="session")
def optical() -> Scene:
    """What the optical items show, before it is stored."""
    return PLACE.optical(date=2023.5)


@pytest.fixture(scope="session")
def radar() -> Scene:
    """What the radar items show."""
    return PLACE.radar(date=2023.5)


@pytest.fixture(scope="session")
def cogs(
    tmp_path_factory: pytest.TempPathFactory, optical: Scene, radar: Scene
) -> dict[str, bytes]:
    """Files by band: digital numbers with the offset of baseline 05.00, and linear power."""
    folder, found = tmp_path_factory.mktemp("cogs"), {}
    for scene in (optical, radar.to_linear()):
        for name in scene.bands:
            gsd_m = S2[name].native_gsd_m if name in S2 else 10.0
            part = scene.select(name).resample(gsd_m=gsd_m)
            values = part.array
            if name in S2:
                values = np.round(values * 10_000 + 1000).astype(np.uint16)
            path = write_cog(
                folder / f"{name}.tif",
                values,
                names=[name],
                transform=part.transform,
                crs=part.crs,
            )
            found[name] = path.read_bytes()
    return found


def item(web: Web, name: str, bands: dict[str, str], **properties: Any) -> dict[str, Any]:
    """A STAC item whose assets lie on the server."""
    corners = [[-63.9, -9.99], [-63.8, -9.99], [-63.8, -9.9], [-63.9, -9.9], [-63.9, -9.99]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [corners]},
        "bbox": [-63.9, -9.99, -63.8, -9.9],
        "properties": {"datetime": "2023-07-01T14:00:00Z", **properties},
        "links": [],
        "assets": {band: {"href": f"{web.base}{path}"} for band, path in bands.items()},
    }


class Stac:
    """A STAC API with one optical and one radar item; tests change `items`."""

    def __init__(self, web: Web, cogs: dict[str, bytes]) -> None:
        self.web = web
        self.cogs = cogs
        for band, content in cogs.items():
            web.files[f"/cog/{band}.tif"] = content
        links = [
            {"rel": "self", "href": f"{web.base}/stac"},
            {"rel": "root", "href": f"{web.base}/stac"},
            {
                "rel": "search",
                "href": f"{web.base}/stac/search",
                "method": "POST",
                "type": "application/geo+json",
            },
        ]
        web.put_json(
            "/stac",
            {
                "type": "Catalog",
                "stac_version": "1.0.0",
                "id": "loopback",
                "description": "made by the synthetic frontier",
                "conformsTo": [
                    "https://api.stacspec.org/v1.0.0/core",
                    "https://api.stacspec.org/v1.0.0/item-search",
                ],
                "links": links,
            },
        )
        paths = {band: f"/cog/{band}.tif" for band in cogs}
        s2 = {band: path for band, path in paths.items() if band in S2}
        s1 = {band.lower(): path for band, path in paths.items() if band not in S2}
        cloud = {"eo:cloud_cover": 4.0, "s2:processing_baseline": "05.09"}
        self.items: dict[str, list[dict[str, Any]]] = {
            "sentinel-2-l2a": [item(web, "S2_CLEAR", s2, **cloud)],
            "sentinel-1-rtc": [item(web, "S1_NEAR", s1)],
        }
        self.posted: list[dict[str, Any]] = []
        self.next = False
        web.answers["/stac/search"] = self.search
        self.catalogue = Catalogue(url=f"{web.base}/stac")

    def search(self, posted: dict[str, Any]) -> dict[str, Any]:
        """Answer a search by its collection."""
        self.posted.append(posted)
        link = {
            "rel": "next",
            "href": f"{self.web.base}/stac/search",
            "method": "POST",
            "body": posted,
        }
        return {
            "type": "FeatureCollection",
            "features": self.items[posted["collections"][0]],
            "links": [link] if self.next else [],
        }

    @property
    def optical(self) -> dict[str, Any]:
        """The one optical item."""
        return self.items["sentinel-2-l2a"][0]

    @property
    def radar(self) -> dict[str, Any]:
        """The one radar item."""
        return self.items["sentinel-1-rtc"][0]


@pytest.fixture
def stac(web: Web, cogs: dict[str, bytes]) -> Stac:
    """The API, on the server of `web`."""
    return Stac(web, cogs)


@pytest.fixture
def request_() -> Query:
    """A kilometre of the place."""
    west, south, east, north = transform_bounds("EPSG:32720", "EPSG:4326", *WINDOW_M)
    return Query(bbox=(west, south, east, north), dates="2023-06-01/2023-08-31")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where results go; nothing else may appear beside it."""
    return tmp_path / "out" / "scene"
