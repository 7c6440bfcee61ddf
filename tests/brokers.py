"""Real brokers for tests: the embedded one and, where it is installed, Mosquitto with the shipped configuration."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from edge_agent.adapters.embedded_broker import LOOPBACK, EmbeddedBroker, _free_port
from edge_agent.settings.config import BrokerSettings, TlsSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHIPPED = Path(__file__).parent.parent / "deploy" / "mosquitto"
AGENT, AGENT_PASSWORD = "lineproof-agent", "agent secret"
PLC, PLC_PASSWORD = "press-1-plc", "plc secret"
DEADLINE_S = 20.0


class Broker(Protocol):
    """A broker on loopback with an account for the agent and one for the plant."""

    name: str
    port: int

    def settings(self) -> BrokerSettings: ...

    def plant_settings(self) -> BrokerSettings: ...

    def kill(self) -> None: ...

    def start(self) -> None: ...

    def close(self) -> None: ...


def wait_for(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until a condition holds; fail with its name when it does not in time."""
    until_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < until_s, f"not within {deadline_s:.0f} s: {what}"
        time.sleep(0.005)


class IotcoreBroker:
    """The embedded broker."""

    name = "iotcore"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._broker = EmbeddedBroker.start(data_dir=folder)
        self.port = self._broker.port

    def settings(self) -> BrokerSettings:
        return BrokerSettings(port=self.port, keepalive_s=5)

    plant_settings = settings

    def kill(self) -> None:
        pid = self._broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self._broker.stop()

    def start(self) -> None:
        self._broker = EmbeddedBroker.start(self.port, data_dir=self._folder)

    def close(self) -> None:
        self._broker.stop()


class MosquittoBroker:
    """Mosquitto with the shipped files, in which only places, port and accounts are replaced."""

    name = "mosquitto"

    def __init__(self, folder: Path) -> None:
        program = mosquitto_program()
        assert program is not None
        self._program = program
        self._folder = folder
        self.port = _free_port(LOOPBACK)
        passwords = folder / "lineproof.passwd"
        passwords.touch(mode=0o600)
        for user, password in ((AGENT, AGENT_PASSWORD), (PLC, PLC_PASSWORD)):
            subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, password], check=True, capture_output=True)
        shutil.copy(SHIPPED / "lineproof.acl", folder / "lineproof.acl")
        (folder / "lineproof.acl").chmod(0o600)
        text = (SHIPPED / "mosquitto.conf").read_text(encoding="utf-8")
        for shipped, here in (
            ("listener 1883 127.0.0.1", f"listener {self.port} {LOOPBACK}"),
            ("/etc/mosquitto/lineproof.passwd", str(passwords)),
            ("/etc/mosquitto/lineproof.acl", str(folder / "lineproof.acl")),
            ("/var/lib/mosquitto/", f"{folder}/"),
            ("autosave_interval 5", "autosave_interval 1"),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        if os.geteuid() == 0:
            text += "\nuser root\n"  # as root it would become `mosquitto`, who may not read a test's folder
        self._config = folder / "mosquitto.conf"
        self._config.write_text(text, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._tls_port = 0
        self.start()

    def settings(self) -> BrokerSettings:
        return self._account(AGENT, AGENT_PASSWORD)

    def plant_settings(self) -> BrokerSettings:
        return self._account(PLC, PLC_PASSWORD)

    def _account(self, user: str, password: str) -> BrokerSettings:
        return BrokerSettings(port=self.port, keepalive_s=5, username=user, password=SecretStr(password))

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def add_tls(self) -> None:
        """Take the comment signs off the shipped TLS listener and restart; certificates are made here."""
        make_certificates(self._folder)
        self._tls_port = _free_port(LOOPBACK)
        text = self._config.read_text(encoding="utf-8")
        for shipped, here in (
            ("#listener 8883", f"listener {self._tls_port} {LOOPBACK}"),
            ("#certfile /etc/mosquitto/certs/server.crt", f"certfile {self._folder}/server.crt"),
            ("#keyfile /etc/mosquitto/certs/server.key", f"keyfile {self._folder}/server.key"),
            ("#cafile /etc/mosquitto/certs/ca.crt", f"cafile {self._folder}/ca.crt"),
            ("#tls_version tlsv1.2", "tls_version tlsv1.2"),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        self._config.write_text(text, encoding="utf-8")
        self.restart()

    def tls_settings(self, authority: str) -> BrokerSettings:
        """The agent's account over TLS, trusting the authority in the file of this name."""
        tls = TlsSettings(ca_file=str(self._folder / authority))
        return self.settings().model_copy(update={"port": self._tls_port, "tls": tls})

    def restart(self) -> None:
        """End in good order, which saves everything, and start again."""
        self._end(signal.SIGTERM)
        self.start()

    def start(self) -> None:
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(self._config)], stderr=log)
        wait_for(self._listens, "mosquitto listens")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0

    def _end(self, how: int) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        self._end(signal.SIGTERM)


def make_certificates(folder: Path) -> None:
    """An authority, a server certificate that it signed for loopback, and a stranger's authority."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        openssl(
            "req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={name}"
        )
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker")
    (folder / "server.ext").write_text(f"subjectAltName=IP:{LOOPBACK}\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.ext")
    openssl("x509", "-req", "-in", "server.csr", *signed, "-out", "server.crt")


def mosquitto_program() -> str | None:
    """Where Mosquitto is; Debian keeps it out of an ordinary user's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def start_broker(name: str, folder: Path) -> Broker:
    """Start a broker by name, or skip the test with the reason."""
    if name == "mosquitto":
        if mosquitto_program() is None or shutil.which("mosquitto_passwd") is None:
            pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
        return MosquittoBroker(folder)
    pytest.importorskip("iotcore", reason='the embedded broker is not installed: pip install "lineproof[demo]"')
    return IotcoreBroker(folder)


@pytest.fixture(params=["iotcore", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each broker in turn, fresh."""
    started = start_broker(request.param, tmp_path)
    yield started
    started.close()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[MosquittoBroker]:
    """Mosquitto alone, where persistence or access control is tried."""
    started = start_broker("mosquitto", tmp_path)
    assert isinstance(started, MosquittoBroker)
    yield started
    started.close()


class PlantPeer:
    """A plain MQTT client beside the agent: publishes as the plant does, and hears what others publish."""

    def __init__(self, settings: BrokerSettings, client_id: str = "") -> None:
        self.heard: list[mqtt.MQTTMessage] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        if settings.username is not None and settings.password is not None:
            self._client.username_pw_set(settings.username, settings.password.get_secret_value())
        self._client.max_inflight_messages_set(0)
        self._client.on_message = self._hear
        self._client.on_subscribe = self._on_subscribe
        self._client.connect(settings.host, settings.port, 30)
        self._client.loop_start()

    def _hear(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        self.heard.append(message)

    def _on_subscribe(self, *_: Any) -> None:
        self._subscribed.set()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos, retain)

    def publish_all(self, topic: str, payloads: list[bytes], *, qos: int = 1) -> None:
        """Publish and wait until the broker has all of them."""
        sent = [self.publish(topic, payload, qos=qos) for payload in payloads]
        for info in sent:
            info.wait_for_publish(DEADLINE_S)

    def subscribe(self, topic_filter: str) -> None:
        self._subscribed.clear()
        self._client.subscribe(topic_filter, qos=1)
        assert self._subscribed.wait(DEADLINE_S)

    def payloads(self, topic: str) -> list[bytes]:
        return [bytes(message.payload) for message in self.heard if message.topic == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def plant(broker: Broker) -> Iterator[PlantPeer]:
    """The plant's side of the parametrized broker."""
    peer = PlantPeer(broker.plant_settings())
    yield peer
    peer.close()
