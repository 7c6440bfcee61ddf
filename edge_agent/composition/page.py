"""The status page's server, and which application it shows."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from edge_agent.errors import AgentError
from edge_agent.status.server import create_app

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from edge_agent.settings.config import StatusSettings
    from edge_agent.status.context import StatusContext


class StatusPage:
    """The status page's server in its own thread.

    Raises:
        AgentError: its port is taken.
    """

    def __init__(self, context: StatusContext, settings: StatusSettings) -> None:
        self._app: FastAPI = create_app(context)
        config = uvicorn.Config(
            self._answer,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
            server_header=False,
            interface="asgi3",
        )
        self._server = uvicorn.Server(config)
        self._socket = _listen(settings)
        self._host = settings.host
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="page", daemon=True)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @property
    def url(self) -> str:
        """Where the page is."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}/"

    @property
    def alive(self) -> bool:
        """Whether the server's thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def show(self, context: StatusContext) -> None:
        """Show another context from the next request on; open pages connect anew."""
        before, self._app = self._app, create_app(context)
        before.state.live.close()

    def stop(self) -> None:
        """End; open live connections are closed."""
        self._app.state.live.close()  # else open pages hold the stop up
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        self._socket.close()


def _listen(settings: StatusSettings) -> socket.socket:
    """Bind before anything is started, so that a taken port is an error and not a running agent without a page."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named because asyncio turns Nagle's delay off only then: 40 ms an answer otherwise
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AgentError(
            f"the status page cannot listen on {host}:{port}: {error.strerror}",
            field="status.port",
            value=port,
            hint="choose another port, or end the program that uses it",
        ) from error
    return listener
