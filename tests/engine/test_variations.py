"""Variations of a seed, another picture's composition, and words that differ between pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from studio.engine.engine import Engine
from studio.engine.noise import NoiseRecipe, generators_of, initial_noise, slerp
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same

CPU = torch.device("cpu")
SHAPE = (4, 8, 8)
Recipe = Callable[..., GenerationRequest]


def noise(recipe: NoiseRecipe) -> torch.Tensor:
    return initial_noise(generators_of([recipe.seed]), SHAPE, CPU, [recipe])[0]


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_arc_goes_from_one_noise_to_the_other_and_keeps_its_length() -> None:
    start, end = drawn(1, *SHAPE), drawn(2, *SHAPE)
    assert torch.allclose(slerp(start, end, 0.0), start, atol=1e-5)
    assert torch.allclose(slerp(start, end, 1.0), end, atol=1e-5)
    unit = slerp(start / start.norm(), end / end.norm(), 0.4)
    assert float(unit.norm()) == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(slerp(start, start, 0.3), torch.lerp(start, start, 0.3))


def test_a_variation_is_the_second_seeds_noise_mixed_in() -> None:
    assert torch.equal(noise(NoiseRecipe(3)), drawn(3, *SHAPE))
    varied = noise(NoiseRecipe(3, variation=(8, 0.25)))
    assert torch.allclose(varied, slerp(drawn(3, *SHAPE), drawn(8, *SHAPE), 0.25))


@pytest.mark.parametrize("size", [(4, 4), (16, 8), (6, 12), (5, 11)])
def test_another_pictures_noise_lies_in_the_middle(size: tuple[int, int]) -> None:
    ours = noise(NoiseRecipe(3, drawn_at=size))
    other, frame = drawn(3, 4, *size).numpy(), drawn(3, *SHAPE).numpy()
    expected = frame.copy()
    # as in A1111: margins rounded down, and cut on both sides where the other is larger
    dy, dx = (8 - size[0]) // 2, (8 - size[1]) // 2
    height, width = (n + 2 * d if d < 0 else n for n, d in zip(size, (dy, dx), strict=True))
    for row in range(height):
        for column in range(width):
            to, of = (
                (row + max(dy, 0), column + max(dx, 0)),
                (row + max(-dy, 0), column + max(-dx, 0)),
            )
            expected[:, to[0], to[1]] = other[:, of[0], of[1]]
    assert np.array_equal(ours.numpy(), expected)


def test_noise_that_comes_later_is_the_originals() -> None:
    plain, varied = generators_of([3]), generators_of([3])
    initial_noise(plain, SHAPE, CPU)
    initial_noise(varied, SHAPE, CPU, [NoiseRecipe(3, (8, 0.5), (4, 4))])
    assert torch.equal(*(torch.randn(5, generator=each[0]) for each in (plain, varied)))


def distance(left: Image.Image, right: Image.Image) -> float:
    return float(np.abs(np.asarray(left, float) - np.asarray(right, float)).mean())


def test_a_weak_variation_stays_near_its_seed(engine: Engine, recipe: Recipe) -> None:
    (original,) = pictures(engine.generate(recipe())).values()
    varied = recipe(variation_strength=0.1, variation_seed=70, num_images=3)
    near = pictures(engine.generate(varied))
    (far,) = pictures(engine.generate(recipe(seed=70))).values()
    assert not any(same(original, each) for each in near.values())
    assert all(distance(original, each) < distance(original, far) for each in near.values())
    # the seed stands, the variation's seed counts up: each can be made again by itself
    assert [varied.one(index).variation_seed for index in range(3)] == [70, 71, 72]
    assert {varied.one(index).seed for index in range(3)} == {11}
    (again,) = pictures(engine.generate(varied.one(2))).values()
    assert same(again, near[2])


@pytest.mark.parametrize("together", [False, True])
def test_each_picture_has_its_own_words(store: ModelStore, recipe: Recipe, together: bool) -> None:
    said = ("a red boat", "a blue car", "a red boat", "a blue car")
    request = recipe(num_images=4, batch_size=4).model_copy(
        update={"picture_prompts": said, "picture_negative_prompts": ("fog", "", "fog", "")}
    )
    made = pictures(Engine(store, together).generate(request))
    assert sorted(made) == [0, 1, 2, 3]
    for index, picture in made.items():
        assert request.one(index).prompt == said[index]
        (alone,) = pictures(Engine(store, together=False).generate(request.one(index))).values()
        if together:  # other matrix shapes: not the same to the bit on every machine
            assert distance(picture, alone) < 1.0
        else:
            assert same(picture, alone)
    assert not same(made[0], made[1])


@pytest.mark.parametrize(
    "change",
    [
        {"normalize_emphasis": False},
        {"guidance_rescale": 0.7},
        {"guidance_start": 0.5},
        {"guidance_end": 0.5},
        {"seed_resize_width": 32, "seed_resize_height": 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_request_says_reaches_the_picture(
    engine: Engine, recipe: Recipe, change: dict[str, object]
) -> None:
    usual = {"prompt": "(a red boat:3) on a (sea:0.2) at night"}
    (plain,) = pictures(engine.generate(recipe(**usual))).values()
    (changed,) = pictures(engine.generate(recipe(**usual, **change))).values()
    assert not same(plain, changed)
