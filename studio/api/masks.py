"""/api/v1/masks: a mask from words, as a model sees them in a picture."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from studio.api.errors import parameter_problem
from studio.api.inputs import PictureBody, TheStudio, Visitor, json_body
from studio.api.sources import SourceAnswer
from studio.api.waiting import done
from studio.errors import InvalidRequest
from studio.request import MAX_MODEL, MAX_PROMPT
from studio.sentences import say
from studio.wordmasks import Asked

router = APIRouter(prefix="/api/v1/masks", tags=["pictures"])

_NO_PROMPT = "What the picture shows; left out, what it was painted from."
_NO_MODEL = "Who looks; left out, the model that new pages start with."
_SURE = "How sure it has to be; left out, it is found."
_RIM = "Pixels around what is found; left out, a little."


class MaskBody(BaseModel):
    """Which picture (``picture`` or ``source``), and what to look for in it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    picture: str | None = Field(None, description="A file in base64, or the id of a picture here.")
    source: str | None = Field(None, description="The hash of a kept picture.")
    words: str = Field(min_length=1, max_length=200, description="Such as “the boat”.")
    prompt: str | None = Field(None, max_length=MAX_PROMPT, description=_NO_PROMPT)
    model: str | None = Field(None, min_length=1, max_length=MAX_MODEL, description=_NO_MODEL)
    threshold: float | None = Field(None, ge=0, le=1, description=_SURE)
    grow: int | None = Field(None, ge=0, le=256, description=_RIM)

    @property
    def asked(self) -> Asked:
        """The same without HTTP. Raises InvalidRequest unless there is exactly one picture."""
        given = [each for each in (self.picture, self.source) if each]
        if len(given) != 1:
            sentence = say("Give “picture” (a file in base64, or an id) or “source” (a hash).")
            raise InvalidRequest.of("picture", sentence)
        return Asked(given[0], self.words, self.prompt, self.model, self.threshold, self.grow)


@router.post(
    "",
    status_code=201,
    summary="Find what words name in a picture; the mask is kept like any source",
    openapi_extra=json_body(MaskBody.model_json_schema()),
)
async def make_mask(studio: TheStudio, visitor: Visitor, values: PictureBody) -> SourceAnswer:
    """White where the words are seen, as large as the picture. Waits for the running job."""
    asked = _read(values).asked
    found = await done(await run_in_threadpool(studio.mask, asked, visitor))
    return SourceAnswer(hash=found.hash, width=found.width, height=found.height)


def _read(values: dict[str, Any]) -> MaskBody:
    try:
        return MaskBody.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise InvalidRequest(tuple(parameter_problem(each) for each in details)) from None
