"""The agent over HTTP: its event feed (`GET /api/events?after=SEQ&limit=N`) and pins (`POST /api/evidence-pins`)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from roi_tracker.errors import IntakeError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE_EVENTS = 5_000
TIMEOUT_S = 30.0
PINS_AT_ONCE = 100
"""What the agent takes in one request."""
_SUCCESS = 200
_CREATED = 201
_UNKNOWN = 404


class HttpFeed:
    """`ports.EventFeed` and `ports.EvidencePins` over HTTP.

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

    def pin(self, claim: str, keys: Sequence[str]) -> Sequence[str]:
        """Ask the agent to keep the events and images that a claim cites.

        A request with a key that the agent does not know pins nothing, so its keys are then asked one by one.
        """
        pinned: list[str] = []
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            for start in range(0, len(keys), PINS_AT_ONCE):
                batch = list(keys[start : start + PINS_AT_ONCE])
                if self._pinned(client, claim, batch):
                    pinned += batch
                elif len(batch) > 1:
                    pinned += [key for key in batch if self._pinned(client, claim, [key])]
        return pinned

    def _pinned(self, client: httpx.Client, claim: str, keys: list[str]) -> bool:
        """True when the agent keeps all of them, False when it does not know one."""
        try:
            answer = client.post(
                f"{self._address}/api/evidence-pins",
                json={"claim": claim, "keys": keys},
                headers=self._headers | {"accept": "application/json"},
            )
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the agent does not answer: {error}",
                field="feed",
                value=self._address,
                hint="is edge-agent running, and is this its address? The evidence is pinned on the next run",
            ) from error
        if answer.status_code == _UNKNOWN and b"no_such_event" in answer.content:
            return False
        if answer.status_code not in {_SUCCESS, _CREATED}:
            raise UnreachableError(
                f"the agent answered {answer.status_code} to a request to keep evidence",
                field="feed",
                value=self._address,
                hint="a 401 or 403 needs --token; a 404 is another service. The evidence is pinned on the next run",
            )
        return True
