"""The page's head, written into the HTML itself: paper before the first script has run.

Gradio adds the head it is given only once its own scripts run; until then the page would be white,
in the wrong theme and without a language. This middleware puts ours where a browser looks first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DESK = ("desk", "prompt", "prompting", "shape", "fine")
_WORKROOMS = (*_DESK, "stage", "beside", "canvas", "animate", "timeline")
_ROOMS = (*_WORKROOMS, "picture", "gallery", "models", "merge", "recipe")
STYLES = ("tokens", "gradio", "frame", "slider", *_ROOMS, "overlay", "sheet", "upscale")


def page_head(title: str, data: Mapping[str, object], modules: Iterable[str]) -> str:
    """The elements that go to the top of <head>; ``data`` is left there for the scripts as JSON.

    ``modules`` are the scripts' names: told at once, they are fetched together and not one after
    the other as their imports are found.
    """
    styles = "".join(f'<link rel="stylesheet" href="studio/css/{name}.css">' for name in STYLES)
    preloads = "".join(f'<link rel="modulepreload" href="studio/js/{name}">' for name in modules)
    facts = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return (
        f"<title>{escape(title)}</title>"
        '<link rel="icon" type="image/svg+xml" href="studio/icons/studio.svg">'
        '<script src="studio/js/boot.js"></script>'
        f"{styles}"
        f'<script type="application/json" id="studio-data">{facts}</script>'
        f"{preloads}"
        '<script type="module" src="studio/js/main.js"></script>'
    )


class FirstPaint:
    """ASGI middleware: answers for the page itself get ``head`` right after their base element."""

    _MARK = b'<base href="./" />'

    def __init__(self, app: ASGIApp, head: str) -> None:
        self._app, self._head = app, head.encode("utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; rewrite the one HTML page."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in ("", "/"):
            await self._app(scope, receive, send)
            return
        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _Rewriter(send, self._rewritten))

    def _rewritten(self, body: bytes) -> bytes:
        return body.replace(self._MARK, self._MARK + self._head, 1)


class _Rewriter:
    """Holds back one answer until it is whole, then sends it rewritten."""

    def __init__(self, send: Send, rewrite: Callable[[bytes], bytes]) -> None:
        self._send, self._rewrite = send, rewrite
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = self._rewrite(self._body)
        headers = MutableHeaders(scope=self._start)
        headers["content-length"] = str(len(body))
        headers["cache-control"] = "no-store"
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})
