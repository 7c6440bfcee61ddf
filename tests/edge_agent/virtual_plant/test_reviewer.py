"""The simulated reviewer: errs at his rates, asks and answers over HTTP, judges no part twice."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from edge_agent.errors import UnreachableError
from edge_agent.events import AuditDraw, Disposition, Event, Inspection, RecordedEvent, VerdictName, encode
from edge_agent.virtual_plant.reviewer import Reviewer, ReviewerSkill, ReviewRound
from edge_agent.virtual_plant.status_page_client import StatusPage
from edge_agent.virtual_plant.truth_file import PartTruth, TruthReader, TruthWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def _recorded(seq: int, body: Inspection | Disposition | AuditDraw, key: str) -> RecordedEvent:
    return RecordedEvent(seq, NOW, "boot", seq, Event(key, "press-1", NOW, body))


def _inspection(seq: int, part_id: str, verdict: VerdictName) -> RecordedEvent:
    body = Inspection("camera", part_id, "bracket-a", verdict, "test", "live", score=1.0)
    return _recorded(seq, body, f"inspection/{part_id}")


class Feed(ThreadingHTTPServer):
    """A status page of which only the feed and the disposition call exist."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[RecordedEvent] = []
        self.posted: list[dict[str, str]] = []
        self.origins: list[str | None] = []
        self.refuse = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Feed

    def do_GET(self) -> None:
        after = int(parse_qs(urlsplit(self.path).query)["after"][0])
        lines = [encode(event) + b"\n" for event in self.server.events if event.seq > after]
        self._answer(200, b"".join(lines[:2]))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refuse:
            self._answer(503, b'{"error": {"code": "store_busy"}}')
            return
        self.server.posted.append(body)
        self.server.origins.append(self.headers["Origin"])
        self._answer(200, b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        pass

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def feed() -> Iterator[Feed]:
    server = Feed()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _round(feed: Feed, truth: Path, **skill: float) -> ReviewRound:
    perfect = {"sensitivity": 1.0, "specificity": 1.0, **skill}
    return ReviewRound(StatusPage(feed.url), Reviewer(ReviewerSkill(**perfect), 1), TruthReader(truth), "sim")


def _truths(path: Path, *truths: PartTruth) -> Path:
    writer = TruthWriter(path)
    for truth in truths:
        writer.add(truth)
    writer.close()
    return path


def test_he_errs_at_his_rates_and_always_alike() -> None:
    reviewer = Reviewer(ReviewerSkill(sensitivity=0.9, specificity=0.8), seed=3)
    bad = [reviewer.judge(PartTruth(f"bad-{n}", "dent", 0.5)) for n in range(2_000)]
    good = [reviewer.judge(PartTruth(f"good-{n}")) for n in range(2_000)]
    # standard errors 0.0067 and 0.0089
    assert bad.count("defect") / 2_000 == pytest.approx(0.9, abs=0.025)
    assert good.count("good") / 2_000 == pytest.approx(0.8, abs=0.03)
    assert [reviewer.judge(PartTruth(f"good-{n}")) for n in range(50)] == good[:50]


def test_he_answers_reviews_from_the_truth_over_several_pages(feed: Feed, tmp_path: Path) -> None:
    feed.events = [
        _inspection(1, "a", "REVIEW"),
        _inspection(2, "b", "PASS"),
        _inspection(3, "c", "REVIEW"),
        _inspection(5, "d", "NO_VERDICT"),
    ]
    truth = _truths(tmp_path / "t", PartTruth("a", "burr", 0.4), PartTruth("b"), PartTruth("c"), PartTruth("d"))
    work = _round(feed, truth)
    work.run()
    work.run()
    assert [(post["inspection_key"], post["judgement"], post["defect_kind"]) for post in feed.posted] == [
        ("inspection/a", "defect", "burr"),
        ("inspection/c", "good", ""),
    ]
    assert work.given == 2
    assert set(feed.origins) == {feed.url}


def test_he_leaves_what_somebody_else_judged(feed: Feed, tmp_path: Path) -> None:
    disposition = Disposition("inspection/a", "good", None, "operator")
    feed.events = [_inspection(1, "a", "REVIEW"), _recorded(2, disposition, "disposition/a")]
    _round(feed, _truths(tmp_path / "t", PartTruth("a"))).run()
    assert feed.posted == []


def test_an_audit_share_of_one_looks_at_everything_with_a_verdict(feed: Feed, tmp_path: Path) -> None:
    feed.events = [_inspection(1, "a", "PASS"), _inspection(2, "b", "FAIL"), _inspection(3, "c", "NO_VERDICT")]
    truth = _truths(tmp_path / "t", PartTruth("a"), PartTruth("b"), PartTruth("c"))
    _round(feed, truth, audit_share=1.0).run()
    assert [post["inspection_key"] for post in feed.posted] == ["inspection/a", "inspection/b"]


def test_he_judges_parts_drawn_for_the_blind_audit(feed: Feed, tmp_path: Path) -> None:
    draw = AuditDraw("inspection/b", "camera", "bracket-a", "PASS", 0.05, "seed", 0.5)
    feed.events = [
        _inspection(1, "a", "PASS"),
        _inspection(2, "b", "PASS"),
        _recorded(3, draw, "audit_draw/inspection/b"),
    ]
    truth = _truths(tmp_path / "t", PartTruth("a", "burr", 0.4), PartTruth("b", "burr", 0.4))
    _round(feed, truth).run()
    assert [(post["inspection_key"], post["judgement"]) for post in feed.posted] == [("inspection/b", "defect")]


def test_a_refused_disposition_is_given_again(feed: Feed, tmp_path: Path) -> None:
    feed.events = [_inspection(1, "a", "REVIEW")]
    work = _round(feed, _truths(tmp_path / "t", PartTruth("a")))
    feed.refuse = True
    with pytest.raises(UnreachableError, match=r"503.*store_busy"):
        work.run()
    feed.refuse = False
    work.run()
    assert len(feed.posted) == 1


def test_a_part_whose_truth_is_not_written_yet_waits(feed: Feed, tmp_path: Path) -> None:
    feed.events = [_inspection(1, "a", "REVIEW")]
    work = _round(feed, tmp_path / "t")
    work.run()
    assert feed.posted == []
    (tmp_path / "t").write_bytes(b'{"part_id": "a", "kind": "de')
    work.run()
    assert feed.posted == []
    (tmp_path / "t").write_bytes(b'{"part_id": "a", "kind": "dent", "severity": 0.5}\n')
    work.run()
    assert [post["judgement"] for post in feed.posted] == ["defect"]


def test_a_page_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        list(StatusPage("http://127.0.0.1:9").events_after(0))
