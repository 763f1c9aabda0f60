"""The picture made again from its own file is the same picture: each sampler, each format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from studio.engine.engine import Engine
from studio.recipes import read_picture
from studio.recipes.encode import QUALITY, Format, encode
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS
from tests.engine.conftest import pictures, same

SETTINGS: list[dict[str, Any]] = [
    {"prompt": "a (red:1.3) boat\nBREAK at [sea:night:0.5] ", "normalize_emphasis": False},
    {"guidance_rescale": 0.7, "guidance_start": 0.2, "guidance_end": 0.8},
    {"variation_seed": 5, "variation_strength": 0.3},
    {"seed_resize_width": 128, "seed_resize_height": 64},
    {"clip_skip": 2, "width": 96, "seed": 2**32 - 1, "guidance_scale": 1.5},
]


def made_again(engine: Engine, request: GenerationRequest, kind: Format) -> None:
    """Paint, write the file, read it, paint what it says."""
    first = pictures(engine.generate(request))[0]
    recipe = read_picture(encode(first, kind, QUALITY, request))
    assert recipe is not None
    again = GenerationRequest(**recipe.values)
    assert again == request
    assert same(first, pictures(engine.generate(again))[0])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler(
    engine: Engine, recipe: Callable[..., GenerationRequest], sampler: str
) -> None:
    schedule = SAMPLERS[sampler].schedules[-1]
    made_again(engine, recipe(sampler=sampler, sigma_schedule=schedule), "jpeg")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("values", SETTINGS, ids=lambda values: next(iter(values)))
def test_every_kind_of_setting(
    engine: Engine,
    recipe: Callable[..., GenerationRequest],
    values: dict[str, Any],
    kind: Format,
) -> None:
    plain = pictures(engine.generate(recipe()))[0]
    made_again(engine, recipe(**values), kind)
    assert not same(plain, pictures(engine.generate(recipe(**values)))[0])
