"""Addresses of the web, and what goes wrong with them, in words."""

import http.client
import socket
import ssl
import string
import urllib.error
from urllib.parse import quote, urlsplit, urlunsplit

from rsedu.errors import InputError, MissingDataError

_PASSING = (408, 425, 429, 500, 502, 503, 504)  # states of a server that may be over soon


class RefusedError(MissingDataError):
    """The server knows the address and denies it: no account, or a signature that expired."""


class NothingMissingError(MissingDataError):
    """The part that is asked for begins at the file's end."""


class RetryableError(Exception):
    """Something that may be over at the next try."""


def quoted(address: str) -> str:
    """Return an address as it is sent: letters beyond ASCII in its path and query are quoted.

    Raises:
        InputError: it is no address of the web; nothing was asked.
    """
    try:
        parts = urlsplit(address)
        host, _ = (parts.hostname or "").encode("idna"), parts.port  # raises, like the port
    except ValueError:
        host = b""
    spaced = any(letter.isspace() or not letter.isprintable() for letter in address)
    if not host or spaced or parts.scheme not in ("http", "https"):
        raise InputError(
            f"{without_query(address)!r} "
            "is no address of the web; wanted http:// or https://, a server, a "
            "port that is a number if there is one, and no spaces (%20 in their place)."
        )
    path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
    return urlunsplit(parts._replace(path=path, query=query))


def without_query(address: str) -> str:
    """Return an address without its query, which may hold a signature that is nobody's business."""
    return address.partition("?")[0]


def refused(address: str, error: urllib.error.HTTPError) -> Exception:
    """What to raise where a server answers with an error: worth another try, or not."""
    if error.code in _PASSING:
        return RetryableError(f"the server answered {error.code} ({error.reason})")
    if error.code == 416:
        return NothingMissingError(
            f"{without_query(address)} ends before the bytes that were asked for."
        )
    advice = {
        401: "it wants an account",
        403: "access is refused; a signed address may have expired: ask for a new one",
        404: "there is no such file: check the address, or look for a newer version of the kit",
    }.get(error.code, "check the address")
    kind = RefusedError if error.code in (401, 403) else MissingDataError
    return kind(
        f"{without_query(address)} "
        f"could not be downloaded: the server answered {error.code}; {advice}."
    )


def unreachable(address: str, error: Exception, timeout_s: float, advice: str) -> Exception:
    """What to raise where no server answers, or the way to it breaks; advice ends its sentence."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return RetryableError(f"the server did not answer within {timeout_s:g} s")
    if isinstance(reason, socket.gaierror):
        what = "the name of its server is not known here"
    elif isinstance(reason, ConnectionRefusedError):
        what = "the connection was refused"
    elif isinstance(reason, ssl.SSLCertVerificationError):
        what = f"its server cannot prove who it is ({reason.strerror or reason})"
    elif isinstance(reason, OSError | http.client.HTTPException):
        return RetryableError(f"the connection broke ({reason})")
    else:
        what = str(reason)
    return MissingDataError(
        f"{without_query(address)} "
        f"could not be downloaded: {what}. Connect to the internet and try "
        f"again{advice}."
    )
