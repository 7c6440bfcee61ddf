"""Finds a port on 127.0.0.1 for a page: the wanted one, else the next that is free."""

from __future__ import annotations

import socket

from edge_agent.errors import ConfigError

TRIED = 50


def free_port(wanted: int) -> int:
    """The first free port from `wanted` on.

    Raises:
        ConfigError: none of the next fifty is free.
    """
    for port in range(wanted, min(wanted + TRIED, 65_536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do, so that a port in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ConfigError("no free port", field="--port", value=wanted, hint="name another port")
