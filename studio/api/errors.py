"""Errors as answers: always {"detail": "<sentence>", "problems": [{"field", "message"}]}.

The sentences are in the visitor's language, see `studio.api.language`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from studio.api.language import speaker_for
from studio.errors import (
    FieldProblem,
    HubError,
    InvalidRequest,
    NotFound,
    QueueFull,
    StorageError,
    StudioError,
)
from studio.languages import Speaker
from studio.sentences import Sentence, say, together

STATUS: tuple[tuple[type[StudioError], int], ...] = (
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


def answer(
    status: int, sentence: str, speaker: Speaker, problems: Sequence[FieldProblem] = ()
) -> JSONResponse:
    """An error's answer. Characters that cannot be sent (lone surrogates) are escaped."""

    def plain(text: str) -> str:
        return speaker(text).encode("utf-8", "backslashreplace").decode()

    body = {
        "detail": plain(sentence),
        "problems": [{"field": plain(p.field), "message": plain(p.message)} for p in problems],
    }
    return JSONResponse(body, status)


async def _studio_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StudioError)
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    problems = error.problems if isinstance(error, InvalidRequest) else ()
    return answer(status, error.sentence, speaker_for(request), problems)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentence = nothing_at(request, error.status_code) or error.detail
    return answer(error.status_code, sentence, speaker_for(request))


def nothing_at(request: Request, status: int) -> Sentence | None:
    """The sentence for an address that no route takes: 404, or 405; None for another status."""
    path = request.url.path
    if status == 404:
        return say("There is nothing at {path}; /docs lists what there is.", path=path)
    if status == 405:
        return say(
            "{path} does not take {method}; /docs lists what it takes.",
            path=path, method=request.method,
        )  # fmt: skip
    return None


async def _parameter_error(request: Request, error: Exception) -> JSONResponse:
    """A parameter in the address, or a field of a small body, is not what it has to be."""
    assert isinstance(error, RequestValidationError)
    problems = tuple(parameter_problem(detail) for detail in error.errors())
    whole = together([problem.message for problem in problems])
    return answer(422, whole, speaker_for(request), problems)


def parameter_problem(detail: Mapping[str, Any]) -> FieldProblem:
    """What Pydantic found wrong with a parameter or with a field of a small body."""
    name = str(detail["loc"][-1])
    return FieldProblem(name, say("{name}: {reason}.", name=name, reason=_reason(detail)))


def _reason(detail: Mapping[str, Any]) -> Sentence:
    """What Pydantic found, as the end of a sentence."""
    bounds = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return say("it is missing")
        case "bool_parsing" | "bool_type":
            return say("it must be true or false")
        case "int_parsing" | "int_type" | "int_from_float":
            return say("it must be a whole number")
        case "string_type":
            return say("it must be text")
        case "string_too_long":
            return say("it may have at most {most:,} characters", most=bounds["max_length"])
        case "less_than_equal":
            return say("it may be at most {most:,}", most=bounds["le"])
        case "greater_than_equal":
            return say("it must be at least {least:,}", least=bounds["ge"])
    return say("it is not what is expected here")


async def _crash(request: Request, error: Exception) -> JSONResponse:
    log.error("A request failed: %s", error)
    sentence = say("Something went wrong inside the studio ({error}).", error=type(error).__name__)
    return answer(500, sentence, speaker_for(request))
