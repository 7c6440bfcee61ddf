"""What every request passes before a route sees it: host, origin, size; and the headers every answer carries."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from edge_agent.status.problems import RequestProblemError, problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT_BYTES = 64 * 1024

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses foreign hosts and origins and oversized bodies, and adds the security headers (ASGI middleware).

    A page elsewhere whose name is made to resolve to this machine (DNS rebinding) still sends its own name, so only
    addresses, `localhost` and the configured names are answered, wherever the request comes in. An address is no name
    that somebody else could point here.

    Args:
        app: what is guarded.
        hosts: further names the page may be opened by (`status.hosts`).
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        problem = self._refusal(scope)
        if problem is not None:
            await problem_response(problem)(scope, receive, send_guarded)
            return
        if scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send_guarded)
            return
        body = await _read_limited(receive)
        if body is None:
            await problem_response(_too_large())(scope, receive, send_guarded)
            return
        await self._app(scope, _replay(body, receive), send_guarded)

    def _refusal(self, scope: Scope) -> RequestProblemError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not _is_address(_name(host)) and _name(host) not in self._names:
            hint = "Open it by this machine's address, or add the name to status.hosts in the configuration."
            return RequestProblemError(421, "wrong_host", f"This page is not {_name(host)!r}.", hint)
        if scope["method"] in _SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            hint = "Judge parts on the status page itself, under one address."
            return RequestProblemError(403, "foreign_origin", "The request comes from another site.", hint)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > BODY_LIMIT_BYTES:
            return _too_large()
        return None


def _too_large() -> RequestProblemError:
    return RequestProblemError(
        413, "body_too_large", f"The body is larger than {BODY_LIMIT_BYTES} bytes.", "Shorten the note."
    )


def _name(host: str) -> str:
    """The host without its port, in lower case; brackets of an IPv6 address removed."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _read_limited(receive: Receive) -> bytes | None:
    """The whole body, or None once it exceeds the limit, whatever its headers claimed."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_LIMIT_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive channel that gives the body once and then whatever comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay
