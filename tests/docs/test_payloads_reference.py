"""The reference of payloads names every reason for which a message is quarantined.

`python tests/docs/test_payloads_reference.py` writes the table anew.
"""

from __future__ import annotations

from pathlib import Path

from edge_agent.adapters.sparkplug_codec import SPARKPLUG_REASONS
from edge_agent.payloads.values import REASONS
from edge_agent.payloads.strict_csv import CSV_REASONS
from edge_agent.payloads.strict_msgpack import MSGPACK_REASONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "payloads.md"
HEAD = "| reason | meaning |\n|---|---|\n"
OTHERS = {
    "bad_part": "the part in an image's topic is empty, too long or not printable",
    "decoder_failed": "a defect of our own; the log has it, and the message is kept",
    "image_too_large": "an image is larger than the station's `limits.max_bytes`; its part gets NO_VERDICT",
    "odd_length": "a waveform is no whole number of float32 samples",
}


def table() -> str:
    """One row a reason."""
    known = REASONS | MSGPACK_REASONS | CSV_REASONS | SPARKPLUG_REASONS | OTHERS
    return HEAD + "".join(f"| `{reason}` | {meaning} |\n" for reason, meaning in sorted(known.items()))


def test_the_page_names_every_reason() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(HEAD) :] == table()


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(HEAD)] + table(), encoding="utf-8")
