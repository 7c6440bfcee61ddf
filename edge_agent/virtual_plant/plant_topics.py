"""Where the virtual plant publishes, and what: the same names the demo's configuration maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.virtual_plant import conveyor, press

if TYPE_CHECKING:
    from edge_agent.virtual_plant.part_geometry import Product

LINE = "press-1"
STATION = "press-1-camera"
PRODUCT: Product = "bracket-a"

PRESS_SIGNALS = f"plant/{LINE}/press/signals"
CONVEYOR_SIGNALS = f"plant/{LINE}/conveyor/signals"
MACHINE_STATE = f"plant/{LINE}/press/state"
PRODUCTION = f"plant/{LINE}/production"
PART = f"plant/{LINE}/camera/part"
ENERGY = f"plant/{LINE}/energy"

FACT_TOPICS = {MACHINE_STATE: "machine_state", PRODUCTION: "production", PART: "part", ENERGY: "energy"}
SIGNAL_TOPICS = {PRESS_SIGNALS: ("press", press.UNITS), CONVEYOR_SIGNALS: ("conveyor", conveyor.UNITS)}
