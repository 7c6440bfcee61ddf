"""A simulated reviewer: looks at parts the agent asks about, errs now and then, and answers through the status page.

Run as `python -m edge_agent.virtual_plant.reviewer --url URL --truth FILE`; ends on SIGTERM or when its stdin closes.
He judges from the planted truth with his own error rates. The truth itself goes nowhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np

from edge_agent.errors import UnreachableError
from edge_agent.events import AuditDraw, Disposition, Inspection, Judgement, VerdictName
from edge_agent.virtual_plant.child_process import ended_by_parent
from edge_agent.virtual_plant.status_page_client import StatusPage
from edge_agent.virtual_plant.truth_file import PartTruth, TruthReader

_REMEMBERED = 1_000
"""Inspections in which a draw is looked up; it follows its inspection at once."""


class ReviewerSkill(msgspec.Struct, frozen=True):
    """How well a person sees, and how often he is asked beyond REVIEW verdicts.

    Attributes:
        sensitivity: share of defective parts he calls defective.
        specificity: share of good parts he calls good.
        audit_share: share of PASS and FAIL parts whose pictures he checks too.
    """

    sensitivity: float = 0.95
    specificity: float = 0.98
    audit_share: float = 0.0


class Reviewer:
    """Judges parts from the truth with errors, the same part always alike.

    Args:
        skill: error rates.
        seed: of his errors.
    """

    def __init__(self, skill: ReviewerSkill, seed: int) -> None:
        self._skill, self._seed = skill, seed

    def judge(self, truth: PartTruth) -> Judgement:
        """What he says about a part."""
        right = self._chance(truth.part_id, 0) < (
            self._skill.sensitivity if truth.defective else self._skill.specificity
        )
        return "defect" if truth.defective == right else "good"

    def wants(self, verdict: VerdictName, part_id: str) -> bool:
        """Whether he looks at a part: always at REVIEW, never at NO_VERDICT, else by his audit share."""
        if verdict in {"REVIEW", "NO_VERDICT"}:
            return verdict == "REVIEW"
        return self._chance(part_id, 1) < self._skill.audit_share

    def _chance(self, part_id: str, purpose: int) -> float:
        return float(np.random.default_rng([self._seed, purpose, *part_id.encode()]).random())


class ReviewRound:
    """Reads the feed where it stopped and answers what is open: REVIEW verdicts, and parts drawn for the blind audit; a
    part judged by anybody is not judged again.

    Args:
        page: where he reads and answers.
        reviewer: how well he sees.
        truths: what was planted.
        name: on his dispositions.
        leaves_s: seconds he leaves a part to others, so that a visitor finds some in the queue.
    """

    def __init__(
        self, page: StatusPage, reviewer: Reviewer, truths: TruthReader, name: str, *, leaves_s: float = 0.0
    ) -> None:
        self._page, self._reviewer, self._truths, self._name = page, reviewer, truths, name
        self._leaves_s = leaves_s
        self._seq = 0
        self._open: dict[str, tuple[Inspection, float]] = {}
        self._seen: dict[str, Inspection] = {}
        self.given = 0

    def run(self) -> None:
        """One look at the feed and at all open parts.

        Raises:
            UnreachableError: the page does not answer; the next round goes on where this one stopped.
        """
        while self._read_page():
            pass
        now_s = time.monotonic()
        for key, (inspection, seen_s) in list(self._open.items()):
            truth = self._truths.find(inspection.part_id)
            if truth is None or now_s - seen_s < self._leaves_s:
                continue
            judgement = self._reviewer.judge(truth)
            self._page.dispose(
                {
                    "inspection_key": key,
                    "judgement": judgement,
                    "reviewer": self._name,
                    "note": "simulated reviewer",
                    "defect_kind": truth.kind if judgement == "defect" else "",
                    "id": "1",
                }
            )
            del self._open[key]
            self.given += 1

    def _read_page(self) -> bool:
        before = self._seq
        for recorded in self._page.events_after(self._seq):
            body = recorded.event.body
            if isinstance(body, Inspection):
                self._seen[recorded.event.key] = body
                if len(self._seen) > _REMEMBERED:
                    self._seen.pop(next(iter(self._seen)))
                if self._reviewer.wants(body.verdict, body.part_id):
                    self._open[recorded.event.key] = (body, time.monotonic())
            elif isinstance(body, AuditDraw):
                self._drawn(body)
            elif isinstance(body, Disposition):
                self._open.pop(body.inspection_key, None)
            self._seq = recorded.seq
        return self._seq > before

    def _drawn(self, draw: AuditDraw) -> None:
        """A draw follows its inspection in the feed."""
        inspection = self._seen.get(draw.inspection_key)
        if inspection is not None:
            self._open.setdefault(draw.inspection_key, (inspection, time.monotonic()))


def main() -> None:
    """Review until told to end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True, help="status page, http://127.0.0.1:8080")
    parser.add_argument("--truth", type=Path, required=True, help="file of planted truths")
    parser.add_argument("--name", default="reviewer-sim", help="name on the dispositions")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two looks")
    parser.add_argument(
        "--audit-share", type=float, default=0.0, help="share of PASS and FAIL parts checked beside the audit"
    )
    parser.add_argument("--leaves", type=float, default=0.0, help="seconds a part is left to others first")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    stop = threading.Event()
    ended_by_parent(stop)
    reviewer = Reviewer(ReviewerSkill(audit_share=arguments.audit_share), arguments.seed)
    page, truths = StatusPage(arguments.url), TruthReader(arguments.truth)
    work = ReviewRound(page, reviewer, truths, arguments.name, leaves_s=arguments.leaves)
    while not stop.wait(arguments.every):
        try:
            work.run()
        except UnreachableError as error:
            print(error, file=sys.stderr, flush=True)  # noqa: T201 - this process' log
    print(json.dumps({"reviews": work.given}), flush=True)  # noqa: T201 - the process' one result


if __name__ == "__main__":
    main()
