"""A1111's form of an error; for a body that cannot be read it is FastAPI's own."""

from __future__ import annotations

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from studio.api.foreign import Failure, answered_by
from studio.errors import InvalidRequest

_PICTURES = {"init_image", "mask_image", "image"}
_FIELDS = {"sampler": 400, "hires_sampler": 400}  # since version 1.10


class A1111Error(BaseModel):
    """``error`` is the kind, ``detail`` one sentence."""

    error: str
    detail: str
    body: str
    errors: str


def _answer(error: Exception, failure: Failure) -> JSONResponse:
    if isinstance(error, RequestValidationError):
        # what was given stays away: it may be a whole picture
        kept = [{name: one[name] for name in ("loc", "msg", "type")} for one in error.errors()]
        return JSONResponse({"detail": jsonable_encoder(kept)}, 422)
    status = failure.status
    if isinstance(error, InvalidRequest):
        status = _FIELDS.get(failure.field, 500 if failure.field in _PICTURES else status)
    said = failure.sentence
    return JSONResponse(
        {"error": "HTTPException", "detail": said, "body": "", "errors": said}, status
    )


A1111Route = answered_by(_answer)
