from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from edge_agent import events as agent
from roi_tracker.adapters.http_feed import HttpFeed
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import IntakeError, UnreachableError
from roi_tracker.intake import follow_feed, import_lines, read_lines
from roi_tracker.observations import facts as f

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2025, 3, 1, tzinfo=UTC)


def line(seq: int, body: agent.Body, key: str | None = None) -> bytes:
    event = agent.Event(key or f"k{seq}", "l", START, body, "simulated")
    return agent.encode(agent.RecordedEvent(seq, START, "boot", seq, event))


def energy(kwh: float = 1.0) -> agent.Energy:
    return agent.Energy("electricity", START + timedelta(hours=1), kwh)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "roi.sqlite")
    yield opened
    opened.close()


def test_every_kind_is_translated_or_knowingly_ignored() -> None:
    later = START + timedelta(hours=8)
    bodies: list[agent.Body] = [
        agent.Production("a", "day", later, 10, 9, 1, planned_busy_s=1.0),
        agent.AuditCount("a", "day", "previous", "PASS", 10, 1),
        agent.Inspection("s", "p", "a", "FAIL", "r", "live"),
        agent.Disposition("k3", "defect", agrees=True, reviewer="r", stratum="audit_fail"),
        agent.Downtime("press", later, 60.0, planned=False),
        agent.MachineState("press", "producing"),
        energy(),
        agent.Labour("inspector", later, 8.0),
        agent.Escape("a", 2, "customer"),
        agent.ModeChange("s", "live"),
        agent.Gap("s", "e", 1, 2),
    ]
    batch = read_lines([line(n, body) for n, body in enumerate(bodies, start=1)], "x")
    assert [type(fact) for fact in batch.facts] == [
        f.ProductionFact, f.AuditFact, f.InspectedPart, f.JudgedPart, f.StopFact, f.MachineWatched, f.EnergyFact,
        f.LabourFact, f.EscapeFact, f.ModeFact,
    ]  # fmt: skip
    assert (batch.ignored, batch.last_seq) == (1, 11)
    assert {fact.origin for fact in batch.facts} == {"simulated"}
    assert batch.facts[0] == f.ProductionFact(
        key="k1", line="l", at=START, origin="simulated", end=later, product="a", shift="day", produced=10, inspected=9,
        rejected=1, planned_busy_s=1.0,
    )  # fmt: skip


def test_one_bad_line_refuses_all_and_each_is_named(store: SqliteStore) -> None:
    lines = [
        line(1, energy()),
        b"{not json",
        b"",
        line(3, energy(-1.0)),
        line(4, agent.Escape("a", 1, "x"))[:-9] + b"}",
    ]
    with pytest.raises(IntakeError) as caught:
        import_lines(lines, "export.jsonl", store)
    assert [row.line for row in caught.value.rows] == [2, 4, 5]
    assert "kwh is -1.0" in caught.value.rows[1].message
    assert store.fact_count() == 0


def test_importing_twice_adds_nothing(store: SqliteStore) -> None:
    lines = [line(1, energy()), line(2, energy())]
    first = import_lines(lines, "a", store)
    again = import_lines([*lines, line(3, energy())], "b", store)
    assert (first.added, first.duplicates) == (2, 0)
    assert (again.added, again.duplicates) == (1, 2)


class _Agent(BaseHTTPRequestHandler):
    pages: int = 0
    events = tuple(line(seq, energy()) for seq in (2, 3, 5, 8, 13))

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after = int(query["after"][0])
        found = [event for seq, event in zip((2, 3, 5, 8, 13), self.events, strict=True) if seq > after][:2]
        type(self).pages += 1
        body = b"".join(event + b"\n" for event in found)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def feed() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Agent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_feed_is_read_to_its_end_and_taken_up_where_it_stopped(store: SqliteStore, feed: str) -> None:
    _Agent.pages = 0
    done = follow_feed(HttpFeed(feed + "/"), store)
    assert (done.added, store.reached(feed), _Agent.pages) == (5, 13, 4)
    assert follow_feed(HttpFeed(feed), store).added == 0
    assert _Agent.pages == 5


def test_no_agent_there(store: SqliteStore) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers here
        with pytest.raises(UnreachableError, match="does not answer"):
            follow_feed(HttpFeed(f"http://127.0.0.1:{taken.getsockname()[1]}"), store)
    with pytest.raises(IntakeError, match="not the address"):
        HttpFeed("ftp://x")


def test_a_feed_that_does_not_move_is_refused(store: SqliteStore) -> None:
    class Stuck:
        address = "stuck"

        def page(self, after: int) -> list[bytes]:
            return [line(max(after, 1), energy(), key=f"again-{after}")]

    with pytest.raises(IntakeError, match="fresh tracker store"):
        follow_feed(Stuck(), store)
