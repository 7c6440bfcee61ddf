"""The agent's event feed over HTTP: `GET {url}/api/events?after=SEQ&limit=N`, newline-delimited JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from roi_tracker.errors import IntakeError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE_EVENTS = 5_000
TIMEOUT_S = 30.0
_SUCCESS = 200


class HttpFeed:
    """`ports.EventFeed` over HTTP.

    Args:
        url: the agent's address, for example `http://127.0.0.1:8080`.
        token: machine token where the agent asks for one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise IntakeError(f"{url!r} is not the address of an agent", hint="for example http://127.0.0.1:8080")
        self._address = url.rstrip("/")
        self._headers = {"accept": "application/x-ndjson"} | ({"authorization": f"Bearer {token}"} if token else {})

    @property
    def address(self) -> str:
        """The agent's address, without a trailing slash."""
        return self._address

    def page(self, after: int) -> Sequence[bytes]:
        """One page of event lines; a proxy of the environment is not used, the agent is on the plant's own network."""
        try:
            with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = client.get(
                    f"{self._address}/api/events",
                    params={"after": after, "limit": PAGE_EVENTS},
                    headers=self._headers,
                )
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the agent's feed does not answer: {error}",
                field="feed",
                value=self._address,
                hint="is edge-agent running, and is this its address?",
            ) from error
        if answer.status_code != _SUCCESS:
            raise UnreachableError(
                f"the agent's feed answered {answer.status_code}",
                field="feed",
                value=self._address,
                hint="a 401 or 403 needs --token; a 404 is another service",
            )
        return answer.content.split(b"\n")
