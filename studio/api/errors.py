"""Errors as answers: always {"detail": "<sentence>", "problems": [{"field", "message"}]}."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from studio.errors import (
    FieldProblem,
    HubError,
    InvalidRequest,
    NotFound,
    QueueFull,
    StorageError,
    StudioError,
)

_STATUS: tuple[tuple[type[StudioError], int], ...] = (
    (InvalidRequest, 422),
    (NotFound, 404),
    (QueueFull, 503),
    (StorageError, 507),
    (HubError, 502),
    (StudioError, 409),
)

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer every kind of error in the one form."""
    app.add_exception_handler(StudioError, _studio_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _parameter_error)
    app.add_exception_handler(Exception, _crash)


def answer(status: int, sentence: str, problems: Sequence[FieldProblem] = ()) -> JSONResponse:
    """An error's answer. Characters that cannot be sent (lone surrogates) are escaped."""

    def plain(text: str) -> str:
        return text.encode("utf-8", "backslashreplace").decode()

    body = {
        "detail": plain(sentence),
        "problems": [{"field": plain(p.field), "message": plain(p.message)} for p in problems],
    }
    return JSONResponse(body, status)


async def _studio_error(_: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return answer(status, str(error), getattr(error, "problems", ()))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentence = str(error.detail)
    if error.status_code == 404:
        sentence = f"There is nothing at {request.url.path}; /docs lists what there is."
    if error.status_code == 405:
        sentence = f"{request.url.path} does not take {request.method}; /docs lists what it takes."
    return answer(error.status_code, sentence)


async def _parameter_error(_: Request, error: Exception) -> JSONResponse:
    """A parameter in the address is wrong; bodies are checked by the studio itself."""
    assert isinstance(error, RequestValidationError)
    problems = tuple(
        FieldProblem(str(detail["loc"][-1]), f"{detail['loc'][-1]}: {detail['msg']}.")
        for detail in error.errors()
    )
    return answer(422, " ".join(problem.message for problem in problems), problems)


async def _crash(_: Request, error: Exception) -> JSONResponse:
    log.error("A request failed: %s", error)
    return answer(500, f"Something went wrong inside the studio ({type(error).__name__}).")
