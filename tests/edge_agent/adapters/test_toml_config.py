from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.toml_config import ConfigFileError, data_dir_of, load, problems, read_secret
from edge_agent.errors import ConfigError
from edge_agent.settings.toml_lines import key_lines, nearest_line

if TYPE_CHECKING:
    from pathlib import Path

LEAST = '[agent]\nname = "a"\ndata_dir = "data"\n'
STATION = '[[stations]]\nname = "cam-1"\nline = "press-1"\nmodel = "bracket"\nfolder = { path = "in" }\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "lineproof.toml"
    path.write_text(text, encoding="utf-8")
    return path


def told(folder: Path, text: str) -> list[str]:
    """What `load` says, a line a problem."""
    with pytest.raises(ConfigFileError) as caught:
        load(written(folder, text))
    head, *lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    assert str(folder / "lineproof.toml") in head
    return lines


def test_the_least_file_loads_with_defaults(tmp_path: Path) -> None:
    settings = load(written(tmp_path, LEAST))
    assert settings.agent.data_dir == str(tmp_path / "data")
    assert settings.broker.port == 1883


def test_paths_are_relative_to_the_file_and_names_of_models_stay_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    text = (
        LEAST
        + '[broker]\npassword_file = "secret"\n[broker.tls]\nca_file = "tls/ca.pem"\n'
        + STATION.replace('"in"', '"../in", after = "move", done_path = "/done"')
        + '[[assets]]\nname = "press"\nline = "press-1"\nmodel = "models/press"\n'
        + '[[mqtt.readings]]\nfilter = "plant/press"\nline = "press-1"\nasset = "press"\nchannel = "temp"\n'
    )
    settings = load(written(tmp_path, text))
    assert settings.broker.password_file == str(secret)
    assert settings.broker.tls is not None
    assert settings.broker.tls.ca_file == str(tmp_path / "tls" / "ca.pem")
    assert settings.stations[0].model == "bracket"
    assert settings.stations[0].folder is not None
    assert settings.stations[0].folder.path == str(tmp_path.parent / "in")
    assert settings.stations[0].folder.done_path == "/done"
    assert settings.assets[0].model == str(tmp_path / "models" / "press")


WATCHED = '[[assets]]\nname = "pres"\nline = "press-1"\nmodel = "m"\n'
ALARMED = (
    '[[alarms]]\nname = "hot"\nline = "press-1"\nasset = "press"\nsignal = "die_temprature"\nabove = 80\n'
    'action = "Open the valve"\n'
)


@pytest.mark.parametrize(
    ("part", "message"),
    [(WATCHED, "carries readings of press-1/pres"), (ALARMED, "'die_temprature' (carried: die_temperature)")],
)
def test_what_no_topic_carries_can_neither_be_watched_nor_alarmed(tmp_path: Path, part: str, message: str) -> None:
    readings = '[[mqtt.readings]]\nfilter = "p"\nline = "press-1"\nasset = "press"\nchannel = "die_temperature"\n'
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, LEAST + readings + part))
    assert message in str(refused.value)


def test_channels_may_have_spaces_in_their_names(tmp_path: Path) -> None:
    text = LEAST + (
        '[[mqtt.readings]]\nfilter = "skab/#"\nline = "l"\nasset = "pump"\n'
        'channels = { "Volume Flow RateRMS" = "L/min", Current = "A" }\n'
    )
    assert load(written(tmp_path, text)).mqtt.readings[0].channels == {"Volume Flow RateRMS": "L/min", "Current": "A"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            LEAST + 'langauge = "ko"\n',
            'lineproof.toml:4: agent.langauge = "ko": is not a setting. Fix: did you mean language?',
        ),
        (
            LEAST + "[broker]\n\nport = 70000\n",
            (
                "lineproof.toml:6: broker.port = 70000: must be at most 65535. "
                "Fix: write a value at least 1 and at most 65535"
            ),
        ),
        (
            LEAST + "[broker]\nkeepalive_s = 30000\n",
            (
                "lineproof.toml:5: broker.keepalive_s = 30000: must be at most 600. "
                "Fix: this is in seconds; 30000 ms is 30"
            ),
        ),
        (
            LEAST + STATION.replace('path = "in"', 'path = "in", settle_ms = 0.3'),
            (
                "lineproof.toml:8: stations[1].folder.settle_ms = 0.3: is not a whole number. "
                "Fix: this is in milliseconds; 0.3 s is 300"
            ),
        ),
        (
            LEAST + "[mqtt]\nmax_payload_bytes = 4\n",
            (
                "lineproof.toml:5: mqtt.max_payload_bytes = 4: must be at least 64. "
                "Fix: this is in bytes; 4 MiB is 4194304"
            ),
        ),
        (
            LEAST + '[broker]\nport = "1883"\n',
            'lineproof.toml:5: broker.port = "1883": is not a whole number. Fix: write it without quotes',
        ),
        (
            LEAST + "[broker]\nport = true\n",
            "lineproof.toml:5: broker.port = true: is not a whole number. Fix: Broker port; 8883 with TLS",
        ),
        (
            '[agent]\ndata_dir = "d"\n',
            (
                "lineproof.toml:1: agent.name: is missing. "
                "Fix: add name = ... (Name of this agent; part of its MQTT client ids and topics)"
            ),
        ),
        (
            LEAST.replace('"a"', '"press 1"'),
            (
                'lineproof.toml:2: agent.name = "press 1": has characters that cannot be used here. '
                "Fix: use up to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit"
            ),
        ),
        (
            LEAST + STATION + 'mode = "Live"\n',
            (
                "lineproof.toml:9: stations[1].mode = \"Live\": must be one of 'shadow' or 'live'. "
                "Fix: choose one of 'shadow' or 'live'"
            ),
        ),
        (
            LEAST + STATION + 'mode = "live"\n',
            (
                "lineproof.toml:4: stations[1].on_late: on_late is not written, and a live station must say what a "
                'late reject raises. Fix: add on_late = "stop", "divert" or "none"'
            ),
        ),
        (
            LEAST + STATION + 'mode = "live"\non_late = "none"\ndeadline_ms = 2\n',
            (
                "lineproof.toml:11: stations[1].deadline_ms: deadline_ms is 2, and a live station needs at least 100. "
                "Fix: write milliseconds, 100 or more"
            ),
        ),
        (
            LEAST + "[sink]\nheartbeat_s = 10\n",
            (
                "lineproof.toml:5: sink.heartbeat_s = 10: must be at most 8.0. "
                "Fix: write a value at least 0.2 and at most 8"
            ),
        ),
        (
            LEAST + '[status]\nhosts = ["http://line.plant:8080"]\n',
            (
                'lineproof.toml:5: status.hosts[1] = "http://line.plant:8080": has characters that cannot be used '
                "here. Fix: write the name alone, without http:// and port"
            ),
        ),
        (
            LEAST + 'time_zone = "Seoul"\n',
            (
                'lineproof.toml:4: agent.time_zone = "Seoul": is not a time zone. '
                'Fix: write an IANA name such as "Asia/Seoul"'
            ),
        ),
        (
            LEAST + "[sink]\nheartbeat_s = inf\n",
            "lineproof.toml:5: sink.heartbeat_s = inf: is no value of a setting. Fix: write a finite number",
        ),
        (
            LEAST + 'shift_starts = ["06:00", "25:00"]\n',
            (
                "lineproof.toml:4: agent.shift_starts: shift_starts are times of day, HH:MM. "
                "Fix: change one of the settings that contradict each other"
            ),
        ),
        (
            LEAST + STATION + STATION.replace('"in"', '"in2"'),
            (
                "lineproof.toml:10: stations[2].name: stations: 'cam-1' is given twice. "
                "Fix: change one of the settings that contradict each other"
            ),
        ),
        (
            LEAST + '[status]\nhost = "0.0.0.0"\n',
            (
                "lineproof.toml:5: status.host: status.host listens beyond this machine, "
                "and status.trusted_network = true does not say that it may. "
                "Fix: change one of the settings that contradict each other"
            ),
        ),
        (
            LEAST + STATION.replace('"in"', '"in", after = "move", done_path = "in/done"'),
            (
                "lineproof.toml:8: stations[1].folder.done_path: done_path lies within the watched folder, "
                "where its files would be judged again. Fix: change one of the settings that contradict each other"
            ),
        ),
        (
            LEAST + '[[mqtt.facts]]\nfilter = "plant/#/state"\nline = "l"\nkind = "energy"\n',
            (
                'lineproof.toml:5: mqtt.facts[1].filter = "plant/#/state": is no MQTT topic filter. '
                "Fix: correct it: # must be the last level"
            ),
        ),
        (
            LEAST + '[[mqtt.unified]]\npattern = "a/{line}x"\nlines = ["l"]\nassets = ["m"]\nchannels = { c = "1" }\n',
            (
                'lineproof.toml:5: mqtt.unified[1].pattern = "a/{line}x": is no MQTT topic pattern. '
                "Fix: correct it: '{line}x' is no named level; write {name} between two /"
            ),
        ),
        (
            LEAST + '[[mqtt.images]]\npattern = "a"\nstation = "nobody"\n',
            (
                "lineproof.toml:6: mqtt.images[1].station: mqtt.images: 'nobody' is no station. "
                "Fix: name one of [[stations]]"
            ),
        ),
        (
            LEAST + '[[mqtt.readings]]\nfilter = "a"\nline = "l"\nasset = "m"\nchannels = { seq = "1" }\n',
            (
                "lineproof.toml:8: mqtt.readings[1].channels.seq: has a meaning of its own in a message "
                "and cannot be a channel. Fix: rename it"
            ),
        ),
        (
            "[agent\n",
            (
                "lineproof.toml:1: is not TOML: Expected ']' at the end of a table declaration. "
                "Fix: correct the line that reads '[agent'; text stands in quotes, lists in [ ]"
            ),
        ),
    ],
)
def test_each_fault_is_told_with_its_line_value_reason_and_fix(tmp_path: Path, text: str, line: str) -> None:
    assert told(tmp_path, text) == [line]


@pytest.mark.parametrize("written_action", ["none", "stop", "divert"])
def test_a_live_station_says_what_a_late_reject_raises(tmp_path: Path, written_action: str) -> None:
    (live,) = load(
        written(tmp_path, LEAST + STATION + f'mode = "live"\non_late = "{written_action}"\ndeadline_ms = 100\n')
    ).stations
    assert (live.on_late, live.late_action) == (written_action, written_action)


def test_a_shadow_station_need_not_decide(tmp_path: Path) -> None:
    (shadow,) = load(written(tmp_path, LEAST + STATION + "deadline_ms = 1\n")).stations
    assert (shadow.mode, shadow.on_late, shadow.late_action) == ("shadow", None, "none")


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = LEAST + 'time_zone = "Seoul"\n[broker]\nport = 0\nhots = "x"\n[nonsense]\n'
    assert [line.split(": ")[0] for line in told(tmp_path, text)] == [
        "lineproof.toml:4",
        "lineproof.toml:6",
        "lineproof.toml:7",
        "lineproof.toml:8",
    ]


def test_a_secret_never_shows(tmp_path: Path) -> None:
    lines = told(tmp_path, LEAST + '[broker]\npassword = 12345678\nusername = "u"\n')
    assert lines == [
        (
            "lineproof.toml:5: broker.password = (hidden): is not text; write it in quotes. "
            "Fix: Password itself; prefer password_file"
        )
    ]


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml")[0].reason == "cannot be read: No such file or directory"
    path = tmp_path / "lineproof.toml"
    path.write_bytes("[agent]\nname = '프레스'".encode("cp949"))
    assert problems(path)[0].reason == "is not UTF-8 text at byte 16"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "lineproof.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.encode())
    assert load(path).agent.name == "a"


def test_check_names_models_and_certificates_that_are_not_there(tmp_path: Path) -> None:
    text = LEAST + '[broker.tls]\nca_file = "ca.pem"\n' + STATION.replace('"bracket"', '"models/bracket"')
    found = problems(written(tmp_path, text))
    assert [(problem.key, problem.line) for problem in found] == [("broker.tls.ca_file", 5), ("stations[1].model", 9)]
    assert found[1].fix == f"teach one: edge-model teach images --good DIR --out {tmp_path / 'models' / 'bracket'}"
    (tmp_path / "ca.pem").touch()
    (tmp_path / "models" / "bracket").mkdir(parents=True)
    assert problems(tmp_path / "lineproof.toml") == []


RECIPE = 'unknown_product = "no_verdict"\n[[stations.recipes]]\nproduct = "bracket-b"\n'


@pytest.mark.parametrize(
    ("before", "station", "expected"),
    [
        ("", "", ["stations[1].unknown_product"]),
        ("", 'product = "bracket-a"\n', []),
        ('[[mqtt.products]]\nfilter = "product"\nline = "press-1"\n', "", []),
        ('[[mqtt.images]]\npattern = "camera/{product}/{part}"\nstation = "cam-1"\n', "", []),
        ('[[mqtt.images]]\npattern = "camera/{part}"\nstation = "cam-1"\n', "", ["stations[1].unknown_product"]),
    ],
)
def test_check_names_a_station_whose_parts_have_no_product_that_a_recipe_fits(
    tmp_path: Path, before: str, station: str, expected: list[str]
) -> None:
    (tmp_path / "data" / "models" / "bracket").mkdir(parents=True)
    text = LEAST + before + STATION + station + RECIPE
    assert [problem.key for problem in problems(written(tmp_path, text))] == expected


def test_a_file_that_is_no_toml_is_told_in_the_words_of_check(tmp_path: Path) -> None:
    path = written(tmp_path, "data/lineproof\n")
    with pytest.raises(ConfigFileError) as caught:
        data_dir_of(path)
    assert caught.value.problems == tuple(problems(path))
    assert data_dir_of(written(tmp_path, '[agent]\ndata_dir = "data"\n[[[')) == tmp_path / "data"


def test_a_password_file_open_to_others_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o644)
    (line,) = told(tmp_path, LEAST + '[broker]\npassword_file = "secret"\n')
    assert line == (
        f"lineproof.toml:5: broker.password_file = {secret}: the secret in {secret} is open to every user (mode 644). "
        f"Fix: chmod 600 {secret}"
    )


@pytest.mark.parametrize(("mode", "who"), [(0o604, "every user"), (0o640, "its group"), (0o620, "its group")])
def test_our_own_secret_is_for_us_alone(tmp_path: Path, mode: int, who: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    secret.chmod(mode)
    with pytest.raises(ConfigError, match=f"open to {who}"):
        read_secret(secret)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_secret_of_another_owner_may_reach_us_through_its_group(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\r\n")
    os.chown(secret, 65_534, -1)
    secret.chmod(0o640)
    assert read_secret(secret) == "s3cret"
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 640"):
        read_secret(secret)


def test_missing_and_empty_secrets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(tmp_path / "none")
    (tmp_path / "secret").write_text("\n")
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(ConfigError, match="is empty"):
        read_secret(tmp_path / "secret")


# ---- lines of keys ----------------------------------------------------------------------------------------------


def test_lines_of_every_way_to_write_a_key() -> None:
    text = '''# comment [not.a.table]
a = """
x = 1
"""   # = [
"quoted key" = 'b # c'
[t.u]
list = [
  1,
  { in = 2 },  # ]
]
dotted.deep = 3
[[many]]
k = 1
[many.sub]
k = 2
[[many]]
inline = { x = 1, y = [ "]" , '}' ] }
'''
    lines = key_lines(text)
    expected = {
        ("a",): 2,
        ("quoted key",): 5,
        ("t",): 6,
        ("t", "u"): 6,
        ("t", "u", "list"): 7,
        ("t", "u", "list", 0): 8,
        ("t", "u", "list", 1, "in"): 9,
        ("t", "u", "dotted", "deep"): 11,
        ("many",): 12,
        ("many", 0): 12,
        ("many", 0, "k"): 13,
        ("many", 0, "sub"): 14,
        ("many", 0, "sub", "k"): 15,
        ("many", 1): 16,
        ("many", 1, "inline", "y", 1): 17,
    }
    assert {key: lines[key] for key in expected} == expected
    assert nearest_line(lines, ("many", 1, "absent", "key")) == 16
    assert nearest_line(lines, ("nowhere",)) is None


@given(st.text(alphabet="ab=[]{}\"'\\.,#\n 1", max_size=60))
def test_every_key_of_a_valid_text_has_a_line_and_no_text_crashes(text: str) -> None:
    lines = key_lines(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert {key[0] for key in lines} >= set(data)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
