"""The demo's child processes are ended whatever happens, and one that dies is named with its last words."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from edge_agent.demo.children import Child, ChildDiedError, Children

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    started = Children(tmp_path)
    yield started
    started.stop_all()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _ended(child: Child) -> None:
    child.process.wait(20)


def test_all_are_ended(children: Children) -> None:
    started = [children.start(f"sleeper-{n}", _python(SLEEPER), answers=True) for n in range(2)]
    assert [children.first_line(child) for child in started] == [b"ready\n", b"ready\n"]
    children.stop_all()
    assert [child.process.returncode for child in started] == [-15, -15]


def test_grandchildren_go_with_their_group(children: Children) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(600)"
    )
    parent = children.start("parent", _python(code), answers=True)
    grandchild = int(children.first_line(parent))
    assert _alive(grandchild)
    children.stop_all()
    deadline = time.monotonic() + 20
    while _alive(grandchild) and not _zombie(grandchild) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(grandchild) or _zombie(grandchild)


def _zombie(pid: int) -> bool:
    """An orphan that has ended stays in the table until its new parent looks; that is ended too."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - proc, not a file of ours
        return file.read().rsplit(")", 1)[1].split()[0] == "Z"


def test_one_that_ignores_sigterm_is_killed(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.demo.children.STOP_S", 0.2)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
    child = children.start("deaf", _python(deaf), answers=True)
    children.first_line(child)
    children.stop_all()
    assert child.process.returncode == -9


def test_a_child_that_dies_is_named_with_its_last_words(children: Children, tmp_path: Path) -> None:
    child = children.start("broken", _python("import sys; print('no such model', file=sys.stderr); sys.exit(3)"))
    _ended(child)
    with pytest.raises(ChildDiedError, match=r"(?s)broken ended with status 3.*no such model.*broken\.log"):
        children.check()
    assert (tmp_path / "broken.log").read_text("utf-8") == "no such model\n"


def test_finish_returns_an_accepted_status_and_refuses_others(children: Children) -> None:
    code = "import sys; sys.exit(1)"
    accepted = frozenset({0, 1})
    assert children.finish(children.start("no", _python(code)), 20, accepted=accepted) == 1
    with pytest.raises(ChildDiedError, match="no ended with status 1"):
        children.finish(children.start("no", _python(code)), 20)


def test_finish_watches_the_others_but_not_those_beside(children: Children) -> None:
    quick = children.start("quick", _python("pass"))
    _ended(quick)
    assert children.finish(children.start("work", _python("pass")), 20, beside=[quick]) == 0
    with pytest.raises(ChildDiedError, match="quick ended with status 0"):
        children.finish(children.start("work", _python(SLEEPER)), 20)


def test_finish_does_not_wait_for_ever(children: Children) -> None:
    with pytest.raises(ChildDiedError, match="slow is not done after 0 s"):
        children.finish(children.start("slow", _python(SLEEPER)), 0.1)


def test_a_child_without_its_answer_is_named(children: Children) -> None:
    child = children.start("mute", _python("import sys; sys.exit('port in use')"), answers=True)
    with pytest.raises(ChildDiedError, match=r"(?s)mute ended with status 1.*port in use"):
        children.first_line(child)
