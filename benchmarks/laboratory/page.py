"""The docs page's tables, made of the committed results: no figure of it is typed by hand.

    python -m benchmarks.laboratory.page [--check]

Each block of the page stands between `<!-- laboratory: name -->` and `<!-- /laboratory -->`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.laboratory.experiments import (
    ANYTIME,
    BEFORE_AFTER,
    CONTROLS,
    MISREAD,
    NEWEY_WEST,
    REGRESSION,
    SERIES,
    SHRUNK,
)
from benchmarks.laboratory.inspections import AUDITS, COST, COST_TWICE, RECORDED, STRATA
from benchmarks.laboratory.results import Count, read_results
from benchmarks.laboratory.running import EFFECTS, SHORT
from benchmarks.laboratory.scenarios import RHOS
from benchmarks.laboratory.stoppages import TOGETHER, UNPLANNED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.laboratory.results import Results, Row
    from benchmarks.laboratory.scoring import Rate

ROOT = Path(__file__).parents[2]
PAGES = {
    "en": ROOT / "docs/report/why-before-after-is-wrong.md",
    "ko": ROOT / "docs/report/why-before-after-is-wrong.ko.md",
}
WORDS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("page.toml").read_text(encoding="utf-8"))
NOMINAL = 0.05
MOVED = "a third of the stops moved into the plan"
BETTER, WORSE = "better inspection, same process", "worse inspection, same process"
IMPROVED, ERRING = "better inspection, better process", "better inspection, reviewers err"
_BLOCK = re.compile(r"(<!-- laboratory: (\w+) -->\n).*?(\n<!-- /laboratory -->)", re.DOTALL)


class Page:
    """The blocks of one language."""

    def __init__(self, results: Results, words: dict[str, Any]) -> None:
        self._results, self._words = results, words

    def blocks(self) -> dict[str, str]:
        """Text of each block, without its marks."""
        return {
            "null": self._null(),
            "luck": self._luck(),
            "inspection": self._inspection(),
            "closing": self._closing(),
            "power": self._power(),
            "fails": self._fails(),
        }

    def _null(self) -> str:
        rows = [
            f"| {label} | {' | '.join(self._stops() if name == 'stops' else self._claims(name))} |"
            for name, label in self._words["null"].items()
        ]
        return _table(self._words["null_head"], rows)

    def _claims(self, scenario: str) -> list[str]:
        """Claims of nothing by each method; ours with whatever helps it."""
        cells = [_share(self._rate("no effect", scenario, one)) for one in (BEFORE_AFTER, REGRESSION, NEWEY_WEST)]
        own = self._rate("no effect", scenario, SERIES)
        if self._has("no effect", scenario, SHRUNK):
            told = self._rate("no effect", scenario, SHRUNK)
            return [*cells, self._say("chosen", told=_marked(told), hidden=_marked(own))]
        if not self._has("no effect", scenario, CONTROLS):
            return [*cells, _marked(own)]
        helped = self._rate("no effect", scenario, CONTROLS)
        return [*cells, _marked(own) + self._say("help", rate=_marked(helped))]

    def _stops(self) -> list[str]:
        before, alone, ours = (self._rate("stops", MOVED, one) for one in (BEFORE_AFTER, UNPLANNED, TOGETHER))
        return [_share(before), "-", "-", self._say("stops", rate=_marked(ours), alone=_share(alone))]

    def _luck(self) -> str:
        scenario = "worst 3 of 20 chosen"
        gain = _points(self._results.of("no effect", scenario, BEFORE_AFTER).bias)
        return self._say("luck", gain=gain, controls=_share(self._rate("no effect", scenario, CONTROLS)))

    def _inspection(self) -> str:
        rows = [
            self._say(
                key,
                recorded=_signed(self._of(scenario, RECORDED).bias),
                claims=_share(self._of(scenario, RECORDED).claims.rate),
                audited=_signed(self._of(scenario, AUDITS).bias),
                false=_share(self._of(scenario, AUDITS).claims.rate),
            )
            for key, scenario in (("inspection_better", BETTER), ("inspection_worse", WORSE))
        ]
        text = self._say(
            "inspection_text",
            strata=self._between(_points(self._of(one, STRATA).bias) for one in (BETTER, WORSE, IMPROVED)),
            cost=self._between(_tenths(self._of(one, COST).bias) for one in (BETTER, WORSE, IMPROVED)),
            err=_points(self._of(ERRING, COST).bias),
            twice=_points(self._of(ERRING, COST_TWICE).bias),
        )
        return f"{_table(self._words['inspection_head'], rows)}\n\n{text}"

    def _closing(self) -> str:
        every = self._results.parts("closing date", SERIES)
        rows: list[str] = []
        for rho in RHOS:
            of_rho = [row for row in every if f"rho {rho}," in row.scenario]
            kinds = [row.covers.rate.value for row in of_rho]
            limits = self._say("to", low=f"{100 * min(kinds):.1f}", high=f"{100 * max(kinds):.1f}")
            false = _summed(row.claims for row in of_rho if row.scenario.endswith("effect 0%"))
            rows.append(f"| {rho:g} | {_one(_summed(row.covers for row in of_rho))} | {limits} | {_one(false)} |")
        looks = {one: self._results.parts("52 weekly looks", one) for one in (BEFORE_AFTER, MISREAD, ANYTIME)}
        slow = {one: self._results.of("effect", "autocorrelation 0.8", one) for one in (BEFORE_AFTER, REGRESSION)}
        hac = self._results.of("effect", "autocorrelation 0.8", NEWEY_WEST)
        text = self._say(
            "closing_text",
            plants=self._results.plants,
            naive=_whole(slow[BEFORE_AFTER].covers.rate),
            glm=_whole(slow[REGRESSION].covers.rate),
            hac=_whole(hac.covers.rate),
            weekly_naive=self._between(_whole(row.covers.rate) for row in looks[BEFORE_AFTER]),
            weekly_misread=self._between(_whole(row.covers.rate) for row in looks[MISREAD]),
            weekly_ours=self._between(_whole(row.covers.rate) for row in looks[ANYTIME]),
            weekly_false=self._between(
                _whole(row.claims.rate) for row in looks[ANYTIME] if row.scenario.endswith("effect 0%")
            ),
        )
        return f"{_table(self._words['closing_head'], rows)}\n\n{text}"

    def _power(self) -> str:
        asked = ((SHORT[0], SERIES), (SHORT[1], SERIES), (SHORT[1], ANYTIME))
        rows = [
            f"| {label} | {' | '.join(self._found(days, method))} |"
            for label, (days, method) in zip(self._words["power_rows"], asked, strict=True)
        ]
        return _table(self._words["power_head"], rows)

    def _found(self, days: int, method: str) -> list[str]:
        return [_whole(self._rate("power", f"{days} days, effect {effect:.0%}", method)) for effect in EFFECTS]

    def _fails(self) -> str:
        months = [self._results.of(part, "conditions that last for months", SERIES) for part in ("no effect", "effect")]
        return self._say(
            "fails",
            common=_share(self._rate("no effect", "change on all lines", SERIES)),
            season=_share(self._rate("no effect", "season, 90 days known", SERIES)),
            drift=_share(self._rate("no effect", "trend before go-live", SERIES)),
            own=_share(self._rate("no effect", "treated lines drift alone", SERIES)),
            own_controls=_share(self._rate("no effect", "treated lines drift alone", CONTROLS)),
            months=self._between(_whole(row.covers.rate) for row in months),
            contaminated=_points(self._results.of("effect", "contaminated controls", CONTROLS).bias),
            err=_points(self._of(ERRING, COST).bias),
        )

    def _of(self, scenario: str, method: str) -> Row:
        return self._results.of("inspection", scenario, method)

    def _rate(self, part: str, scenario: str, method: str) -> Rate:
        return self._results.of(part, scenario, method).claims.rate

    def _has(self, part: str, scenario: str, method: str) -> bool:
        return any(row.scenario == scenario for row in self._results.parts(part, method))

    def _say(self, key: str, **places: object) -> str:
        return str(self._words[key]).format(**places)

    def _between(self, figures: Iterable[str]) -> str:
        found = sorted(figures, key=float)
        return found[0] if found[0] == found[-1] else self._say("to", low=found[0], high=found[-1])


def _table(head: str, rows: Sequence[str]) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *rows])


def _summed(counts: Iterable[Count]) -> Rate:
    every = list(counts)
    return Count(sum(one.hits for one in every), sum(one.trials for one in every)).rate


def _whole(rate: Rate) -> str:
    return f"{100 * rate.value:.0f}"


def _one(rate: Rate) -> str:
    return f"{100 * rate.value:.1f} %"


def _share(rate: Rate) -> str:
    return f"{100 * rate.value:.0f} ({100 * rate.low:.0f}-{100 * rate.high:.0f})"


def _marked(rate: Rate) -> str:
    """Bold where ours breaks its promise by more than chance."""
    return f"**{_share(rate)}**" if rate.low > NOMINAL else _share(rate)


def _points(bias: float) -> str:
    return f"{100 * abs(bias):.0f}"


def _tenths(bias: float) -> str:
    return f"{100 * abs(bias):.1f}"


def _signed(bias: float) -> str:
    return f"{100 * bias:+.0f}"


def rendered(text: str, blocks: dict[str, str]) -> str:
    """A page with its blocks written anew.

    Raises:
        ValueError: a block is missing from the page, or one stands there that nobody makes.
    """
    there = [name for _, name, _ in _BLOCK.findall(text)]
    if sorted(there) != sorted(blocks):
        message = f"the page has the blocks {there}, and {sorted(blocks)} are made: put each between its marks once"
        raise ValueError(message)
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]}\n{found[3]}", text)


def main() -> None:
    """Write the pages, or say whether they are as they would be written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page would change")
    given, results, stale = parser.parse_args(), read_results(), False
    for language, path in PAGES.items():
        old = path.read_text(encoding="utf-8")
        new = rendered(old, Page(results, WORDS[language]).blocks())
        stale |= new != old
        if not given.check:
            path.write_text(new, encoding="utf-8")
    if given.check and stale:
        sys.exit("the page is not what the results say: python -m benchmarks.laboratory.page")


if __name__ == "__main__":
    main()
