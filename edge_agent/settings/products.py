"""Settings of the topics that say which product a line makes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge_agent.settings.section import Name, Section


class ProductTopic(Section):
    """One topic filter that says which product is before the stations of a line from now on."""

    filter: Annotated[str, Field(min_length=1, max_length=512)] = Field(description="MQTT topic filter.")
    line: Name = Field(description="Production line.")
    stations: tuple[Name, ...] = Field(default=(), description="Stations that change; all of the line when empty.")
    field: str = Field(default="product", min_length=1, description="Field of an object that names the product.")
    names: dict[str, str] = Field(
        default_factory=dict, description="What the topic says to product, where they differ: `7` to `bracket-b`."
    )
    format: Literal["json", "msgpack", "text"] = Field(
        default="json", description="Form of the payload; `text` is the product."
    )
