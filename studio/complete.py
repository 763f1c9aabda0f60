"""What a person gave -> a GenerationRequest, or one sentence for each field that is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from studio.errors import FieldProblem, InvalidRequest
from studio.request import MAX_NAME, MAX_SEED, RESOLVED, GenerationRequest


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


def given_fields() -> dict[str, FieldInfo]:
    """The fields that a person may give, by name: all but those the studio finds out itself."""
    return {
        name: info
        for name, info in GenerationRequest.model_fields.items()
        if info.json_schema_extra != RESOLVED
    }


PartialRequest: type[BaseModel] = create_model(
    "PartialRequest",
    __doc__="A GenerationRequest in which everything may be left out.",
    **{name: _partial_field(info) for name, info in given_fields().items()},
)  # type: ignore[call-overload]


def complete(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> GenerationRequest:
    """A request from what a person gave, filled up with the model's defaults.

    A value of None counts as left out, and so does what the studio finds out itself. A seed left
    out or -1 is drawn here, so that what is queued can always be made again. Raises InvalidRequest
    with one sentence for each field that is wrong.
    """
    known = given_fields()
    given = {
        name: value
        for name, value in values.items()
        if value is not None and (name in known or name not in GenerationRequest.model_fields)
    }
    drawn = ("seed", "variation_seed") if given.get("variation_strength") else ("seed",)
    for name in drawn:
        if given.get(name, -1) == -1:
            given[name] = secrets.randbelow(MAX_SEED + 1)
    try:
        return GenerationRequest.model_validate({**defaults, **given})
    except ValidationError as error:
        raise InvalidRequest(_problems(error)) from None


def _problems(error: ValidationError) -> tuple[FieldProblem, ...]:
    """One sentence per wrong field, with its label, its bound and what was given."""
    first: dict[str, FieldProblem] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else "request"
        first.setdefault(name, FieldProblem(name, _sentence(name, detail)))
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
    if info.annotation is bool:
        return f"{label} must be true or false; you gave {_short(value)}."
    if get_origin(info.annotation) is tuple:
        return (
            f"{label} must be a list of at most {bounds['maxLength']} names, "
            f"each of 1 to {MAX_NAME} characters."
        )
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
