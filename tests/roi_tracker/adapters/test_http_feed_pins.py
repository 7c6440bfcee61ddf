"""Pinning against an agent's answers over a real socket; the agent's own side is tested with the agent."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from roi_tracker.adapters.http_feed import PINS_AT_ONCE, HttpFeed
from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.errors import UnreachableError
from roi_tracker.ledger.books import books_of
from roi_tracker.ledger.entries import Claim, Draft
from roi_tracker.ledger.pinning import pin_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2025, 8, 1, tzinfo=UTC)


class Agent(ThreadingHTTPServer):
    """Knows every key but those that begin with `foreign`; keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.sent: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.refuse = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Agent

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.tokens.append(self.headers["authorization"])
        if self.server.refuse:
            self._say(self.server.refuse, {"error": {"code": "forbidden"}})
        elif self.path != "/api/evidence-pins":
            self._say(404, {"error": {"code": "not_found"}})
        elif any(key.startswith("foreign") for key in sent["keys"]):
            self._say(404, {"error": {"code": "no_such_event"}})
        else:
            self.server.sent.append(sent)
            self._say(201, {"changed": len(sent["keys"]), "unchanged": 0})

    def _say(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def agent() -> Iterator[Agent]:
    server = Agent()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_keys_go_in_batches_under_the_claims_name(agent: Agent) -> None:
    keys = [f"k{number}" for number in range(PINS_AT_ONCE + 1)]
    assert HttpFeed(agent.address, "secret").pin("case/1", keys) == keys
    assert [(sent["claim"], len(sent["keys"])) for sent in agent.sent] == [("case/1", PINS_AT_ONCE), ("case/1", 1)]
    assert set(agent.tokens) == {"Bearer secret"}


def test_a_key_of_another_agent_leaves_the_others_pinned(agent: Agent) -> None:
    assert HttpFeed(agent.address).pin("case/1", ["a", "foreign", "b"]) == ["a", "b"]
    assert HttpFeed(agent.address).pin("case/1", ["foreign"]) == []


def test_a_refusal_and_another_service_are_told(agent: Agent) -> None:
    agent.refuse = 403
    with pytest.raises(UnreachableError, match="answered 403"):
        HttpFeed(agent.address).pin("case/1", ["a"])
    agent.refuse = 0
    with pytest.raises(UnreachableError, match="answered 404"):
        HttpFeed(agent.address + "/else").pin("case/1", ["a"])


def test_nobody_there() -> None:
    with pytest.raises(UnreachableError, match="next run"):
        HttpFeed("http://127.0.0.1:9").pin("case/1", ["a"])


def test_what_could_not_be_pinned_is_pinned_on_the_next_run(agent: Agent, tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "roi.sqlite")

    def claim(*keys: str) -> Draft:
        body = Claim(benefit_id="x", first=date(2025, 8, 1), last=date(2025, 8, 1), evidence=keys, statement="s")
        return Draft("case", NOW, "quality", body)

    first, _ = ledger.append([claim("a", "foreign"), claim("b")])
    feed = HttpFeed(agent.address)
    agent.refuse = 503
    with pytest.raises(UnreachableError):
        pin_evidence(ledger, feed, "case", NOW, "controller")
    assert [len(one.evidence) for one in books_of(ledger.entries(), "case").unpinned] == [2, 1]
    agent.refuse = 0
    written = pin_evidence(ledger, feed, "case", NOW, "controller")
    assert [entry.body.evidence for entry in written] == [("a",), ("b",)]  # type: ignore[union-attr]  # pins
    (left,) = books_of(ledger.entries(), "case").unpinned
    assert (left.claim, left.evidence) == (f"case/{first.sha256[:16]}", ("foreign",))
    assert pin_evidence(ledger, feed, "case", NOW, "controller") == []
    ledger.close()
