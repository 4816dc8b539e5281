"""Files from the web: fetched in pieces if need be, checked, and whole or not there at all."""

import errno
import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TypeVar

from rsedu.errors import BrokenDataError, InputError, MissingDataError, RseduError
from rsedu.io.locks import locked
from rsedu.io.progress_bar import progress_bar
from rsedu.io.web import (
    NothingMissingError,
    RetryableError,
    quoted,
    refused,
    unreachable,
    without_query,
)

T = TypeVar("T")
_CHUNK = 1 << 18  # bytes
_GOES_ON = "; it goes on where it ended"  # which is true of files only


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long a download waits, and how often it tries.

    Attributes:
        timeout_s: seconds without a byte after which a server counts as stalled.
        tries: how often it is asked in all, 1 or more.
        pause_s: seconds before the second try; doubled before each further one.
    """

    timeout_s: float = 20.0
    tries: int = 4
    pause_s: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server sent.

    Attributes:
        status: 200, or 206 for a part.
        headers: by name; upper and lower case are the same.
        body: all bytes that were announced.
    """

    status: int
    headers: Message
    body: bytes


def download(
    address: str,
    path: Path,
    *,
    digest: str | None = None,
    size: int | None = None,
    patience: RetryPolicy | None = None,
) -> Path:
    """Return a file, downloaded where it is not there yet.

    What was cut off stays beside it as ``NAME.part`` and goes on where it ended, unless the server
    says that the file changed. It gets its name only once its length and its digest fit. Of several
    processes that want one file, one downloads it and the others say that they wait; as long as
    that lasts, ``NAME.lock`` is beside it, and after a crash it may stay, which holds nobody up.

    Args:
        address: http or https.
        path: of the file; its folder is made when missing.
        digest: "sha256:..." or "md5:..."; the first digits are enough; None: not known.
        size: bytes; None: not known.
        patience: how long to wait, how often to try.

    Raises:
        MissingDataError: there is no network, or no such file.
        BrokenDataError: what came is not the file; it was deleted.
        InputError: no address of the web, the folder cannot be written, or the disk is too small.
    """
    if path.is_file():
        return path
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(lock, lambda: _say_waiting(path.name)):
            if not path.is_file():  # another process may have downloaded it meanwhile
                _fetch_whole(address, path, digest, size, patience or RetryPolicy())
    except RseduError:
        raise
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def ask(
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    patience: RetryPolicy | None = None,
) -> Answer:
    """Return what a server answers, whole, in memory: a few bytes of a file, or a small text.

    Args:
        address: http or https.
        headers: of the request. With ``Range``, only a part is taken for an answer.
        body: posted, if there is one.
        patience: how long to wait, how often to try.

    Raises:
        RefusedError: the server denies it (401, 403).
        MissingDataError: there is no network, or no such file.
        BrokenDataError: a web page came, or the whole file in place of a part.
        InputError: no address of the web.
    """
    patience = patience or RetryPolicy()
    request = urllib.request.Request(quoted(address), data=body, headers=dict(headers or {}))

    def once() -> Answer:
        with _opened(address, request, patience.timeout_s, "") as answer:
            _check_kind(address, answer)
            if request.has_header("Range") and answer.status != 206:
                raise BrokenDataError(
                    f"The server of {without_query(address)} "
                    "sends whole files only, and this one is read "
                    "in parts: choose another catalogue, or download the file."
                )
            came = b""
            while chunk := _chunk(answer, patience.timeout_s):
                came += chunk
        announced = answer.headers.get("Content-Length")
        if announced and len(came) < int(announced):
            raise RetryableError(f"the connection ended after {len(came)} of {announced} bytes")
        return Answer(status=answer.status, headers=answer.headers, body=came)

    return _patiently(address, once, patience, "")


def digest_of(path: Path, kind: str = "sha256") -> str:
    """Return a file's digest with its kind in front, as `download` takes it."""
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, kind).hexdigest()}"


def _patiently(address: str, once: Callable[[], T], patience: RetryPolicy, advice: str) -> T:
    """Try until it is there, or it is hopeless."""
    for attempt in range(1, patience.tries + 1):
        try:
            return once()
        except RetryableError as error:
            if attempt == patience.tries:
                raise MissingDataError(
                    f"{without_query(address)} could not be downloaded: {error}, {attempt} times. "
                    f"Try again later{advice}."
                ) from error
        time.sleep(patience.pause_s * 2 ** (attempt - 1))
    raise AssertionError("tries is 1 or more")


def _say_waiting(name: str) -> None:
    said = f"{name}: another process is downloading it; waiting"
    progress_bar(total=1, desc=said, bar_format="{desc}").close()


def _fetch_whole(
    address: str, path: Path, digest: str | None, size: int | None, patience: RetryPolicy
) -> None:
    """Download under another name, and give the file its own once it is checked."""
    part = path.with_name(path.name + ".part")
    _fetch(address, part, size, patience)
    _check(address, part, digest, size)
    os.replace(part, path)
    _stamp(part).unlink(missing_ok=True)


def _fetch(address: str, part: Path, size: int | None, patience: RetryPolicy) -> None:
    def rest() -> None:
        _fetch_rest(address, part, size, patience.timeout_s)

    _patiently(address, rest, patience, _GOES_ON)


def _fetch_rest(address: str, part: Path, size: int | None, timeout_s: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have == size:
        return
    try:
        with _opened(address, _request(address, part, have), timeout_s, _GOES_ON) as answer:
            _take(address, answer, part, have, size, timeout_s)
    except NothingMissingError:
        if not have:
            raise


def _opened(
    address: str, request: urllib.request.Request, timeout_s: float, advice: str
) -> http.client.HTTPResponse:
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            raise refused(address, error) from error
    except (OSError, http.client.HTTPException) as why:
        raise unreachable(address, why, timeout_s, advice) from why
    return answer


def _request(address: str, part: Path, have: int) -> urllib.request.Request:
    """Ask for what is missing, of the same version of the file."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    stamp = _stamp(part)
    version = stamp.read_text(encoding="utf-8") if have and stamp.exists() else ""
    if version.startswith('"'):  # servers compare by strong ETags only
        headers["If-Range"] = version
    return urllib.request.Request(quoted(address), headers=headers)


def _take(
    address: str,
    answer: http.client.HTTPResponse,
    part: Path,
    have: int,
    size: int | None,
    timeout_s: float,
) -> None:
    """Write what comes behind what is there, or from the start."""
    _check_kind(address, answer)
    version, stamp = _version(answer), _stamp(part)
    goes_on = answer.status == 206
    if goes_on and stamp.exists() and version not in ("", stamp.read_text(encoding="utf-8")):
        part.unlink()
        stamp.unlink()
        raise RetryableError("the file changed on the server between two parts")
    start = have if goes_on else 0
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length else size
    _check_space(part, (total or 0) - start)
    if version:
        stamp.write_text(version, encoding="utf-8")
    elif not goes_on:
        stamp.unlink(missing_ok=True)
    _write(answer, part, start, total, timeout_s)
    came = part.stat().st_size
    if total is not None and came < total:
        raise RetryableError(f"the connection ended after {came} of {total} bytes")
    if length and total is not None and came > total:  # no answer is longer than it says
        part.unlink()
        stamp.unlink(missing_ok=True)
        raise BrokenDataError(
            f"{part} grew to {came} bytes, of {total}: another download writes the same file. It "
            "was deleted; wait for the other one, then try again."
        )


def _version(answer: http.client.HTTPResponse) -> str:
    """What tells this version of a file from others: its ETag, else its date, else nothing."""
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""


def _check_kind(address: str, answer: http.client.HTTPResponse) -> None:
    kind = answer.headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        raise BrokenDataError(
            f"{without_query(address)} "
            f"sent a web page ({kind}) in place of the file: a sign-in page of "
            "this network, perhaps; open it in a browser, then try again."
        )


def _write(
    answer: http.client.HTTPResponse, part: Path, start: int, total: int | None, timeout_s: float
) -> None:
    with (
        part.open("ab" if start else "wb") as file,
        progress_bar(
            total=total, initial=start, unit="B", unit_scale=True, desc=part.stem
        ) as shown,
    ):
        while chunk := _chunk(answer, timeout_s):
            file.write(chunk)
            shown.update(len(chunk))


def _chunk(answer: http.client.HTTPResponse, timeout_s: float) -> bytes:
    try:
        return answer.read1(_CHUNK)
    except TimeoutError as error:
        raise RetryableError(f"the server sent nothing for {timeout_s:g} s") from error
    except (OSError, http.client.HTTPException) as error:  # of TLS and routes too: not of the disk
        raise RetryableError(f"the connection broke ({error})") from error


def _check_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise InputError(
            f"{part.stem} needs {needed / 1e6:.1f} MB more, and {part.parent} has "
            f"{free / 1e6:.1f} MB free: make room, or choose another folder."
        )


def _check(address: str, part: Path, digest: str | None, size: int | None) -> None:
    came = part.stat().st_size
    wrong = f"{came} bytes where {size} were expected" if size not in (None, came) else ""
    if not wrong and digest is not None:
        found = digest_of(part, digest.split(":", 1)[0])
        kind = {"sha256": "SHA-256", "md5": "MD5"}.get(digest.split(":", 1)[0], "digest")
        wrong = "" if found.startswith(digest) else f"another {kind} than expected"
    if wrong:
        part.unlink()
        _stamp(part).unlink(missing_ok=True)
        raise BrokenDataError(
            f"What came from {without_query(address)} has "
            f"{wrong}; it was deleted. Download it again; if it "
            "happens twice, the file changed or the network alters it."
        )


def _stamp(part: Path) -> Path:
    """Where the server's name for this version of the file is kept, see `_version`."""
    return part.with_name(part.name + ".etag")


def _unwritable(path: Path, error: OSError) -> InputError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = "the disk is full: make room" if full else f"{error.strerror or error}"
    return InputError(
        f"{path} cannot be written: {why}, or choose another folder that can be written."
    )
