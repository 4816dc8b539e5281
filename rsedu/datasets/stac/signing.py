"""Signatures of the Planetary Computer: asked for when a file is read, renewed when they expire."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from rsedu.errors import BrokenDataError
from rsedu.io.http import RetryPolicy, ask

TOKENS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
SIGNED_HOSTS = ".blob.core.windows.net"
_MARGIN = timedelta(minutes=1)  # a signature that is about to expire counts as expired


def _now() -> datetime:
    return datetime.now(UTC)


class Signer:
    """Signs the addresses of one collection.

    Args:
        collection: whose token is asked for.
        service: address that answers ``/COLLECTION`` with a token and its expiry.
        hosts: end of the host names that want a signature; others are left as they are.
        patience: how long to wait for the service.
        now: the time, UTC.
    """

    def __init__(
        self,
        collection: str,
        *,
        service: str = TOKENS,
        hosts: str = SIGNED_HOSTS,
        patience: RetryPolicy | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._address = f"{service}/{collection}"
        self._hosts = hosts
        self._patience = patience
        self._now = now
        self._token = ""
        self._until = datetime.fromtimestamp(0, UTC) + _MARGIN

    def __call__(self, address: str, *, renew: bool = False) -> str:
        """Return the address with a signature that holds for another minute at least.

        Args:
            address: of a file.
            renew: ask for a new signature, whatever the old one says.

        Raises:
            MissingDataError: the service cannot be reached.
            BrokenDataError: it answers with something else.
        """
        if not (urlsplit(address).hostname or "").endswith(self._hosts):
            return address
        if renew or self._now() >= self._until - _MARGIN:
            self._token, self._until = self._asked()
        return f"{address}{'&' if '?' in address else '?'}{self._token}"

    def _asked(self) -> tuple[str, datetime]:
        answer = ask(self._address, patience=self._patience)
        try:
            facts = json.loads(answer.body)
            until = datetime.fromisoformat(facts["msft:expiry"])
            return str(facts["token"]), until if until.tzinfo else until.replace(tzinfo=UTC)
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenDataError(
                f"{self._address} did not answer with a signature ({error!r}): try again later, "
                "or use another catalogue, such as earth-search."
            ) from error
