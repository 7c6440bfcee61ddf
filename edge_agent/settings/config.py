"""The settings of one agent: one TOML file, typed and bounded. Opens nothing and changes no value.

`load` lives in `adapters/toml_config.py`, which knows files; here is only what a valid configuration is. The commented
sample `deploy/lineproof.toml` is the reference and a test holds the two together.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from edge_agent.settings.camera import CameraSettings
from edge_agent.settings.capture import USUAL_REASONS, AuditSettings, DowntimeSettings, StopReasonSettings
from edge_agent.settings.inference import InferenceSettings
from edge_agent.settings.mqtt import MqttSourceSettings
from edge_agent.settings.oee import OeeSettings
from edge_agent.settings.recipes import StationRecipes
from edge_agent.settings.retention import RetentionSettings
from edge_agent.settings.section import Name, Section
from edge_agent.settings.signals import SignalSettings, signal_channels, signal_problems

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")]
LateAction = Literal["none", "stop", "divert"]
LEAST_LIVE_DEADLINE_MS = 100.0  # below it the watch for late verdicts itself is late


class AgentSettings(Section):
    """Who this agent is and where it keeps its data."""

    name: Name = Field(description="Name of this agent; part of its MQTT client ids and topics.")
    data_dir: str = Field(min_length=1, description="Folder for store, evidence images and models; made when absent.")
    language: Literal["ko", "en"] = Field(default="ko", description="Language of the pages before a visitor chooses.")
    time_zone: str = Field(default="Asia/Seoul", description="IANA time zone in front of people; the store is UTC.")
    shift_starts: tuple[str, ...] = Field(
        default=("06:00", "14:00", "22:00"),
        min_length=1,
        description="Start of each shift, local time, HH:MM, ascending.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")

    @model_validator(mode="after")
    def _shifts_in_order(self) -> AgentSettings:
        if any(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", start) is None for start in self.shift_starts):
            message = "shift_starts are times of day, HH:MM"
            raise ValueError(message)
        if list(self.shift_starts) != sorted(set(self.shift_starts)):
            message = "shift_starts ascend, each time once"
            raise ValueError(message)
        return self


class TlsSettings(Section):
    """TLS towards the broker."""

    ca_file: str | None = Field(
        default=None, description="PEM of the authority that signed the broker; system's if unset."
    )
    cert_file: str | None = Field(default=None, description="PEM of this client's certificate, for mutual TLS.")
    key_file: str | None = Field(default=None, description="PEM of this client's key, for mutual TLS.")


class BrokerSettings(Section):
    """The MQTT 5 broker the plant already has, or the one shipped in deploy/mosquitto."""

    host: str = Field(default="127.0.0.1", description="Broker host.")
    port: int = Field(default=1883, ge=1, le=65535, description="Broker port; 8883 with TLS.")
    username: str | None = Field(default=None, description="User; every client its own.")
    password_file: str | None = Field(
        default=None, description="File holding the password, readable by the agent only."
    )
    password: SecretStr | None = Field(default=None, description="Password itself; prefer password_file.")
    tls: TlsSettings | None = Field(default=None, description="Set (even empty) to use TLS.")
    keepalive_s: int = Field(default=30, ge=5, le=600, description="MQTT keepalive in seconds.")
    session_expiry_s: int = Field(
        default=7 * 86_400,
        ge=60,
        le=0xFFFF_FFFE,
        description="How long the broker keeps our session while we are away, s.",
    )
    receive_maximum: int = Field(
        default=2_000,
        ge=10,
        le=65_535,
        description="Unacknowledged messages in flight towards us (MQTT 5 Receive Maximum).",
    )

    @model_validator(mode="after")
    def _one_password(self) -> BrokerSettings:
        if self.password is not None and self.password_file is not None:
            message = "give password or password_file, not both"
            raise ValueError(message)
        return self


class FolderSourceSettings(Section):
    """A watched folder of images (polled, so that network shares work)."""

    path: str = Field(min_length=1, description="Folder to watch, subfolders included.")
    poll_ms: int = Field(default=500, ge=20, le=60_000, description="Time between two looks, ms.")
    settle_ms: int = Field(
        default=300, ge=0, le=60_000, description="A file is read once its size and time stay unchanged this long, ms."
    )
    after: Literal["keep", "move"] = Field(
        default="keep", description="What happens to a file once its verdict is durable."
    )
    done_path: str | None = Field(default=None, description="Where `move` puts files; on the same file system.")

    @model_validator(mode="after")
    def _move_needs_place(self) -> FolderSourceSettings:
        if (self.after == "move") != (self.done_path is not None):
            message = "done_path goes with after = 'move'"
            raise ValueError(message)
        if self.done_path is not None and PurePosixPath(self.done_path).is_relative_to(self.path):
            message = "done_path lies within the watched folder, where its files would be judged again"
            raise ValueError(message)
        return self


class ImageLimits(Section):
    """What an image may be before it is decoded."""

    max_bytes: int = Field(default=33_554_432, ge=1_024, description="Largest file, bytes.")
    max_pixels: int = Field(default=50_000_000, ge=1_024, description="Largest width times height.")
    min_side_px: int = Field(default=16, ge=1, description="Smallest width or height.")


class StationSettings(StationRecipes):
    """One inspection station: where its images come from and which model judges them."""

    name: Name = Field(description="Station name, unique.")
    line: Name = Field(description="Production line.")
    product: str = Field(default="", description="Product judged until a product change says otherwise.")
    model: str = Field(description="Path of a model folder, or `name` of an installed model in <data_dir>/models.")
    mode: Literal["shadow", "live"] = Field(
        default="shadow", description="shadow records verdicts and publishes none as reject; live acts."
    )
    folder: FolderSourceSettings | None = Field(default=None, description="Watched folder.")
    camera: CameraSettings | None = Field(default=None, description="Camera.")
    origin: Literal["measured", "simulated"] = Field(
        default="measured", description="simulated labels every verdict, for test and demo lines."
    )
    limits: ImageLimits = Field(default_factory=ImageLimits, description="What an image may be.")
    keep_evidence: tuple[Literal["PASS", "FAIL", "REVIEW", "NO_VERDICT"], ...] = Field(
        default=("FAIL", "REVIEW", "NO_VERDICT"), description="Verdicts whose images are kept."
    )
    deadline_ms: float = Field(
        default=2_000.0, gt=0, description="Time from capture to the broker's acknowledgement of the verdict, ms."
    )
    on_late: LateAction | None = Field(
        default=None,
        description="What is raised when a reject is not delivered in time; must be written for a live station.",
    )
    audit: AuditSettings | None = Field(default=None, description="Set to have parts drawn for a blind audit.")

    @property
    def late_action(self) -> LateAction:
        """What is raised when a reject is late; a shadow station that says nothing raises nothing."""
        return self.on_late or "none"

    @model_validator(mode="after")
    def _live_is_decided(self) -> StationSettings:
        problems: list[str] = []
        if self.mode == "live" and self.on_late is None:
            problems.append(
                "on_late is not written, and a live station must say what a late reject raises. "
                'Fix: add on_late = "stop", "divert" or "none"'
            )
        if self.mode == "live" and self.deadline_ms < LEAST_LIVE_DEADLINE_MS:
            problems.append(
                f"deadline_ms is {self.deadline_ms:g}, and a live station needs at least {LEAST_LIVE_DEADLINE_MS:g}. "
                f"Fix: write milliseconds, {LEAST_LIVE_DEADLINE_MS:g} or more"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self


class AssetSettings(Section):
    """One machine whose health is watched."""

    name: Name = Field(description="Asset name, as in the topic map.")
    line: Name = Field(description="Production line.")
    model: str = Field(description="Path of a health model folder, or name of an installed model.")
    origin: Literal["measured", "simulated"] = Field(
        default="measured", description="simulated labels health and alarms, for test and demo lines."
    )
    stale_after_s: float = Field(
        default=10.0, gt=0, description="A channel silent this long makes the health unknown, seconds."
    )
    record_every_s: float = Field(default=60.0, ge=1, description="A health event at least this often, seconds.")


class AlarmSettings(Section):
    """When to call a person, and what the person shall do."""

    name: Name = Field(description="Alarm name, unique within the line.")
    line: Name = Field(description="Production line.")
    asset: Name = Field(description="Machine.")
    signal: str = Field(description="`health.statistic`, or a channel name of the asset.")
    above: float | None = Field(default=None, description="Raise above this value.")
    below: float | None = Field(default=None, description="Raise below this value.")
    deadband: float = Field(default=0.0, ge=0, description="Clear only this far on the good side of the limit.")
    on_delay_s: float = Field(default=0.0, ge=0, description="The condition must hold this long to raise, seconds.")
    off_delay_s: float = Field(default=0.0, ge=0, description="It must be gone this long to clear, seconds.")
    action: str = Field(min_length=3, description="What the operator shall do; there is no alarm without an action.")

    @model_validator(mode="after")
    def _one_limit(self) -> AlarmSettings:
        if (self.above is None) == (self.below is None):
            message = "give exactly one of above and below"
            raise ValueError(message)
        return self


class StoreSettings(Section):
    """The embedded store."""

    commit_messages: int = Field(default=500, ge=1, le=20_000, description="Commit after this many messages.")
    commit_ms: int = Field(
        default=20, ge=1, le=5_000, description="Commit at least this often while messages wait, ms."
    )
    queue_messages: int = Field(
        default=4_000, ge=10, le=1_000_000, description="Messages waiting for the writer before sources are held back."
    )
    staging_s: int = Field(default=60, ge=1, le=3_600, description="Readings stay uncompressed this long, seconds.")


class SinkSettings(Section):
    """What the agent publishes, under `<prefix>/<line>/...`."""

    prefix: str = Field(default="lineproof", description="First level of every topic the agent publishes.")
    heartbeat_s: float = Field(
        default=2.0,
        ge=0.2,
        le=8,  # three beats fit into the 30 s of the service's watchdog, which they feed
        description="Interval of the retained interlock message, seconds; its absence means stop.",
    )


class StatusSettings(Section):
    """The status page."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port; 0 picks a free one.")
    trusted_network: bool = Field(
        default=False, description="Must be true to listen beyond 127.0.0.1: this version has no login."
    )
    hosts: tuple[HostName, ...] = Field(
        default=(), description="Host names the page may be opened by, besides localhost and addresses."
    )


class Settings(Section):
    """The whole file."""

    agent: AgentSettings
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    mqtt: MqttSourceSettings = Field(default_factory=MqttSourceSettings)
    stations: tuple[StationSettings, ...] = ()
    assets: tuple[AssetSettings, ...] = ()
    signals: tuple[SignalSettings, ...] = ()
    alarms: tuple[AlarmSettings, ...] = ()
    downtime: tuple[DowntimeSettings, ...] = ()
    oee: tuple[OeeSettings, ...] = ()
    stop_reasons: tuple[StopReasonSettings, ...] = USUAL_REASONS
    store: StoreSettings = Field(default_factory=StoreSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    sink: SinkSettings = Field(default_factory=SinkSettings)
    status: StatusSettings = Field(default_factory=StatusSettings)
    inference: InferenceSettings = Field(default_factory=InferenceSettings)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every line named anywhere, in order of first mention."""
        named = [
            *(station.line for station in self.stations),
            *(asset.line for asset in self.assets),
            *self.mqtt.lines,
            *(downtime.line for downtime in self.downtime),
        ]
        return tuple(dict.fromkeys(named))

    @property
    def channels_of(self) -> dict[str, frozenset[str]]:
        """Channel names that some topic carries or a signal is derived into, by `line/asset`."""
        carried, derived = self.mqtt.channels_of, signal_channels(self.signals, self.mqtt)
        return {key: names | derived.get(key, frozenset()) for key, names in carried.items()}

    @model_validator(mode="after")
    def _names_fit(self) -> Settings:
        problems = [
            *_repeated("stations", [station.name for station in self.stations]),
            *_repeated("assets", [f"{asset.line}/{asset.name}" for asset in self.assets]),
            *_repeated("alarms", [f"{alarm.line}/{alarm.name}" for alarm in self.alarms]),
            *_repeated("downtime", [entry.line for entry in self.downtime]),
            *_repeated("oee", [entry.line for entry in self.oee]),
            *_repeated("stop_reasons", [reason.code for reason in self.stop_reasons]),
            *_repeated(
                "topics",
                self.mqtt.topics,
            ),
            *_repeated("station folders", [str(PurePosixPath(s.folder.path)) for s in self.stations if s.folder]),
            *_repeated("station cameras", [s.camera.address for s in self.stations if s.camera]),
            *_of_sources(self),
            *signal_problems(self.signals, self.mqtt),
            *self.mqtt.product_problems({station.name: station.line for station in self.stations}),
            *(
                f"oee: the line {entry.line!r} has no machine. Fix: name it in [[downtime]]"
                for entry in self.oee
                if entry.line not in {downtime.line for downtime in self.downtime}
            ),
        ]
        problems += [
            f"mqtt.images: {topic.station!r} is no station. Fix: name one of [[stations]]"
            for topic in self.mqtt.images
            if topic.station not in {station.name for station in self.stations}
        ]
        watched = {f"{asset.line}/{asset.name}" for asset in self.assets}
        problems += [
            f"alarms: {alarm.name!r} watches health of {alarm.line}/{alarm.asset}, which has no [[assets]] entry"
            for alarm in self.alarms
            if alarm.signal.startswith("health.") and f"{alarm.line}/{alarm.asset}" not in watched
        ]
        problems += [
            f"alarms: {alarm.name!r}: signal {alarm.signal!r} is not known; the health signal is 'health.statistic'"
            for alarm in self.alarms
            if alarm.signal.startswith("health.") and alarm.signal != "health.statistic"
        ]
        carried = self.channels_of
        for alarm in self.alarms:
            names = carried.get(f"{alarm.line}/{alarm.asset}", frozenset())
            if not alarm.signal.startswith("health.") and alarm.signal not in names:
                problems.append(
                    f"alarms: {alarm.name!r}: no [[mqtt.readings]] entry of {alarm.line}/{alarm.asset} carries"
                    f" {alarm.signal!r} (carried: {', '.join(sorted(names)) or 'nothing'})"
                )
        problems += [
            f"assets: no [[mqtt.readings]] entry carries readings of {asset.line}/{asset.name}"
            for asset in self.assets
            if f"{asset.line}/{asset.name}" not in carried
        ]
        if self.status.host not in {"127.0.0.1", "::1", "localhost"} and not self.status.trusted_network:
            problems.append(
                "status.host listens beyond this machine, and status.trusted_network = true does not say that it may"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _repeated(what: str, names: list[str]) -> list[str]:
    return [f"{what}: {name!r} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]


def _of_sources(settings: Settings) -> list[str]:
    """A station has a folder or a camera, or takes its pictures from a topic; a recording acts on no line."""
    fed = {topic.station for topic in settings.mqtt.images}
    problems = []
    for station in settings.stations:
        if station.folder is not None and station.camera is not None:
            problems.append(f"stations: {station.name!r} has a folder and a camera. Fix: make two stations of it")
        if station.folder is None and station.camera is None and station.name not in fed:
            problems.append(
                f"stations: {station.name!r} has no source of pictures. "
                "Fix: give it [stations.folder], [stations.camera] or an [[mqtt.images]] topic"
            )
        if station.mode == "live" and station.camera is not None and station.camera.kind == "file":
            problems.append(f"stations: {station.name!r} is live and looks at a recording. Fix: write mode = 'shadow'")
    return problems
