"""An agent that is broken on purpose: it acknowledges before it commits. The kill test must find it out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent import logs
from edge_agent.adapters import toml_config
from edge_agent.app import Agent
from edge_agent.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.ports import Delivery


class AckFirstPipeline(Pipeline):
    """The pipeline with its most important line in the wrong place."""

    def deliver(self, delivery: Delivery) -> None:
        """Acknowledge, then queue."""
        self._sources[delivery.source].acknowledge([delivery.token])
        super().deliver(delivery)

    def deliver_all(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge all, then queue."""
        self._sources[deliveries[0].source].acknowledge([delivery.token for delivery in deliveries])
        super().deliver_all(deliveries)

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Already done."""


def main() -> int:
    """Run it with the same options as the real one."""
    settings = toml_config.load(Path(sys.argv[sys.argv.index("--config") + 1]))
    logs.configure("info")

    def ready(url: str) -> None:
        sys.stdout.write(json.dumps({"page": url}) + "\n")
        sys.stdout.flush()

    return Agent(settings, AckFirstPipeline).run(ready)


if __name__ == "__main__":
    sys.exit(main())
