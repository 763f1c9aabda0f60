"""Routes that speak another program's API: their errors are answered in that program's form."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Match

from studio.api.errors import STATUS, nothing_at, parameter_problem
from studio.api.language import speaker_for
from studio.errors import InvalidRequest, StudioError
from studio.languages import Speaker
from studio.sentences import Sentence, say, together

log = logging.getLogger(__name__)


class Refused(StudioError):
    """What the other program answers with a status of its own; ``field`` as it is called there."""

    def __init__(self, status: int, sentence: Sentence, field: str = "") -> None:
        self.status, self.field = status, field
        super().__init__(sentence)


@dataclass(frozen=True)
class Failure:
    """An error as it is answered: ``sentence`` in the visitor's language, ``field`` as here."""

    status: int
    sentence: str
    field: str = ""


def failure_of(error: Exception, speaker: Speaker) -> Failure:
    """What went wrong, with the status that the studio's own API gives it."""

    def said(sentence: str) -> str:  # what cannot be sent (lone surrogates) is escaped
        return speaker(sentence).encode("utf-8", "backslashreplace").decode()

    match error:
        case Refused():
            return Failure(error.status, said(error.sentence), error.field)
        case InvalidRequest():
            return Failure(422, said(error.sentence), error.problems[0].field)
        case StudioError():
            status = next(status for kind, status in STATUS if isinstance(error, kind))
            return Failure(status, said(error.sentence))
        case HTTPException():
            return Failure(error.status_code, said(error.detail))
        case RequestValidationError():
            problems = [parameter_problem(detail) for detail in error.errors()]
            sentence = together([problem.message for problem in problems])
            return Failure(422, said(sentence), problems[0].field)
    log.exception("A request failed", exc_info=error)
    kind = type(error).__name__
    return Failure(500, said(say("Something went wrong inside the studio ({error}).", error=kind)))


async def written(make: Callable[[], BaseModel], nulls: bool = True) -> Response:
    """An answer that is made and written as JSON beside the event loop: pictures may be in it.

    ``nulls``: whether what is not there stands in it as null.
    """

    def write() -> bytes:
        return make().model_dump_json(exclude_none=not nulls).encode()

    return Response(await run_in_threadpool(write), media_type="application/json")


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def answered_by(form: Callable[[Exception, Failure], Response]) -> type[APIRoute]:
    """Routes whose errors ``form`` answers, and which say how many seconds an answer took."""

    class ForeignRoute(APIRoute):
        """One route of the other program."""

        def get_route_handler(self) -> Handler:
            """FastAPI's own handler, and the other form of what it raises."""
            handle = super().get_route_handler()

            async def answered(request: Request) -> Response:
                begun = time.perf_counter()
                try:
                    answer = await handle(request)
                except Exception as error:
                    answer = form(error, failure_of(error, speaker_for(request)))
                answer.headers["X-Process-Time"] = f"{time.perf_counter() - begun:.4f}"
                return answer

            return answered

    return ForeignRoute


def left_over(request: Request) -> HTTPException:
    """The error for an address that no route takes: 405 where another method is taken."""
    known = any(route.matches(request.scope)[0] is Match.PARTIAL for route in request.app.routes)
    status = 405 if known else 404
    return HTTPException(status, nothing_at(request, status))
