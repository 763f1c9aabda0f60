"""Who is asking: a random cookie that the page gives, nothing more."""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.api.errors import answer
from studio.api.language import speaker_for
from studio.sentences import say

COOKIE = "studio_visitor"
PROGRAM = "api"  # a visitor without a cookie
_YEAR = 365 * 24 * 3600
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Visitors:
    """Middleware: knows a visitor by the cookie, gives a new one with a page.

    It also refuses changes that another site's page asks a visitor's browser to make.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the visitor into the scope's state, and the cookie into a page's answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE and headers.get("sec-fetch-site") == "cross-site":
            sentence = say("Another site's page may not use this studio.")
            refusal = answer(403, sentence, speaker_for(HTTPConnection(scope)))
            await refusal(scope, receive, send)
            return
        known = _visitor(headers.get("cookie", ""))
        scope.setdefault("state", {})["visitor"] = known or PROGRAM

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not known:
                answered = MutableHeaders(scope=message)
                if answered.get("content-type", "").startswith("text/html"):
                    answered.append("set-cookie", _new_cookie(scope["scheme"] == "https"))
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _visitor(cookies: str) -> str | None:
    try:
        morsel = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return None
    return morsel.value[:64] if morsel and morsel.value else None


def _new_cookie(secure: bool) -> str:
    parts = [f"{COOKIE}={secrets.token_urlsafe(16)}", "Path=/", f"Max-Age={_YEAR}"]
    return "; ".join([*parts, "HttpOnly", "SameSite=Lax", *(["Secure"] if secure else [])])
