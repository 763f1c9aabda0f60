"""What comes in: the studio, the visitor, and a body that is a JSON object of bounded size."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from studio.bootstrap import Studio
from studio.errors import InvalidRequest
from studio.sentences import say

MAX_BODY = 1_000_000
MAX_PICTURE_BODY = 48_000_000
_DRAINED = 16 * MAX_BODY  # of a body too large, read and dropped so that the answer arrives


async def _studio(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


async def _visitor(request: Request) -> str:
    return str(request.state.visitor)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of the body; InvalidRequest when it is something else, 413 when too large."""
    return _object(await whole_body(request, MAX_BODY))


async def _body_with_picture(request: Request) -> dict[str, Any]:
    """The same for a body that a whole picture may be in; read beside the event loop."""
    return await run_in_threadpool(_object, await whole_body(request, MAX_PICTURE_BODY))


async def whole_body(request: Request, most: int) -> bytes:
    """The body; HTTPException with 413 when it has more bytes than ``most``."""
    content, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            content += chunk
        elif size > most + _DRAINED:
            break
    if size > most:
        raise HTTPException(413, say("The body may have at most {most:,} bytes.", most=most))
    return bytes(content)


def _object(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        sentence = say("The body is not valid JSON.")
        if isinstance(error, json.JSONDecodeError):
            place = str(error)
            sentence = say("The body is not valid JSON ({place}).", place=place)
        raise InvalidRequest.of("body", sentence) from None
    if not isinstance(values, dict):
        sentence = say("The body must be a JSON object, with fields by name.")
        raise InvalidRequest.of("body", sentence)
    return values


TheStudio = Annotated[Studio, Depends(_studio)]
Visitor = Annotated[str, Depends(_visitor)]
Body = Annotated[dict[str, Any], Depends(_body)]
PictureBody = Annotated[dict[str, Any], Depends(_body_with_picture)]


def content(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The description of an answer that is not JSON, by its media types."""
    return {200: {"content": {kind: {} for kind in kinds}}}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """The description of a JSON body, for a route that checks the body itself."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
