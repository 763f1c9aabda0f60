"""/v1/images: OpenAI's API of pictures, so that the programs that speak it can use this studio.

Every request becomes a job as the page's do; `fields` is the one table between the two languages.
"""

from fastapi import APIRouter, Request

from studio.api.foreign import left_over
from studio.api.openai import images, models
from studio.api.openai.errors import OpenAIError, OpenAIRoute

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def openai_router() -> APIRouter:
    """Every route of it."""
    router = APIRouter(
        tags=["OpenAI"],
        responses={status: {"model": OpenAIError} for status in ("4XX", "5XX")},
    )
    for room in (images, models):
        router.include_router(room.router, prefix="/v1")
    return router


def openai_refusals() -> APIRouter:
    """What is left over, which must not reach the page: that would answer otherwise."""
    router = APIRouter(route_class=OpenAIRoute, include_in_schema=False)
    router.add_api_route("/v1/{rest:path}", _nothing, methods=_METHODS)
    return router


def _nothing(request: Request) -> None:
    raise left_over(request)
