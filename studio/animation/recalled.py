"""The recipe in a film that someone brings: what of it an animation can hold, and what not.

Pure but for a temporary file: FFmpeg reads films from the disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ValidationError

from studio.animation.inscription import kind_of, recipe_in
from studio.animation.request import MAX_KEYFRAMES, Film, Leg
from studio.complete import given_fields
from studio.recipes.recipe import noted
from studio.request import GenerationRequest


@dataclass(frozen=True)
class Recalled:
    """``values``: what can be handed in as an animation. ``unrecognised``: the rest, in words."""

    values: Mapping[str, Any]
    unrecognised: tuple[str, ...]


def read_film(content: bytes) -> Recalled | None:
    """The recipe in a film's file, of any format that is made here; None when there is none.

    The file may be anyone's and broken: no pixel of it is decoded, and what no animation could hold
    is listed instead of taken over.
    """
    if kind_of(content[:16]) is None:
        return None
    with TemporaryDirectory(prefix="studio-film-") as folder:
        path = Path(folder) / "film"
        path.write_bytes(content)
        recipe = recipe_in(path)
    return None if recipe is None else recalled(recipe)


def recalled(recipe: Mapping[str, Any]) -> Recalled | None:
    """The sound part of a recipe; None when it has no keyframes."""
    given = recipe.get("keyframes")
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        return None
    shared = {name: value for name, value in recipe.items() if name != "keyframes"}
    values = _held(shared, (Film, Leg, GenerationRequest))
    keyframes = [_held(each, (Leg, GenerationRequest)) for each in given[:MAX_KEYFRAMES]]
    rest = [*_lost(shared, values)]
    for each, kept in zip(given, keyframes, strict=False):
        rest += _lost(each, kept)
    return Recalled({**values, "keyframes": keyframes}, tuple(dict.fromkeys(rest))[:100])


def _held(values: Mapping[str, Any], kinds: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """What one of ``kinds`` has a field for, and takes."""
    found = ((name, _taken(name, value, kinds)) for name, value in values.items())
    return {name: value for name, (value, fits) in found if fits}


def _taken(name: str, value: object, kinds: tuple[type[BaseModel], ...]) -> tuple[Any, bool]:
    kind = next((each for each in kinds if name in _fields(each)), None)
    if kind is None:
        return None, False
    try:
        held = kind.model_validate({name: value})
    except ValidationError:
        return None, False
    return held.model_dump(mode="json")[name], True


def _fields(kind: type[BaseModel]) -> Mapping[str, Any]:
    return given_fields() if kind is GenerationRequest else kind.model_fields


def _lost(given: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    return (noted(str(name), value) for name, value in given.items() if name not in kept)
