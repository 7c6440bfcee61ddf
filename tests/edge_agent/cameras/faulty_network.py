"""The cable between a camera and the agent: forwards TCP, and can refuse, cut, hold back and trickle."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_CHUNK = 4_096


class FaultyNetwork:
    """Forwards connections to a port; attributes may be changed while it runs.

    Attributes:
        held: nothing from the camera comes through; when let go, all that was held comes at once.
        bytes_per_s: no more than so much comes through, None for all.
        cut_after: bytes after which every connection is cut, None for never.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.held = False
        self.bytes_per_s: float | None = None
        self.cut_after: int | None = None
        self.port = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self.come_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_down()

    def come_up(self) -> None:
        """Accept connections, on the port that was taken first."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def go_down(self) -> None:
        """Refuse connections and cut those that are there."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Cut every connection at once, wherever it stands."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            threading.Thread(target=self._join, args=(near, far), daemon=True).start()

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            up = threading.Thread(target=self._forward, args=(near, far), kwargs={"down": False}, daemon=True)
            up.start()
            self._forward(far, near, down=True)
            up.join()
        self._open -= {near, far}

    def _forward(self, source: socket.socket, target: socket.socket, *, down: bool) -> None:
        passed = 0
        try:
            while data := source.recv(_CHUNK):
                while down and self.held:
                    time.sleep(0.005)
                if down and self.bytes_per_s is not None:
                    time.sleep(len(data) / self.bytes_per_s)
                passed += len(data)
                target.sendall(data)
                if down and self.cut_after is not None and passed >= self.cut_after:
                    return
        except OSError:
            return
        finally:
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
