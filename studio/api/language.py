"""Which language an answer is in: its sentences are said as the visitor reads them."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Annotated

from pydantic import PlainSerializer, SkipValidation
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.languages import COOKIE, Speaker, wanted_language

_speaker: ContextVar[Speaker | None] = ContextVar("speaker", default=None)


def _said(text: str) -> str:
    speaker = _speaker.get()
    return speaker(text) if speaker else text


Said = Annotated[str, SkipValidation, PlainSerializer(_said, return_type=str)]
"""A sentence in an answer: every field that a person reads has this type."""


def speaker_for(asking: HTTPConnection) -> Speaker:
    """Who answers this request: by the page's cookie, else by Accept-Language, else in English."""
    headers, cookies = asking.headers, asking.cookies
    language = wanted_language(cookies.get(COOKIE), headers.get("accept-language"))
    speaker: Speaker = asking.app.state.studio.speakers[language]
    return speaker


class Tongues:
    """Middleware: while a request is answered, its answers' sentences are in its language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the speaker; everything else is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = _speaker.set(speaker_for(HTTPConnection(scope)))
        try:
            await self._app(scope, receive, send)
        finally:
            _speaker.reset(token)
