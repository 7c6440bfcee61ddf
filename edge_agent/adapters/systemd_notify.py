"""Tells systemd that the agent is ready and alive (the sd_notify protocol); does nothing elsewhere."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Send one state, such as `READY=1` or `WATCHDOG=1`; returns whether a supervisor listens.

    Source: sd_notify(3); the address is a path, or an abstract name when it begins with `@`.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(state.encode(), target)
        except OSError:
            return False  # a supervisor that went away must not take the agent with it
    return True
