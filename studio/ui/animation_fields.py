"""What the Animate tab's controls are made of: the fields of an animation, as plain facts.

Name, bounds and choices are the field's own (`studio.animation.request`), so a simple field that is
added there has its control on the page at once; what it is called is found by `label` and `help`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from studio.animation.request import ALIKE, Film, Leg
from studio.request import GenerationRequest

_PICTURE_ONLY = ("strength", "resize_mode")
_NUMBERS = (int, float)
_FINE = 4.0  # a range at most this wide is divided finely

Facts = dict[str, Any]


def film_fields() -> list[Facts]:
    """What holds for the whole animation; ``strength`` counts where a keyframe is a picture."""
    strength = GenerationRequest.model_fields["strength"]
    return [*_all(Film.model_fields), {**_facts("strength", strength), **_words("strength")}]


def leg_fields() -> list[Facts]:
    """What each keyframe says about the way to the next."""
    return _all(Leg.model_fields)


def keyframe_fields() -> list[Facts]:
    """What of a request each keyframe may have for itself, on its card."""
    fields = GenerationRequest.model_fields
    return [
        {**_facts(name, fields[name]), **_words(name)}
        for name in ("negative_prompt", "seed", "guidance_scale")
    ]


def shared_fields() -> list[str]:
    """The desk's fields that go along with an animation: the same for all its keyframes."""
    alike = [name for name in ALIKE if name not in _PICTURE_ONLY]
    return [*alike, "guidance_scale", "seed", "styles"]


def _all(fields: Mapping[str, FieldInfo]) -> list[Facts]:
    known = [(name, _facts(name, info)) for name, info in fields.items()]
    return [
        {**facts, "label": f"animation.{name}", "help": f"animation.{name}.help"}
        for name, facts in known
        if facts
    ]


def _words(name: str) -> Facts:
    return {"label": f"field.{name}", "help": f"help.{name}"}


def _facts(name: str, info: FieldInfo) -> Facts:
    """One field: what kind of control, its bounds or choices; empty where there is none for it.

    Text of a certain form is the hash of a kept file.
    """
    kind = next(
        (each for each in get_args(info.annotation) if each is not type(None)), info.annotation
    )
    usual = {"name": name, "usual": info.get_default()}
    if get_origin(info.annotation) is Literal:
        return {**usual, "kind": "choice", "choices": list(get_args(info.annotation))}
    if kind is bool:
        return {**usual, "kind": "switch"}
    if kind in _NUMBERS:
        low, high = (_bound(info, side) for side in ("ge", "le"))
        if low is None or high is None:
            return {}
        step = 1 if kind is int else 0.05 if high - low <= _FINE else 0.1
        return {**usual, "kind": "number", "low": low, "high": high, "step": step}
    if kind is not str:
        return {}
    return {
        **usual,
        "kind": "file" if any(getattr(m, "pattern", None) for m in info.metadata) else "text",
    }


def _bound(info: FieldInfo, side: str) -> float | None:
    found = (getattr(item, side, None) for item in info.metadata)
    return next((float(each) for each in found if each is not None), None)
