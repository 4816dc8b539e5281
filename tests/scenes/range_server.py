"""A web server on the loopback that sends byte ranges of files and counts the bytes.

A program of its own: GDAL holds Python's lock while it reads, so a thread could not answer it.
Run as `python range_server.py FOLDER`; the first line printed is the port, /sent is the count.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
sent = 0


class RangeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        global sent
        asks_count = self.path == "/sent"
        content = str(sent).encode() if asks_count else (FOLDER / self.path[1:]).read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        stop = min(int(asked[2]) + 1, len(content)) if asked and asked[2] else len(content)
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(stop - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.end_headers()
        if with_body:
            sent += 0 if asks_count else stop - start
            self.wfile.write(content[start:stop])

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), RangeHandler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
