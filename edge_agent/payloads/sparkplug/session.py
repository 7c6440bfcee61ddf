"""What is known of one Sparkplug B edge node between its birth and its death, and in which order its messages came.

Sparkplug numbers messages 0 to 255, over and over. Here they count on without end, so that the store's ledger of gaps
can tell what is missing: of a longer loss it knows the remainder by 256.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.readings import SequenceMark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_agent.payloads.sparkplug.values import RawMetric

NUMBERS = 256
BD_SEQ = "bdSeq"


class Definition(msgspec.Struct, frozen=True):
    """What a birth says about a metric; `device` is None for the node's own."""

    device: str | None
    name: str
    datatype: int


class Vocabulary(msgspec.Struct, frozen=True):
    """What births have told so far; never changed, only replaced, so that an older one can be kept.

    Attributes:
        devices: who is there; None is the node itself.
        names, aliases: what the metrics are.
    """

    devices: frozenset[str | None] = frozenset({None})
    names: dict[tuple[str | None, str], Definition] = {}
    aliases: dict[int, Definition] = {}

    def born(self, device: str | None, metrics: Iterable[RawMetric]) -> Vocabulary:
        """With a birth: the device is there, and its metrics and aliases are these and no others."""
        names = {key: known for key, known in self.names.items() if key[0] != device}
        aliases = {alias: known for alias, known in self.aliases.items() if known.device != device}
        for metric in metrics:
            if metric.name is None or metric.datatype is None:
                continue
            known = Definition(device, metric.name, metric.datatype)
            names[device, metric.name] = known
            if metric.alias is not None:
                aliases[metric.alias] = known
        return Vocabulary(self.devices | {device}, names, aliases)

    def without(self, device: str | None) -> Vocabulary:
        """After a death; the node's own is that of all its devices."""
        left = frozenset[str | None]() if device is None else self.devices - {device}
        return Vocabulary(left, self.names, self.aliases)

    def definition(self, device: str | None, metric: RawMetric) -> Definition:
        """What the birth says about a metric.

        Raises:
            PoisonMessageError: `unknown_metric`: no birth that we heard names it.
        """
        if metric.name is not None:
            known = self.names.get((device, metric.name))
        else:
            known = self.aliases.get(metric.alias) if metric.alias is not None else None
        if known is None or known.device != device:
            shown = metric.name if metric.name is not None else f"alias {metric.alias}"
            raise PoisonMessageError("unknown_metric", "no birth names this metric", field="metric", value=shown)
        return known


class Arrival(msgspec.Struct, frozen=True):
    """Where a message stands in its session; `lost` is how many before it are missing, by the remainder of 256."""

    mark: SequenceMark
    lost: int


class NodeSession:
    """One life of an edge node, from an NBIRTH on.

    Args:
        source: names the node in marks.
        born_ms: the birth's own time.
        bd_seq: number of this life, which its death bears as well; None where the node gives none.
        seq: the birth's message number.
    """

    def __init__(self, source: str, born_ms: int, bd_seq: int | None, seq: int) -> None:
        self.bd_seq = bd_seq
        self.alive = True
        self.doubtful = False
        self.vocabulary = Vocabulary()
        self._source = source
        self._epoch = f"{'-' if bd_seq is None else bd_seq}.{born_ms}"
        self._seq = seq
        self._number = 0

    @property
    def mark(self) -> SequenceMark:
        """The newest message's number."""
        return SequenceMark(self._source, self._epoch, self._number)

    def arrive(self, seq: int) -> Arrival:
        """Enter a message's number; after a loss the session is doubtful, for a birth may be what was lost."""
        lost = (seq - self._seq - 1) % NUMBERS
        self._seq = seq
        self._number += lost + 1
        if lost:
            self.doubtful = True
        return Arrival(self.mark, lost)

    def bury(self, device: str | None) -> None:
        """A death; None is the node's own."""
        self.vocabulary = self.vocabulary.without(device)
        self.alive = self.alive and device is not None


class Cooldown:
    """Lets something be asked of each node at most once in a while.

    >>> cooldown = Cooldown(30.0)
    >>> [cooldown.passes("cell-1", second * 1_000_000_000) for second in (0, 29, 30)]
    [True, False, True]
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_ns = round(pause_s * 1e9)
        self._asked_ns: dict[str, int] = {}

    def passes(self, name: str, now_ns: int) -> bool:
        """Whether it may be asked now; if so, it is taken as asked."""
        before = self._asked_ns.get(name)
        if before is not None and now_ns - before < self._pause_ns:
            return False
        self._asked_ns[name] = now_ns
        return True
