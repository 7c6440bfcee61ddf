"""Settings of the topics that say which product a line makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from edge_agent.settings.section import Name, Section

if TYPE_CHECKING:
    from edge_agent.settings.config import Settings, StationSettings


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


def is_product_unsaid(station: StationSettings, settings: Settings) -> bool:
    """Whether nothing can ever say a product that the station has a recipe for, so that every part gets NO_VERDICT."""
    if station.unknown_product != "no_verdict" or station.product:
        return False  # the station's own product is judged by its own model
    said_by_topic = any(
        topic.line == station.line and (not topic.stations or station.name in topic.stations)
        for topic in settings.mqtt.products
    )
    said_by_picture = any(
        topic.station == station.name and "{product}" in topic.pattern.split("/") for topic in settings.mqtt.images
    )
    said_by_trigger = station.camera is not None and station.camera.trigger is not None
    return not (said_by_topic or said_by_picture or said_by_trigger)
