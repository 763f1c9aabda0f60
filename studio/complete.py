"""What a person gave -> a GenerationRequest, or one sentence for each field that is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from studio.errors import FieldProblem, InvalidRequest
from studio.request import MAX_NAME, MAX_SEED, RESOLVED, GenerationRequest, label_of
from studio.sentences import Sentence, say


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
    for name in ("seed", "variation_seed"):
        if given.get(name, -1) == -1:
            given.pop(name, None)
            if name == "seed" or given.get("variation_strength"):
                given[name] = secrets.randbelow(MAX_SEED + 1)
    try:
        return GenerationRequest.model_validate({**defaults, **given})
    except ValidationError as error:
        raise InvalidRequest(problems_in(error)) from None


def problems_in(
    error: ValidationError,
    fields: Mapping[str, FieldInfo] = GenerationRequest.model_fields,
    label_of: Callable[[str], Sentence] = label_of,
) -> tuple[FieldProblem, ...]:
    """One sentence per wrong field, with its label, its bound and what was given.

    ``fields``: of the model that found the error. ``label_of``: what each is called.
    """
    first: dict[str, FieldProblem] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else "request"
        info = fields.get(name)
        what = _no_such(name) if info is None else _sentence(label_of(name), info, detail)
        first.setdefault(name, FieldProblem(name, what))
    return tuple(first.values())


def _no_such(name: str) -> Sentence:
    return say("There is no setting called “{name}”.", name=name[:60])


def _sentence(label: Sentence, info: FieldInfo, detail: Mapping[str, Any]) -> Sentence:
    if get_origin(info.annotation) is tuple:
        return say(
            "{label} must be a list of at most {most} names, each of 1 to {length} characters.",
            label=label, most=_schema_of(info)["maxLength"], length=MAX_NAME,
        )  # fmt: skip
    if get_origin(info.annotation) is Literal:
        return say(
            "{label} must be one of: {known}; you gave {given}.",
            label=label, known=get_args(info.annotation),
            given=_short(detail.get("input")),
        )  # fmt: skip
    if info.annotation is str:
        return _about_text(label, detail)
    if info.annotation is bool:
        return say(
            "{label} must be true or false; you gave {given}.",
            label=label, given=_short(detail.get("input")),
        )  # fmt: skip
    return _about_number(label, info, detail.get("input"))


def _about_text(label: Sentence, detail: Mapping[str, Any]) -> Sentence:
    match detail["type"]:
        case "string_too_long":
            return say(
                "{label} may have at most {most:,} characters; you gave {given:,}.",
                label=label, most=detail["ctx"]["max_length"], given=len(detail["input"]),
            )  # fmt: skip
        case "string_too_short":
            return say("{label} may not be empty.", label=label)
        case "string_unicode":
            return say(
                "{label} has half of a character in it (a lone surrogate), which no file can hold.",
                label=label,
            )
        case "value_error":
            return say("{label} has a null character in it, which no file can hold.", label=label)
        case "string_pattern_mismatch":
            return say("{label} must be the SHA-256 of a picture that is kept here.", label=label)
    return say("{label} must be text.", label=label)


def _about_number(label: Sentence, info: FieldInfo, value: object) -> Sentence:
    bounds, given = _schema_of(info), _short(value)
    least, most = f"{bounds['minimum']:g}", f"{bounds['maximum']:.10g}"
    if "multipleOf" in bounds:
        return say(
            "{label} must be a whole number between {least} and {most} in steps of {step}; "
            "you gave {given}.",
            label=label, least=least, most=most, step=bounds["multipleOf"], given=given,
        )  # fmt: skip
    if info.annotation is int:
        return say(
            "{label} must be a whole number between {least} and {most}; you gave {given}.",
            label=label, least=least, most=most, given=given,
        )  # fmt: skip
    return say(
        "{label} must be a number between {least} and {most}; you gave {given}.",
        label=label, least=least, most=most, given=given,
    )  # fmt: skip


def _short(value: object) -> str:
    """What was given, cut to a length that fits a sentence."""
    text = str(value)
    text = text if len(text) <= 60 else f"{text[:60]}…"
    return f"“{text}”" if isinstance(value, str) else text
