"""GenerationRequest: all that is needed to make a picture again. The only list of fields.

The page's controls, the API's body, the infotext and the tests follow from it: a field's bounds,
label, help and infotext key are written here and nowhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from studio.errors import FieldProblem, InvalidRequest
from studio.sentences import Sentence, verbatim

MAX_PROMPT = 10_000
MAX_SIDE = 2048
MAX_SEED = 2**32 - 1
MAX_NAME = 100
MAX_MODEL = 500


def _infotext(
    key: str, unless: str | int | None = None, only_with: str | None = None
) -> dict[str, Any]:
    """The key under which the field stands in a picture's parameters, as A1111 writes it.

    ``unless``: the usual value, which is not written. ``only_with``: another field, without which
    this one means nothing and is not written.
    """
    return {"infotext": key, "unless": unless, "only_with": only_with}


def _writable(text: str) -> str:
    """``text``, when every file and database can hold it."""
    if "\0" in text:
        raise ValueError("null")
    return text


Text = Annotated[str, AfterValidator(_writable)]


class GenerationRequest(BaseModel):
    """A complete recipe: the same request makes the same pictures, on any device type.

    Picture ``k`` of ``num_images`` is drawn with ``seed + k`` and does not depend on the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=False)

    prompt: Text = Field(
        "", max_length=MAX_PROMPT, title="Prompt", description="What the picture shows."
    )
    negative_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Negative prompt",
        description="What the picture should keep away from.",
        json_schema_extra=_infotext("Negative prompt"),
    )
    model: Text = Field(
        "pocket",
        min_length=1,
        max_length=MAX_MODEL,
        title="Model",
        description="The model that paints.",
        json_schema_extra=_infotext("Model"),
    )
    sampler: Text = Field(
        "dpmpp_2m",
        max_length=MAX_NAME,
        title="Sampler",
        description="How noise is turned into a picture, step by step.",
        json_schema_extra=_infotext("Sampler"),
    )
    sigma_schedule: Text = Field(
        "automatic",
        max_length=MAX_NAME,
        title="Sigma schedule",
        description="How the noise levels are spread over the steps.",
        json_schema_extra=_infotext("Schedule type"),
    )
    num_inference_steps: int = Field(
        20,
        ge=1,
        le=150,
        title="Steps",
        description="More steps take longer and add detail, up to a point.",
        json_schema_extra=_infotext("Steps"),
    )
    guidance_scale: float = Field(
        7.0,
        ge=1.0,
        le=30.0,
        title="CFG scale",
        description="How closely the picture follows the prompt; 1 switches guidance off.",
        json_schema_extra=_infotext("CFG scale"),
    )
    width: int = Field(
        512,
        ge=64,
        le=MAX_SIDE,
        multiple_of=8,
        title="Width",
        description="In pixels, a multiple of 8.",
        json_schema_extra=_infotext("Size"),
    )
    height: int = Field(
        512,
        ge=64,
        le=MAX_SIDE,
        multiple_of=8,
        title="Height",
        description="In pixels, a multiple of 8.",
        json_schema_extra=_infotext("Size"),
    )
    seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        title="Seed",
        description="The number the noise is drawn from; the same seed, the same picture.",
        json_schema_extra=_infotext("Seed"),
    )
    clip_skip: int = Field(
        1,
        ge=1,
        le=12,
        title="CLIP skip",
        description="Which of the text encoder's layers is heard, from the last; 1 is usual.",
        json_schema_extra=_infotext("Clip skip", unless=1),
    )
    vae: Text = Field(
        "automatic",
        max_length=MAX_MODEL,
        title="VAE",
        description="What turns latents into pixels: the model's own, or another that fits it.",
        json_schema_extra=_infotext("VAE", unless="automatic"),
    )
    refiner: Text = Field(
        "",
        max_length=MAX_MODEL,
        title="Refiner",
        description="A second model that paints the last steps; empty for none.",
        json_schema_extra=_infotext("Refiner", only_with="refiner"),
    )
    refiner_switch_at: float = Field(
        0.8,
        ge=0.0,
        le=1.0,
        title="Refiner from",
        description="The share of the steps after which the refiner takes over.",
        json_schema_extra=_infotext("Refiner switch at", only_with="refiner"),
    )
    num_images: int = Field(
        1, ge=1, le=64, title="Pictures", description="How many, with seeds counting up from Seed."
    )
    batch_size: int = Field(
        1,
        ge=1,
        le=16,
        title="Batch size",
        description="How many are drawn together; it changes the speed, not the pictures.",
    )

    def one(self, index: int) -> GenerationRequest:
        """The recipe of picture ``index`` alone: what is written into its file."""
        return self.model_copy(
            update={"seed": (self.seed + index) % (MAX_SEED + 1), "num_images": 1, "batch_size": 1}
        )


def label_of(field: str) -> Sentence:
    """What a field is called within a sentence; the page's words have it in other languages."""
    return Sentence(GenerationRequest.model_fields[field].title or field)


def _partial_field(info: FieldInfo) -> tuple[Any, Any]:
    optional: Any = info.annotation | None  # type: ignore[operator]
    return optional, Field(
        None, title=info.title, description=info.description, json_schema_extra=_schema_of(info)
    )


def _schema_of(info: FieldInfo) -> dict[str, Any]:
    """The bounds of a field, for the API's description only: complete() is what checks them."""
    names = {"ge": "minimum", "le": "maximum", "multiple_of": "multipleOf",
             "max_length": "maxLength", "min_length": "minLength"}  # fmt: skip
    bounds: dict[str, Any] = {}
    for constraint in info.metadata:
        for name, schema_name in names.items():
            value = getattr(constraint, name, None)
            if value is not None:
                bounds[schema_name] = value
    return bounds


PartialRequest: type[BaseModel] = create_model(
    "PartialRequest",
    __doc__="A GenerationRequest in which everything may be left out.",
    **{name: _partial_field(info) for name, info in GenerationRequest.model_fields.items()},
)  # type: ignore[call-overload]


def complete(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> GenerationRequest:
    """A request from what a person gave, filled up with the model's defaults.

    A value of None counts as left out; a seed left out or -1 is drawn here, so that what is queued
    can always be made again. Raises InvalidRequest with one sentence for each field that is wrong.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if given.get("seed", -1) == -1:
        given["seed"] = secrets.randbelow(MAX_SEED + 1)
    try:
        return GenerationRequest.model_validate({**defaults, **given})
    except ValidationError as error:
        raise InvalidRequest(_problems(error)) from None


def _problems(error: ValidationError) -> tuple[FieldProblem, ...]:
    """One sentence per wrong field, with its label, its bound and what was given."""
    first: dict[str, FieldProblem] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else "request"
        sentence = verbatim(_sentence(name, detail))
        first.setdefault(name, FieldProblem(name, sentence))
    return tuple(first.values())


_TEXT_PROBLEMS: Mapping[str, str] = {
    "string_too_long": "may have at most {maxLength:,} characters; you gave {given}",
    "string_too_short": "may not be empty",
    "string_unicode": "has half of a character in it (a lone surrogate), which no file can hold",
    "value_error": "has a null character in it, which no file can hold",
}


def _sentence(name: str, detail: Mapping[str, Any]) -> str:
    info = GenerationRequest.model_fields.get(name)
    if info is None:
        return f"There is no setting called “{name[:60]}”."
    bounds = _schema_of(info)
    label, value = info.title or name, detail.get("input")
    if info.annotation is str:
        return f"{label} {_TEXT_PROBLEMS.get(detail['type'], 'must be text')}.".format(
            **bounds, given=f"{len(str(value)):,}"
        )
    kind = "a whole number" if info.annotation is int else "a number"
    step = f" in steps of {bounds['multipleOf']}" if "multipleOf" in bounds else ""
    return (
        f"{label} must be {kind} between {bounds['minimum']:g} and {bounds['maximum']:.10g}{step}; "
        f"you gave {_short(value)}."
    )


def _short(value: object) -> str:
    """What was given, cut to a length that fits a sentence."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
