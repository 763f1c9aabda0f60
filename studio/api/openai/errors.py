"""OpenAI's form of an error: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from studio.api.foreign import Failure, answered_by
from studio.api.openai.fields import name_of

_BAD_REQUEST = 400
_UNPROCESSABLE = 422


class OpenAIProblem(BaseModel):
    """``message`` is one sentence, ``param`` the field that is wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(BaseModel):
    """Every error."""

    error: OpenAIProblem


def _answer(error: Exception, failure: Failure) -> JSONResponse:
    del error
    status = _BAD_REQUEST if failure.status == _UNPROCESSABLE else failure.status
    missing = failure.field == "model"
    body = OpenAIError(
        error=OpenAIProblem(
            message=failure.sentence,
            type="invalid_request_error" if status < 500 else "server_error",
            param=name_of(failure.field) if failure.field else None,
            code="model_not_found" if missing else None,
        )
    )
    answer = JSONResponse(body.model_dump(), 404 if missing else status)
    if status != 503:  # a full queue may have room soon; nothing else gets better by itself
        answer.headers["x-should-retry"] = "false"
    return answer


OpenAIRoute = answered_by(_answer)
