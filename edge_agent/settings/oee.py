"""Settings of the overall equipment effectiveness: how long a part should take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge_agent.settings.section import Name, Section

RunTime = Annotated[float, Field(gt=0, le=86_400)]


class OeeSettings(Section):
    """One line's planned run times; its machine is that of `[[downtime]]`."""

    line: Name = Field(description="Production line.")
    planned_run_s: dict[str, RunTime] = Field(
        min_length=1, description="Planned run time per item by product, seconds (ISO 22400-2 PRI)."
    )
