"""A raster far away, of which only the blocks that a window needs are fetched, and counted."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from rsedu.errors import BrokenDataError, RseduError
from rsedu.io.http import RetryPolicy, ask
from rsedu.io.web import RefusedError, without_query

_BLOCK = 1 << 14  # bytes: holds the header of most cloud-optimised GeoTIFFs
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@runtime_checkable
class Sign(Protocol):
    """Makes the address that a file is fetched from."""

    def __call__(self, address: str, *, renew: bool = False) -> str:
        """Return the signed address; renew: whatever was signed before has expired."""


def unsigned(address: str, *, renew: bool = False) -> str:
    """Return the address as it is: most catalogues need no signature."""
    return address


class Remote:
    """One file on a server that sends ranges.

    Attributes:
        address: without signature; also the name that GDAL sees.
        size: of the whole file, bytes.
        bytes_read: fetched so far.
        failure: what stopped the last fetch; GDAL only says that reading failed.

    Raises:
        MissingDataError: no network, or no such file.
        BrokenDataError: a web page, or a server that sends no ranges.
    """

    def __init__(
        self, address: str, *, sign: Sign = unsigned, patience: RetryPolicy | None = None
    ) -> None:
        self.address = address
        self.size = 0
        self.bytes_read = 0
        self.failure: RseduError | None = None
        self._sign = sign
        self._patience = patience
        self._etag: str | None = None
        self._blocks: dict[int, bytes] = {}
        self._fetch(0, 1)

    def part(self, start: int, stop: int) -> bytes:
        """Return bytes start to stop (excluded), cut to the file.

        Raises:
            MissingDataError: the network went away.
            BrokenDataError: the file changed, or what came is no part of it.
        """
        stop = min(stop, self.size)
        if start >= stop:
            return b""
        first, last = start // _BLOCK, (stop - 1) // _BLOCK + 1
        missing = [number for number in range(first, last) if number not in self._blocks]
        if missing:
            self._fetch(missing[0], missing[-1] + 1)
        whole = b"".join(self._blocks[number] for number in range(first, last))
        return whole[start - first * _BLOCK : stop - first * _BLOCK]

    def open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase | io.BytesIO:
        """Return the file for GDAL, which also asks for files beside it that aren't there."""
        return _File(self) if path == self.address else io.BytesIO()

    def _fetch(self, first: int, last: int) -> None:
        """Fetch blocks first to last (excluded); once more with a new signature if refused."""
        start, stop = first * _BLOCK, last * _BLOCK
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        try:
            answer = ask(self._sign(self.address), headers=headers, patience=self._patience)
        except RefusedError:
            again = self._sign(self.address, renew=True)
            answer = ask(again, headers=headers, patience=self._patience)
        content_range = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        came = len(answer.body)
        if (
            content_range is None
            or int(content_range[1]) != start
            or came != min(stop, int(content_range[3])) - start
        ):
            raise BrokenDataError(
                f"{without_query(self.address)} "
                f"was asked for bytes {start} to {stop - 1}, and answered "
                f"with {came} bytes ({answer.headers.get('Content-Range')}): try again later."
            )
        etag = answer.headers.get("ETag")
        if self._etag is not None and (etag != self._etag or int(content_range[3]) != self.size):
            raise BrokenDataError(
                f"{without_query(self.address)} changed on the server while it was read: "
                "start again."
            )
        self._etag, self.size = etag, int(content_range[3])
        self.bytes_read += came
        for number in range(first, last):
            at = (number - first) * _BLOCK
            self._blocks[number] = answer.body[at : at + _BLOCK]


class _File(io.RawIOBase):
    """A position in a Remote. An error raised here would get lost within GDAL, so it is kept."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._remote.size}[whence]
        self._at = max(origin + offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._remote.size if size < 0 else self._at + size
        if self._remote.failure is not None:
            return b""
        try:
            found = self._remote.part(self._at, stop)
        except RseduError as error:
            self._remote.failure = error
            return b""
        self._at += len(found)
        return found


@contextmanager
def explain_error(remote: Remote) -> Iterator[None]:
    """Let the failure of a remote file be the error, not what GDAL makes of it."""
    try:
        yield
    except RseduError as error:
        if remote.failure is None:
            raise
        raise remote.failure from error
    if remote.failure is not None:
        raise remote.failure
