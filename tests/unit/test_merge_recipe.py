"""What may be merged, and under which name: every refusal is a sentence on its field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.errors import InvalidRequest
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.merging.merges import Merges
from studio.models.merging.order import find_all
from studio.models.merging.recipe import Recipe, read_recipe
from tests.weights import VAE, kohya_lora, sd1, sd2, sdxl, write_weights

GOOD: dict[str, Any] = {"name": "mix", "models": ["a", "b"]}


def test_what_is_left_out() -> None:
    recipe = read_recipe(GOOD)
    assert recipe == Recipe("mix", ("a", "b"), "weighted_sum", (1.0, 1.0))
    assert recipe.coefficients == (0.5, 0.5)
    assert (recipe.vae, recipe.loras, recipe.dtype) == (None, (), "float16")


def test_only_proportions_count_in_a_sum() -> None:
    recipe = read_recipe({**GOOD, "weights": [0.2, 0.6]})
    assert recipe.coefficients == pytest.approx((0.25, 0.75))


def test_a_difference_is_the_seconds_beyond_the_third() -> None:
    recipe = read_recipe(
        {"name": "mix", "models": ["a", "b", "c"], "method": "add_difference", "weights": [0.8]}
    )
    assert recipe.coefficients == (1.0, 0.8, -0.8)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": ""}, "name", "Give the result a name"),
        ({"name": 7}, "name", "Give the result a name"),
        ({"name": "../etc/x"}, "name", "cannot have “/”"),
        ({"name": "a\\b"}, "name", "cannot have “\\”"),
        ({"name": "a\nb"}, "name", "invisible"),
        ({"name": ".hidden"}, "name", "begin or end with a full stop"),
        ({"name": "NUL"}, "name", "cannot be a model's name"),
        ({"name": "x.safetensors"}, "name", "cannot be a model's name"),
        ({"name": "x" * 101}, "name", "too long"),
        ({"name": "山" * 90}, "name", "too long"),
        ({"name": "\ud800"}, "name", "surrogate"),
        ({"models": "a"}, "models", "list of names"),
        ({"models": [1, 2]}, "models", "list of names"),
        ({"models": []}, "models", "two or three"),
        ({"models": ["a"] * 4}, "models", "two or three"),
        ({"models": ["a"]}, "models", "second model, or a VAE or LoRAs"),
        ({"method": "median"}, "method", "weighted_sum"),
        ({"method": ["weighted_sum"]}, "method", "weighted_sum"),
        ({"method": "add_difference"}, "models", "takes three models"),
        ({"weights": [0.5]}, "weights", "must hold 2, each"),
        ({"weights": [0.5, 1.5]}, "weights", "between 0 and 1"),
        ({"weights": [0.5, float("nan")]}, "weights", "between 0 and 1"),
        ({"weights": [True, 0.5]}, "weights", "between 0 and 1"),
        ({"weights": [0, 0]}, "weights", "All weights are 0"),
        ({"weights": 0.5}, "weights", "must hold 2"),
        ({"vae": 5}, "vae", "must be a name"),
        ({"loras": "x"}, "loras", "a list"),
        ({"loras": [{"weight": 1}]}, "loras", "a name and a weight"),
        ({"loras": [{"name": "x", "weight": 40}]}, "loras", "between -4 and 4"),
        ({"loras": [{"name": "x"}] * 17}, "loras", "at most 16"),
        ({"dtype": "int8"}, "dtype", "float16, bfloat16, float32"),
        ({"weight": [1, 2]}, "weight", "no setting called “weight”"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_recipe({**GOOD, **values})
    (problem,) = refused.value.problems
    assert problem.field == field
    assert words in problem.message


def test_every_wrong_field_is_said_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_recipe({"models": [], "dtype": "x"})
    assert {each.field for each in refused.value.problems} == {"name", "models", "dtype"}


def test_a_single_model_may_have_something_baked_in() -> None:
    recipe = read_recipe({"name": "mix", "models": ["a"], "loras": [{"name": "x", "weight": -0.5}]})
    assert (recipe.coefficients, recipe.loras[0].weight) == ((1.0,), -0.5)
    assert read_recipe({"name": "mix", "models": ["a"], "vae": "v"}).vae == "v"


@pytest.fixture
def shelf(tmp_path: Path) -> Catalog:
    checkpoints = tmp_path / "checkpoints"
    write_weights(checkpoints / "one.safetensors", sd1())
    write_weights(checkpoints / "two.safetensors", sd1())
    write_weights(checkpoints / "paint.safetensors", sd1(9))
    write_weights(checkpoints / "xl.safetensors", sdxl())
    noise = {"modelspec.prediction_type": "epsilon"}
    write_weights(checkpoints / "eps.safetensors", sd2(), noise)
    write_weights(checkpoints / "v.safetensors", sd2(), {"modelspec.prediction_type": "v"})
    (checkpoints / "broken.safetensors").write_text("no model")
    write_weights(tmp_path / "loras/ink.safetensors", kohya_lora(768))
    write_weights(tmp_path / "vae/clear.safetensors", VAE)
    return Catalog([tmp_path])


def test_what_is_named_is_found(shelf: Catalog) -> None:
    values = {"name": "mix", "models": ["paint", "one"], "vae": "clear", "loras": [{"name": "ink"}]}
    order = find_all(shelf, read_recipe(values))
    assert [info.name for info in order.models] == ["paint", "one"]
    assert order.vae is not None
    assert order.vae.name == "clear"
    assert [info.name for info in order.loras] == ["ink"]


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (["one", "nothing"], "no model called “nothing”"),
        (["one", "broken"], "“broken” cannot be used"),
        (["one", "ink"], "“ink” is no model"),
        (["one", "xl"], "“one” is of the family Stable Diffusion 1, “xl” of SDXL"),
        (["one", "paint"], "“paint” is an inpainting model: choose it as model A"),
        (["eps", "v"], "“eps” and “v” were trained to answer with different things"),
    ],
)
def test_models_that_do_not_go_together(shelf: Catalog, models: list[str], words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        find_all(shelf, read_recipe({"name": "mix", "models": models}))
    (problem,) = refused.value.problems
    assert problem.field == "models"
    assert words in problem.message


@pytest.mark.parametrize(
    ("more", "field"),
    [({"vae": "ink"}, "vae"), ({"loras": [{"name": "clear"}]}, "loras")],
)
def test_add_ons_that_are_not_there(shelf: Catalog, more: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        find_all(shelf, read_recipe({"name": "mix", "models": ["one", "two"], **more}))
    assert refused.value.problems[0].field == field


@pytest.mark.parametrize("name", ["one", "ONE", "broken", "two"])
def test_a_name_that_is_taken(shelf: Catalog, tmp_path: Path, name: str) -> None:
    merges = Merges(tmp_path / "checkpoints", shelf)
    with pytest.raises(InvalidRequest, match="There is a model called"):
        merges.start({"name": name, "models": ["one", "two"]})
    assert merges.list() == []


def test_what_a_killed_studio_left_is_removed(shelf: Catalog, tmp_path: Path) -> None:
    half = tmp_path / "checkpoints/.merges/mix.safetensors"
    half.parent.mkdir()
    half.write_bytes(b"half")
    Merges(tmp_path / "checkpoints", shelf)
    assert not half.parent.exists()


def test_the_metadata_says_what_it_is_made_of(shelf: Catalog) -> None:
    order = find_all(shelf, read_recipe({"name": "mix", "models": ["v", "v"]}))
    said = order.metadata
    assert said["modelspec.title"] == "mix"
    assert said["modelspec.prediction_type"] == "v"
    assert said["modelspec.merged_from"] == "v, v"
    distilled: tuple[ModelInfo, ...] = (replace(order.models[0], variety="turbo"),)
    assert replace(order, models=distilled).metadata["modelspec.title"] == "mix (turbo)"
