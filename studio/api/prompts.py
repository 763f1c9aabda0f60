"""/api/v1/prompts, /completions and /history: help with what is being written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError

from studio.api.answers import JobAnswer, JobsAnswer
from studio.api.errors import parameter_problem
from studio.api.inputs import Body, PictureBody, TheStudio, Visitor, json_body
from studio.errors import InvalidRequest, NotFound
from studio.request import MAX_MODEL, MAX_PROMPT, MAX_SEED, MAX_STYLES
from studio.sentences import say
from studio.sides import request_schema
from studio.wordbook.completion import MAX_PREFIX, Completion, Kind
from studio.wordbook.history import PastPrompt
from studio.wordbook.suggest import suggest
from studio.wordbook.wordbook import MAX_PREVIEWED, Draft

router = APIRouter(prefix="/api/v1", tags=["words"])


class DraftBody(BaseModel):
    """Words that are being written. ``seed`` may be left out, or -1: then 0 stands for it."""

    prompt: str = Field("", max_length=MAX_PROMPT)
    negative_prompt: str = Field("", max_length=MAX_PROMPT)
    styles: list[str] = Field([], max_length=MAX_STYLES)
    seed: int | None = Field(None, ge=-1, le=MAX_SEED)
    num_images: int | None = Field(None, ge=1, description="How many pictures are looked at.")
    model: str | None = Field(None, max_length=MAX_MODEL, description="Whose tokens are counted.")

    @property
    def draft(self) -> Draft:
        """The words alone."""
        return Draft(self.prompt, self.negative_prompt, self.styles)

    @property
    def drawn_from(self) -> int:
        """The seed that choices are drawn from."""
        return self.seed if self.seed is not None and self.seed >= 0 else 0


class WordingAnswer(BaseModel):
    """What one picture would be told, styles and all, and its seed."""

    seed: int
    prompt: str
    negative_prompt: str


class PreviewAnswer(BaseModel):
    """What would be drawn. ``variants``: whether the words stand for anything but themselves.

    ``combinations`` counts every prompt they stand for, of which there are more where ``more`` is
    true; ``unknown`` names wildcards without a file.
    """

    variants: bool
    combinations: int
    more: bool
    unknown: list[str]
    drawn: list[WordingAnswer]


class TokensAnswer(BaseModel):
    """Tokens in each chunk, styles counted in; null until PyTorch is there to tell.

    ``length`` is how many fit into a chunk.
    """

    prompt: list[int] | None = None
    negative_prompt: list[int] | None = None
    length: int | None = None


class CompletionAnswer(BaseModel):
    """``text`` takes the place of the last ``replaces`` characters; a style is put on by its id."""

    kind: Kind
    text: str
    label: str
    replaces: int
    id: str

    @classmethod
    def of(cls, found: Completion) -> CompletionAnswer:
        """The answer for a completion."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class PastPromptAnswer(BaseModel):
    """A prompt this visitor has used, when last (seconds since 1970), and how often."""

    id: int
    prompt: str
    negative_prompt: str
    used: float
    times: int

    @classmethod
    def of(cls, past: PastPrompt) -> PastPromptAnswer:
        """The answer for a past prompt."""
        return cls(**vars(past))


@router.post(
    "/prompts/preview",
    summary="What would be drawn for a prompt: its wildcards, variants and styles",
    openapi_extra=json_body(DraftBody.model_json_schema()),
)
def preview(studio: TheStudio, values: Body) -> PreviewAnswer:
    """One wording for each picture, and how many prompts these words stand for in all."""
    given = _draft(values)
    draft, count = given.draft, min(given.num_images or 1, MAX_PREVIEWED)
    drawn = studio.wordbook.wordings(draft, given.drawn_from, count)
    every = studio.wordbook.combinations(given.prompt)
    return PreviewAnswer(
        variants=studio.wordbook.has_variants(draft),
        combinations=every.count,
        more=not every.whole,
        unknown=studio.wordbook.unknown_wildcards(draft),
        drawn=[WordingAnswer(**vars(each)) for each in drawn],
    )


@router.post(
    "/prompts/count",
    summary="How many tokens a prompt has, chunk by chunk, with its styles",
    openapi_extra=json_body(DraftBody.model_json_schema()),
)
def count_tokens(studio: TheStudio, values: Body) -> TokensAnswer:
    """For a model, the default one if it is left out. Wildcards count as they are drawn."""
    given = _draft(values)
    if studio.keeper.store is None:
        return TokensAnswer()
    (said,) = studio.wordbook.wordings(given.draft, given.drawn_from, 1)
    counted = studio.counter.count(
        given.model or studio.keeper.default, said.prompt, said.negative_prompt
    )
    return TokensAnswer(**vars(counted)) if counted else TokensAnswer()


@router.post(
    "/prompts/combinations",
    status_code=202,
    summary="Hand in one job for each prompt that a prompt stands for",
    openapi_extra=json_body(request_schema()),
)
def submit_combinations(studio: TheStudio, visitor: Visitor, values: PictureBody) -> JobsAnswer:
    """All with one seed, so that only the words differ; all of them are accepted or none is."""
    jobs = studio.submit_combinations(values, visitor)
    return JobsAnswer(jobs=[JobAnswer.of(job.snapshot()) for job in jobs])


@router.get("/completions", summary="What the words before the caret could become")
def completions(
    studio: TheStudio,
    visitor: Visitor,
    prefix: Annotated[str, Query(max_length=MAX_PREFIX)],
    model: str | None = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> list[CompletionAnswer]:
    """Styles, wildcards, LoRAs, embeddings, the model's vocabulary, own past prompts."""
    found = suggest(studio.wordbook, studio.catalog, prefix, visitor, model, limit)
    return [CompletionAnswer.of(each) for each in found]


@router.get("/history", summary="The prompts this visitor has used, the last used first")
def history(
    studio: TheStudio,
    visitor: Visitor,
    query: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> list[PastPromptAnswer]:
    """Those with every word of the query in them. Nobody else's."""
    found = studio.wordbook.history.search(visitor, query, limit)
    return [PastPromptAnswer.of(each) for each in found]


@router.delete("/history", status_code=204, summary="Forget all prompts of this visitor")
def forget_all(studio: TheStudio, visitor: Visitor) -> None:
    """Pictures keep theirs."""
    studio.wordbook.history.forget(visitor)


@router.delete("/history/{number}", status_code=204, summary="Forget one prompt of this visitor")
def forget(studio: TheStudio, visitor: Visitor, number: int) -> None:
    """404 when it is not this visitor's."""
    if not studio.wordbook.history.forget(visitor, number):
        raise NotFound(say("There is no such prompt in your history."))


def _draft(values: dict[str, Any]) -> DraftBody:
    known = {k: v for k, v in values.items() if k in DraftBody.model_fields and v is not None}
    try:
        return DraftBody.model_validate(known)
    except ValidationError as error:
        problem = parameter_problem(error.errors(include_url=False)[0])
        raise InvalidRequest((problem,)) from None
