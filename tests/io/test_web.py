"""What an address is, and how its failures are told."""

import errno
import http.client
import socket
import ssl
import urllib.error
from email.message import Message

import pytest

from rsedu.errors import InputError, MissingDataError
from rsedu.io.web import (
    NothingMissingError,
    RefusedError,
    RetryableError,
    quoted,
    refused,
    unreachable,
    without_query,
)


def test_letters_beyond_ascii_are_quoted_and_others_left() -> None:
    there = "http://h:8/%C3%A9/a~(1)+b;c=d,e?sig=a%2Fb+c&x=[1]:$"
    assert quoted(there) == there
    assert quoted("https://h/é?q=ü") == "https://h/%C3%A9?q=%C3%BC"


def test_what_is_no_address_is_told_without_its_query() -> None:
    with pytest.raises(InputError, match=r"'s3://bucket/x\.tif' is no address") as raised:
        quoted("s3://bucket/x.tif?signature=secret")
    assert "secret" not in str(raised.value)
    assert without_query("https://h/x?sig=1?2") == "https://h/x"


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (503, RetryableError, "the server answered 503"),
        (429, RetryableError, "the server answered 429"),
        (416, NothingMissingError, "ends before the bytes that were asked for"),
        (401, RefusedError, "it wants an account"),
        (403, RefusedError, "may have expired"),
        (404, MissingDataError, "there is no such file"),
        (400, MissingDataError, "check the address"),
    ],
)
def test_an_answer_of_a_server_is_worth_another_try_or_not(
    code: int, kind: type[Exception], says: str
) -> None:
    error = urllib.error.HTTPError("https://h/x", code, "why", Message(), None)
    found = refused("https://h/x?sig=secret", error)
    assert type(found) is kind and says in str(found) and "secret" not in str(found)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (TimeoutError(), RetryableError, "did not answer within 3 s"),
        (urllib.error.URLError(TimeoutError()), RetryableError, "did not answer within 3 s"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), RetryableError, "No route to host"),
        (ssl.SSLError("bad record"), RetryableError, "the connection broke"),
        (http.client.BadStatusLine("?"), RetryableError, "the connection broke"),
        (urllib.error.URLError(socket.gaierror()), MissingDataError, "not known here"),
        (ConnectionRefusedError(), MissingDataError, "the connection was refused"),
        (ssl.SSLCertVerificationError("self-signed"), MissingDataError, "prove who it is"),
    ],
)
def test_a_server_that_is_not_reached(error: Exception, kind: type[Exception], says: str) -> None:
    found = unreachable("https://h/x", error, 3.0, "; it goes on")
    assert type(found) is kind and says in str(found)
    if kind is MissingDataError:
        assert str(found).endswith("Connect to the internet and try again; it goes on.")
