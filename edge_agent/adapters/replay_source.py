"""Recorded data from CSV files and folders of images, on its way to a broker and to a watched folder."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.adapters.mqtt_client import read_password
from edge_agent.errors import AgentError, UnreachableError
from edge_agent.recordings import layout_of, rows_of, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from types import TracebackType

    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.recordings import Layout, Row
    from edge_agent.settings.config import BrokerSettings

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_ENCODINGS = ("utf-8-sig", "cp949")
_SESSION_S = 300  # the broker keeps what is under way over a short loss of the connection
_IN_FLIGHT = 100
_CONNECT_S = 10.0
_SILENCE_S = 60.0  # no acknowledgement for this long: the broker is gone
_SHOWN_REFUSALS = 5


class RecordedReadings:
    """One CSV file.

    Args:
        path: the file; UTF-8, or cp949 as Korean office programs write it.
        zone: time zone of times that name none.

    Raises:
        AgentError: the file cannot be read or its header makes no sense.
    """

    def __init__(self, path: Path, zone: tzinfo) -> None:
        self.path = path
        self._encoding = _encoding_of(path)
        with self._open() as lines:
            header = lines.readline()
            self.row_count = sum(1 for line in lines if line.strip())
        self.layout: Layout = layout_of(path.name, header, zone)

    def rows(self) -> Iterator[Row]:
        """The rows, read as they are asked for; raises as `rows_of`."""
        with self._open() as lines:
            lines.readline()
            yield from rows_of(self.layout, lines)

    def first_us(self) -> int | None:
        """Time of the first row, None for a file without rows."""
        return next((row.t_us for row in self.rows()), None)

    def _open(self) -> TextIO:
        return self.path.open(encoding=self._encoding, newline="")


def _encoding_of(path: Path) -> str:
    for encoding in _ENCODINGS:
        try:
            with path.open(encoding=encoding) as lines:
                for _ in lines:
                    pass
        except UnicodeDecodeError:
            continue
        except OSError as error:
            raise AgentError(
                f"{path} cannot be read: {error.strerror}", field="readings", value=str(path), hint="name a CSV file"
            ) from error
        return encoding
    raise AgentError(f"{path} is no text", field="readings", value=str(path), hint="save it as CSV in UTF-8 (or cp949)")


class ReplayPublisher:
    """Publishes at QoS 1 over MQTT 5, holding the caller back while many messages are under way.

    Args:
        broker: where, and as whom.
        client_id: a session of its own.
    """

    def __init__(self, broker: BrokerSettings, client_id: str) -> None:
        self._broker = broker
        self._changed = threading.Condition()
        self._connected = False
        self._problem = "no answer"
        self._refused_for_good = False
        self._moved_s = time.monotonic()
        self.published = 0
        self.acknowledged = 0
        self.refused: list[str] = []
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        if broker.username is not None:
            client.username_pw_set(broker.username, read_password(broker))
        if broker.tls is not None:
            client.tls_set(broker.tls.ca_file, broker.tls.cert_file, broker.tls.key_file)
        self._client = client

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            UnreachableError: the broker does not accept us in time.
        """
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves this one untyped
        properties.SessionExpiryInterval = _SESSION_S
        address = f"{self._broker.host}:{self._broker.port}"
        hint = "start the broker, or correct [broker] in the configuration"
        try:
            self._client.connect(
                self._broker.host, self._broker.port, self._broker.keepalive_s, clean_start=True, properties=properties
            )
        except OSError as error:
            raise UnreachableError(f"cannot reach {address}: {error}", field="broker", hint=hint) from error
        self._client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self._refused_for_good, timeout=_CONNECT_S)
            accepted = self._connected
        if not accepted:
            self._client.loop_stop()
            raise UnreachableError(f"{address} does not accept us: {self._problem}", field="broker", hint=hint)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye; what is still under way is given up."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message; blocks while too many are under way.

        Raises:
            UnreachableError: the broker has not acknowledged anything for a minute.
        """
        self._wait_until_under_way_at_most(_IN_FLIGHT - 1)
        with self._changed:
            if self.published == self._settled:
                self._moved_s = time.monotonic()
            self.published += 1
        self._client.publish(topic, payload, qos=1)

    def drain(self) -> None:
        """Wait until everything is acknowledged; raises as `publish`."""
        self._wait_until_under_way_at_most(0)

    @property
    def _settled(self) -> int:
        return self.acknowledged + len(self.refused)

    def _wait_until_under_way_at_most(self, count: int) -> None:
        with self._changed:
            while self.published - self._settled > count:
                self._changed.wait(timeout=1.0)
                if time.monotonic() - self._moved_s > _SILENCE_S:
                    raise UnreachableError(
                        f"{self.published - self._settled} of {self.published} messages are not acknowledged: "
                        f"{self._problem or 'the broker is silent'}",
                        field="broker",
                        hint="look at the broker's log; the same recording can be replayed again",
                    )

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, reason: ReasonCode, _given: object
    ) -> None:
        with self._changed:
            self._connected = not reason.is_failure
            self._refused_for_good = reason.is_failure
            self._problem = str(reason) if reason.is_failure else ""
            self._changed.notify_all()

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: mqtt.DisconnectFlags, reason: ReasonCode, _given: object
    ) -> None:
        with self._changed:
            self._connected = False
            self._problem = f"the connection was lost: {reason}"

    def _on_publish(self, _client: mqtt.Client, _data: object, _mid: int, reason: ReasonCode, _given: object) -> None:
        with self._changed:
            self._moved_s = time.monotonic()
            if reason.is_failure:
                self.refused.append(str(reason))
            else:
                self.acknowledged += 1
            self._changed.notify_all()


def images_below(folder: Path) -> dict[Path, str]:
    """All images below a folder, in path order, each with a file name that no other has.

    Raises:
        AgentError: no such folder, or no image in it.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not found:
        raise AgentError(
            "there are no images below the folder",
            field="images",
            value=str(folder),
            hint=f"give a folder with {', '.join(sorted(IMAGE_SUFFIXES))} files",
        )
    names = unique_names([path.relative_to(folder).as_posix() for path in found])
    return {path: names[path.relative_to(folder).as_posix()] for path in found}


def put_image(source: Path, folder: Path, name: str) -> str:
    """Copy an image into a watched folder as a camera would: written under a hidden name, then renamed.

    Returns:
        The name it got: another one where the folder has a file of that name already.

    Raises:
        AgentError: the folder cannot be written to.
    """
    hidden = folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, hidden)
        number, free = 1, name
        while (folder / free).exists():
            number += 1
            free = f"{Path(name).stem}-{number}{Path(name).suffix}"
        hidden.rename(folder / free)
    except OSError as error:
        raise AgentError(
            f"the image cannot be put into {folder}: {error.strerror}", field="stations.folder.path", value=str(folder)
        ) from error
    return free
