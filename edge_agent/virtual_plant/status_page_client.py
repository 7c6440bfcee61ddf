"""The calls of the agent's HTTP API that somebody outside the agent needs: its event feed, and giving a disposition."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from edge_agent.errors import UnreachableError
from edge_agent.events import decode_recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.events import RecordedEvent

PAGE_LIMIT = 500
TIMEOUT_S = 5.0


class StatusPage:
    """The status page's HTTP API.

    Args:
        url: the page's address, `http://host:port`.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def events_after(self, seq: int) -> Iterator[RecordedEvent]:
        """One page of the event feed.

        Raises:
            UnreachableError: the page does not answer now.
        """
        request = urllib.request.Request(f"{self._url}/api/events?after={seq}&limit={PAGE_LIMIT}")  # noqa: S310 - http to the status page
        for line in self._open(request).splitlines():
            if line.strip():
                yield decode_recorded(line)

    def dispose(self, body: dict[str, str]) -> None:
        """Post one disposition.

        Raises:
            UnreachableError: the page does not answer now, or refuses.
        """
        request = urllib.request.Request(  # noqa: S310 - http to the status page
            f"{self._url}/api/inspections/disposition",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Origin": self._url},
            method="POST",
        )
        self._open(request)

    def _open(self, request: urllib.request.Request) -> bytes:
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - see above
                return bytes(response.read())
        except urllib.error.HTTPError as refused:
            detail = refused.read(500).decode(errors="replace")
            raise UnreachableError(f"the status page refused: {refused.code} {detail}", field="url") from refused
        except OSError as error:
            raise UnreachableError(f"the status page does not answer: {error}", field="url", value=self._url) from error
