"""The agent's end of one camera process: start it, take its records, give slots back, kill it."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from edge_agent.adapters.camera_frames import RECORD_BYTES, Ending, Record, RecordKind

if TYPE_CHECKING:
    from edge_agent.adapters.camera_frames import CameraRequest

_READ_BYTES = RECORD_BYTES * 256
_REAP_S = 5.0
_COMMAND = (sys.executable, "-P", "-m", "edge_agent.adapters.camera_child")


class CameraProcess:
    """One process for one connection to a camera; used by one thread, `content` under its owner's lock.

    Args:
        request: what to open; `memory` is filled in here.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, request: CameraRequest) -> None:
        self._memory_fd = os.memfd_create("camera", os.MFD_CLOEXEC)
        self._memory: mmap.mmap | None = None
        self._slot_bytes = 0
        self._partial = b""
        self._ended = False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module; nothing in the command comes from outside
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=(self._memory_fd,),
                start_new_session=True,  # Ctrl-C at a terminal is for the agent, which ends us in order
            )
        except OSError:
            os.close(self._memory_fd)
            raise
        line = msgspec.json.encode(msgspec.structs.replace(request, memory=self._memory_fd)) + b"\n"
        self._write(line)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def poll(self, timeout_s: float) -> list[Record]:
        """Records that have come, after waiting for the first at most so long; an end is told once, last."""
        stream = self._process.stdout
        if stream is None or self._ended:
            return []
        ready, _, _ = select.select([stream], [], [], timeout_s)
        if not ready:
            return []
        data = os.read(stream.fileno(), _READ_BYTES)
        if not data:
            self._ended = True
            return [Record(RecordKind.ENDED, Ending.FAILED)]
        data = self._partial + data
        whole = len(data) // RECORD_BYTES * RECORD_BYTES
        self._partial = data[whole:]
        records = [Record.unpack(data[at : at + RECORD_BYTES]) for at in range(0, whole, RECORD_BYTES)]
        for record in records:
            if record.kind == RecordKind.OPENED:
                self._memory = mmap.mmap(self._memory_fd, 0, prot=mmap.PROT_READ)
                self._slot_bytes = record.slot_bytes
            self._ended = self._ended or record.kind == RecordKind.ENDED
        return records

    def content(self, frame: Record) -> bytes:
        """The bitmap of a frame whose slot is ours."""
        if self._memory is None:
            return b""
        begin = frame.detail * self._slot_bytes
        return self._memory[begin : begin + frame.size]

    def give_back(self, frame: Record) -> None:
        """Let the process use a frame's slot again."""
        self._write(bytes([frame.detail]))

    def kill(self) -> None:
        """End the process, whatever it hangs in, and release everything."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in a driver: the kernel ends it when it can
            self._process.wait(_REAP_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        os.close(self._memory_fd)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended; its records say so
            if self._process.stdin is not None:
                self._process.stdin.write(data)
