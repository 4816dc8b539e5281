from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rsedu.datasets.stac.signing import SIGNED_HOSTS, TOKENS, Signer
from rsedu.errors import BrokenDataError
from rsedu.io.http import RetryPolicy

NOON = datetime(2023, 7, 1, 12, tzinfo=UTC)


def test_a_signature_is_asked_for_when_the_last_one_has_a_minute_left(
    web: Any, quick: RetryPolicy
) -> None:
    clock = [NOON]
    web.put_json("/t/s2", {"token": "sig=1", "msft:expiry": "2023-07-01T12:45:00Z"})
    sign = Signer("s2", service=f"{web.base}/t", hosts=".net", patience=quick, now=lambda: clock[0])
    assert not web.asked
    assert sign("https://a.net/x.tif") == "https://a.net/x.tif?sig=1"
    assert sign("https://a.net/x.tif?v=2") == "https://a.net/x.tif?v=2&sig=1"
    clock[0] = NOON + timedelta(minutes=43, seconds=59)
    sign("https://a.net/x.tif")
    assert len(web.asked) == 1
    web.put_json("/t/s2", {"token": "sig=2", "msft:expiry": "2023-07-01T13:45:00"})
    clock[0] = NOON + timedelta(minutes=44)
    assert sign("https://a.net/x.tif").endswith("?sig=2")
    assert len(web.asked) == 2
    sign("https://a.net/x.tif", renew=True)
    assert len(web.asked) == 3


def test_other_hosts_are_left_alone(web: Any, quick: RetryPolicy) -> None:
    sign = Signer("s2", service=f"{web.base}/t", patience=quick)
    assert sign("https://example.org/a.tif", renew=True) == "https://example.org/a.tif"
    assert not web.asked
    assert TOKENS.startswith("https://") and SIGNED_HOSTS == ".blob.core.windows.net"


@pytest.mark.parametrize("answer", [{}, [], {"token": "a"}, {"token": "a", "msft:expiry": "soon"}])
def test_what_is_no_signature_is_told(web: Any, quick: RetryPolicy, answer: object) -> None:
    web.put_json("/t/s2", answer)
    sign = Signer("s2", service=f"{web.base}/t", hosts=".net", patience=quick)
    with pytest.raises(BrokenDataError, match="did not answer with a signature"):
        sign("https://a.net/x.tif")
