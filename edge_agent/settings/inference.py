"""Where models run, and how images reach them."""

from __future__ import annotations

from pydantic import Field

from edge_agent.settings.section import Section


class InferenceSettings(Section):
    """Where models run."""

    providers: tuple[str, ...] = Field(
        default=("CPUExecutionProvider",), min_length=1, description="ONNX Runtime providers, most wanted first."
    )
    image_queue: int = Field(default=4, ge=1, le=1_000, description="Images waiting for a station's model.")
    reduced_decode: bool = Field(
        default=True,
        description="JPEGs larger than the model needs are decoded at 1/2, 1/4 or 1/8 of their size, once a station's "
        "first images scored the same so; near a limit they are always decoded in full.",
    )
