"""Who looks: language, line and name of a visitor, from the request and the cookies the page sets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from edge_agent.status.problems import RequestProblemError
from edge_agent.status.words import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from edge_agent.status.context import StatusContext
    from edge_agent.status.words import Language

LANGUAGE_COOKIE = "lineproof_lang"
REVIEWER_COOKIE = "lineproof_reviewer"
REVIEWER_MAX = 64
_COOKIE_AGE_S = 180 * 86_400


def language_of(request: Request, context: StatusContext) -> Language:
    """The language asked for, else the one kept, else the plant's."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        for language in LANGUAGES:
            if wanted == language:
                return language
    return context.settings.language


def line_of(request: Request, context: StatusContext) -> str:
    """The line asked for, else the first; empty when none is configured.

    Raises:
        RequestProblemError: no line of that name.
    """
    wanted = request.query_params.get("line")
    if wanted is None:
        return context.lines[0] if context.lines else ""
    if wanted not in context.lines:
        raise RequestProblemError(
            404, "no_such_line", f"No line is called {wanted!r}.", f"Lines are: {', '.join(context.lines) or 'none'}."
        )
    return wanted


def reviewer_of(request: Request) -> str:
    """The name a visitor judged under before, empty at first."""
    return unquote(request.cookies.get(REVIEWER_COOKIE, ""))[:REVIEWER_MAX].strip()


def remember_language(response: Response, language: Language) -> None:
    """Keep the language for the next visit."""
    _keep(response, LANGUAGE_COOKIE, language)


def remember_reviewer(response: Response, name: str) -> None:
    """Keep the name for the next judgement."""
    _keep(response, REVIEWER_COOKIE, quote(name))


def _keep(response: Response, cookie: str, value: str) -> None:
    response.set_cookie(cookie, value, max_age=_COOKIE_AGE_S, httponly=True, samesite="strict")
