"""/sdapi/v1: AUTOMATIC1111's API, so that the programs that speak it can use this studio.

Every request becomes a job as the page's do; `fields` is the one table between the two languages.
Who may call is decided where visitors are known (`studio.api.visitors`), for all routes alike.
"""

from fastapi import APIRouter, Request

from studio.api.a1111 import choices, extras, generate, reading, running, scripts
from studio.api.a1111.errors import A1111Error, A1111Route
from studio.api.foreign import Refused, left_over
from studio.sentences import say

PREFIX = "/sdapi/v1"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def a1111_router() -> APIRouter:
    """Every route of it."""
    router = APIRouter(
        tags=["AUTOMATIC1111"],
        responses={status: {"model": A1111Error} for status in ("4XX", "5XX")},
    )
    for room in (generate, extras, choices, running, reading):
        router.include_router(room.router, prefix=PREFIX)
    return router


def a1111_refusals() -> APIRouter:
    """What is left over, which must not reach the page: that would answer otherwise.

    Under the prefix, and where extensions of A1111 would answer.
    """
    router = APIRouter(route_class=A1111Route, include_in_schema=False)
    router.add_api_route(PREFIX + "/{rest:path}", _nothing, methods=_METHODS)
    for first in scripts.extensions():
        router.add_api_route(f"/{first}/{{rest:path}}", _no_extension, methods=_METHODS)
        router.add_api_route(f"/{first}", _no_extension, methods=_METHODS)
    return router


def _nothing(request: Request) -> None:
    raise left_over(request)


def _no_extension(request: Request) -> None:
    name = scripts.extension_at(request.url.path)
    raise Refused(404, say("The extension {name} is not part of this studio.", name=str(name)))
