"""What a person gave -> an AnimationRequest, or one sentence for everything that is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from studio.animation.camera import MOST_ENLARGED, Camera
from studio.animation.request import (
    ALIKE,
    MAX_FRAMES,
    MAX_KEYFRAMES,
    NOT_ANIMATED,
    AnimationRequest,
    Film,
    Keyframe,
    Leg,
    option_label,
)
from studio.complete import problems_in
from studio.errors import FieldProblem, InvalidRequest
from studio.request import MAX_SEED, GenerationRequest, label_of
from studio.sentences import Sentence, say

Complete = Callable[[Mapping[str, Any]], GenerationRequest]
"""Values -> a whole request; raises InvalidRequest."""

Options = TypeVar("Options", bound=BaseModel)
_SIZE = ("width", "height")


def read_animation(values: Mapping[str, Any], complete: Complete) -> AnimationRequest:
    """The animation that ``values`` ask for.

    They hold the fields of `Film`, ``keyframes``, and as a default for all of these the fields of
    `Leg` and of a request. A keyframe's ``picture`` is what it shows: base64, an id or a hash.
    Without a seed one is drawn for all keyframes. Raises InvalidRequest.
    """
    given = {name: value for name, value in values.items() if value is not None}
    keyframes = _keyframes(given.pop("keyframes", None))
    film = _options(Film, {k: given.pop(k) for k in Film.model_fields if k in given})
    if film.loop and film.ping_pong:
        sentence = say("An animation loops or plays back and forth: switch one of the two off.")
        raise InvalidRequest.of("ping_pong", sentence)
    if given.get("seed", -1) == -1:
        given["seed"] = secrets.randbelow(MAX_SEED + 1)
    given = _sized(given, keyframes, complete)
    read = tuple(_keyframe(k, {**given, **own}, complete) for k, own in enumerate(keyframes))
    animation = AnimationRequest(keyframes=read, **film.model_dump())
    _check(animation)
    return animation


def _keyframes(given: object) -> list[dict[str, Any]]:
    """The keyframes without what is None, a picture under the name that a request has for it."""
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        sentence = say("Keyframes must be a list of objects, each with a prompt or a picture.")
        raise InvalidRequest.of("keyframes", sentence)
    if not 2 <= len(given) <= MAX_KEYFRAMES:
        sentence = say(
            "An animation has between 2 and {most} keyframes; you gave {count}.",
            most=MAX_KEYFRAMES, count=len(given),
        )  # fmt: skip
        raise InvalidRequest.of("keyframes", sentence)
    kept = [{k: v for k, v in each.items() if v is not None} for each in given]
    for each in kept:
        if "picture" in each:
            each["init_image"] = each.pop("picture")
    return kept


def _options(kind: type[Options], values: Mapping[str, Any]) -> Options:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest(problems_in(error, kind.model_fields, option_label)) from None


def _sized(
    given: dict[str, Any], keyframes: list[dict[str, Any]], complete: Complete
) -> dict[str, Any]:
    """The common values with the size of the first picture, where no size was asked for."""
    if any(side in each for each in (given, *keyframes) for side in _SIZE):
        return given
    for number, own in enumerate(keyframes):
        if own.get("init_image"):
            request = _keyframe(number, {**given, **own}, complete).request
            return {**given, "width": request.width, "height": request.height}
    return given


def _keyframe(number: int, values: dict[str, Any], complete: Complete) -> Keyframe:
    """One keyframe; what is wrong with it is told with its number, counted from 1."""
    leg = {name: values.pop(name) for name in Leg.model_fields if name in values}
    problems: list[FieldProblem] = []
    request = None
    try:
        request = complete(values)
        problems += [
            FieldProblem(name, say("Animations cannot use “{label}” yet.", label=label_of(name)))
            for name in NOT_ANIMATED
            if getattr(request, name) != GenerationRequest.model_fields[name].default
        ]
    except InvalidRequest as error:
        problems += error.problems
    try:
        options = _options(Leg, leg)
    except InvalidRequest as error:
        problems += error.problems
    if problems or request is None:
        raise InvalidRequest(tuple(_within(number, problem) for problem in problems))
    return Keyframe(request=request.one(0), **options.model_dump())


def _within(number: int, problem: FieldProblem) -> FieldProblem:
    sentence = say(
        "Keyframe {number}: {problem}", number=number + 1, problem=problem.message
    )  # fmt: skip
    return FieldProblem(f"keyframes.{number}.{problem.field}", sentence)


def _check(animation: AnimationRequest) -> None:
    """Raise InvalidRequest for what each keyframe may be, but not all of them together."""
    problems = tuple(_unlike(animation))
    if problems:
        raise InvalidRequest(problems)
    total = sum(animation.keyframes[start].frames for start, _ in animation.legs)
    if total > MAX_FRAMES:
        sentence = say(
            "An animation has at most {most:,} frames; this would have {total:,}.",
            most=MAX_FRAMES, total=total,
        )  # fmt: skip
        raise InvalidRequest.of("frames", sentence)
    if Camera(animation).enlarged > MOST_ENLARGED:
        sentence = say(
            "The camera moves too far: parts of the pictures would be drawn more than {most} times "
            "as large as they are painted; zoom, pan or rotate less.",
            most=f"{MOST_ENLARGED:g}",
        )  # fmt: skip
        raise InvalidRequest.of("zoom", sentence)
    pictures = any(keyframe.request.init_image for keyframe in animation.keyframes)
    if pictures and animation.method != "walk":
        sentence = say("Keyframes that are pictures need the method “walk”.")
        raise InvalidRequest.of("method", sentence)


def _unlike(animation: AnimationRequest) -> Iterator[FieldProblem]:
    """What differs between the first keyframe and another, though it may not."""
    first = animation.common
    for number, keyframe in enumerate(animation.keyframes):
        request = keyframe.request
        if (request.width, request.height) != (first.width, first.height):
            sentence = say(
                "Keyframe {number} is {width} × {height} and the first {across} × {down}; "
                "all must have the same size.",
                number=number + 1, width=request.width, height=request.height,
                across=first.width, down=first.height,
            )  # fmt: skip
            yield FieldProblem(f"keyframes.{number}.width", sentence)
        for name in ALIKE:
            if name not in _SIZE and getattr(request, name) != getattr(first, name):
                yield FieldProblem(f"keyframes.{number}.{name}", _differs(number, name))


def _differs(number: int, name: str) -> Sentence:
    return say(
        "{label} must be the same in all keyframes; in keyframe {number} it is not.",
        label=label_of(name), number=number + 1,
    )  # fmt: skip
