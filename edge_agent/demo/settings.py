"""The configuration that the demo writes for its agent: a real `lineproof.toml` that a reader may learn from."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from edge_agent.settings.capture import USUAL_REASONS, StopReasonSettings
from edge_agent.virtual_plant import plant_topics as topics


class DemoPlaces(msgspec.Struct, frozen=True):
    """Where the demo's agent finds things."""

    data_dir: Path
    images: Path
    image_model: Path
    health_models: dict[str, Path]
    broker_port: int
    status_port: int


ACTIONS = {
    "press": "프레스 냉각수와 주 베어링을 확인하십시오. / Check the press' cooling water and main bearing.",
    "conveyor": "컨베이어 벨트 장력을 확인하십시오. / Check the conveyor belt's tension.",
}
STOP_REASONS = (
    StopReasonSettings(code="die_overheated", ko="금형 과열", en="Die overheated", planned=False),
    StopReasonSettings(code="belt_retensioned", ko="벨트 장력 조정", en="Belt retensioned", planned=False),
    StopReasonSettings(code="bearing_replaced", ko="베어링 교체", en="Bearing replaced", planned=False),
    StopReasonSettings(code="coil_change", ko="코일 교체", en="Coil change", planned=True),
    StopReasonSettings(code="meal", ko="식사", en="Meal", planned=True),
    *USUAL_REASONS,
)
"""What the simulated press says of its stops, in words, and the usual ones to choose from."""
AUDIT: dict[str, object] = {
    "parts_per_shift": 500,
    "fail_ratio": 0.1,
    "reviews_per_shift": 150,
    "shifts": 5,
    "ppv_half_width": 0.05,
    "for_half_width": 0.02,
}
"""A shift of the demo lasts eight minutes: more is drawn than a plant would, so that a visitor meets blind reviews."""
HOT_DIE = "금형 냉각 밸브를 열고 유량을 확인하십시오. / Open the die cooling valve and check its flow."


def demo_settings(places: DemoPlaces) -> str:
    """The TOML text for these places."""
    sections = [
        "# Written by `edge-agent demo`. Everything in it is explained in deploy/lineproof.toml.",
        _section(
            "[agent]",
            {
                "name": "demo",
                "data_dir": str(places.data_dir),
                "language": "ko",
                "time_zone": "Asia/Seoul",
                "shift_starts": ["06:00", "14:00", "22:00"],
            },
        ),
        _section("[broker]", {"host": "127.0.0.1", "port": places.broker_port}),
        *(
            _section("[[mqtt.readings]]", {"filter": topic, "line": topics.LINE, "asset": asset, "channels": units})
            for topic, (asset, units) in topics.SIGNAL_TOPICS.items()
        ),
        *(
            _section("[[mqtt.facts]]", {"filter": topic, "line": topics.LINE, "kind": kind})
            for topic, kind in topics.FACT_TOPICS.items()
        ),
        _section(
            "[[stations]]",
            {
                "name": topics.STATION,
                "line": topics.LINE,
                "product": topics.PRODUCT,
                "model": str(places.image_model),
                "mode": "live",
                "on_late": "stop",
                "origin": "simulated",
                "keep_evidence": ["PASS", "FAIL", "REVIEW", "NO_VERDICT"],
            },
        ),
        _section("[stations.audit]", AUDIT),
        _section("[stations.folder]", {"path": str(places.images), "poll_ms": 100, "settle_ms": 100}),
        *(
            _section(
                "[[assets]]",
                {
                    "name": asset,
                    "line": topics.LINE,
                    "model": str(model),
                    "record_every_s": 10.0,
                    "origin": "simulated",
                },
            )
            for asset, model in places.health_models.items()
        ),
        *(
            _section(
                "[[alarms]]",
                {
                    "name": f"{asset}-health",
                    "line": topics.LINE,
                    "asset": asset,
                    "signal": "health.statistic",
                    "above": 1.0,
                    "deadband": 0.1,
                    "on_delay_s": 4.0,
                    "off_delay_s": 4.0,
                    "action": ACTIONS[asset],
                },
            )
            for asset in places.health_models
        ),
        _section(
            "[[alarms]]",
            {
                "name": "die-too-hot",
                "line": topics.LINE,
                "asset": "press",
                "signal": "die_temperature",
                "above": 72.0,
                "deadband": 3.0,
                "on_delay_s": 1.0,
                "action": HOT_DIE,
            },
        ),
        *(_section("[[stop_reasons]]", reason.model_dump()) for reason in STOP_REASONS),
        _section("[[downtime]]", {"line": topics.LINE, "asset": "press"}),
        _section("[status]", {"host": "127.0.0.1", "port": places.status_port}),
    ]
    return "\n\n".join(sections) + "\n"


def _section(header: str, values: dict[str, object]) -> str:
    return "\n".join([header, *(f"{key} = {_value(value)}" for key, value in values.items())])


def _value(value: object) -> str:
    """A TOML value. JSON's strings, numbers and arrays are TOML's too; only objects are written differently."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
