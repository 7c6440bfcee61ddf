"""What the pipeline needs from the outside, as interfaces only. Adapters implement them; `app` joins them.

Threads: a source delivers from its own thread; the store is written from the pipeline's one writer thread and read
from any; a sink is called from the writer thread and settles from its own. Every call says whether it may block.
"""

from edge_agent.ports.clock import Clock
from edge_agent.ports.intake import (
    BatchSource,
    Codec,
    Decoded,
    Delivery,
    LinkHealth,
    Quarantined,
    RunCodec,
    Source,
    Stretch,
)
from edge_agent.ports.outlets import Observer, Recorder, Sink
from edge_agent.ports.scoring import HealthScorer, ImageDecoder, ImageScorer, ModelIdentity, ReducingDecoder
from edge_agent.ports.store import EvidenceStore, Store, StoreReader
from edge_agent.ports.transactions import Batch, Committed, MinuteRollup, OutboxMessage, ReasonCount, StoreTotals

__all__ = [
    "Batch",
    "BatchSource",
    "Clock",
    "Codec",
    "Committed",
    "Decoded",
    "Delivery",
    "EvidenceStore",
    "HealthScorer",
    "ImageDecoder",
    "ImageScorer",
    "LinkHealth",
    "MinuteRollup",
    "ModelIdentity",
    "Observer",
    "OutboxMessage",
    "Quarantined",
    "ReasonCount",
    "Recorder",
    "ReducingDecoder",
    "RunCodec",
    "Sink",
    "Source",
    "Store",
    "StoreReader",
    "StoreTotals",
    "Stretch",
]
