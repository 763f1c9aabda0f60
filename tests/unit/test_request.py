"""Every bound of a request, and the sentence that names it."""

from __future__ import annotations

import pytest

from studio.complete import complete
from studio.errors import InvalidRequest
from studio.request import MAX_SEED, GenerationRequest

WRONG = [
    ("prompt", "x" * 100_000, "Prompt may have at most 10,000 characters; you gave 100,000."),
    ("prompt", "a\0b", "null character"),
    ("prompt", "\ud800", "lone surrogate"),
    ("prompt", 5, "Prompt must be text."),
    ("negative_prompt", ["a"], "Negative prompt must be text."),
    ("model", "", "Model may not be empty."),
    ("sampler", "x" * 101, "Sampler may have at most 100 characters"),
    ("guidance_scale", float("nan"), "CFG scale must be a number between 1 and 30; you gave nan."),
    ("guidance_scale", "NaN", "CFG scale must be a number between 1 and 30"),
    ("guidance_scale", float("inf"), "between 1 and 30"),
    ("guidance_scale", 0.5, "between 1 and 30"),
    ("width", 0, "Width must be a whole number between 64 and 2048 in steps of 8; you gave 0."),
    ("width", 100, "in steps of 8; you gave 100."),
    ("height", 4096, "between 64 and 2048"),
    ("height", float("inf"), "between 64 and 2048"),
    ("num_inference_steps", 0, "Steps must be a whole number between 1 and 150; you gave 0."),
    ("num_inference_steps", 10_000, "between 1 and 150; you gave 10000."),
    ("seed", -2, "Seed must be a whole number between 0 and 4294967295; you gave -2."),
    ("seed", MAX_SEED + 1, "between 0 and 4294967295"),
    ("seed", 1.5, "Seed must be a whole number"),
    ("num_images", 0, "Pictures must be a whole number between 1 and 64"),
    ("refiner_switch_at", 1.5, "Refiner from must be a number between 0 and 1; you gave 1.5."),
    ("batch_size", 17, "Batch size must be a whole number between 1 and 16"),
    ("hires_scale", 5, "Hires scale must be a number between 1 and 4; you gave 5."),
    ("hires_width", 100, "Hires width must be a whole number between 0 and 4096 in steps of 8"),
    ("hires_upscaler", "", "Hires upscaler may not be empty."),
    ("tiling", "z", "Seamless must be one of: none, x, y, both; you gave “z”."),
    ("colour", "red", "There is no setting called “colour”."),
    ("x" * 5000, 1, "There is no setting called"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), WRONG)
def test_a_wrong_value_is_named_with_its_bound(field: str, value: object, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        complete({field: value}, {})
    (problem,) = caught.value.problems
    assert problem.field == field
    assert sentence in problem.message
    assert len(problem.message) < 200


def test_every_wrong_field_has_its_own_sentence() -> None:
    with pytest.raises(InvalidRequest) as caught:
        complete({"width": 1, "seed": "many", "prompt": None}, {})
    assert [problem.field for problem in caught.value.problems] == ["width", "seed"]


def test_what_is_left_out_is_the_models() -> None:
    request = complete({"prompt": "a boat", "width": None}, {"width": 256, "height": 128})
    assert (request.width, request.height) == (256, 128)


@pytest.mark.parametrize("seed", [None, -1])
def test_a_seed_left_out_is_drawn(seed: int | None) -> None:
    drawn = {complete({"seed": seed}, {}).seed for _ in range(5)}
    assert len(drawn) == 5


def test_seed_zero_is_a_seed() -> None:
    assert complete({"seed": 0}, {}).seed == 0


def test_one_picture_of_many_has_the_seed_that_follows() -> None:
    many = GenerationRequest(seed=MAX_SEED, num_images=3, batch_size=2)
    assert [many.one(index).seed for index in range(3)] == [MAX_SEED, 0, 1]
    assert (many.one(1).num_images, many.one(1).batch_size) == (1, 1)
