"""The page's words: complete in each language, and one list of fields."""

from __future__ import annotations

import json
import re

from studio.animation.reading import read_animation
from studio.animation.request import Film, Leg
from studio.complete import complete
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from studio.ui.animation_fields import film_fields, keyframe_fields, leg_fields
from studio.ui.fields import SHAPES
from studio.ui.words import load_words

ASSETS = REPOSITORY / "assets"


def test_both_languages_say_the_same_things() -> None:
    words = load_words(ASSETS)
    # Chinese has one form for one and many.
    english = {key for key in words["en"] if not key.endswith(".one")}
    assert english == set(words["zh-CN"])
    for key in english:
        slots = set(re.findall(r"\{(\w+)\}", words["en"][key]))
        assert slots == set(re.findall(r"\{(\w+)\}", words["zh-CN"][key])), key


def test_every_field_has_its_label_and_help() -> None:
    words = load_words(ASSETS)
    for name, info in GenerationRequest.model_fields.items():
        assert words["en"][f"field.{name}"] == info.title
        assert words["zh-CN"][f"help.{name}"]


def test_every_word_that_a_script_asks_for_exists() -> None:
    words = load_words(ASSETS)["en"]
    for script in (ASSETS / "js").rglob("*.js"):
        for key in re.findall(r'\bt\("([^"]+)"', script.read_text("utf-8")):
            assert key in words, (script.name, key)
    assert all(f"shape.{name}" in words for name in SHAPES)


def test_example_animations_can_be_made() -> None:
    examples = json.loads((REPOSITORY / "presets" / "animations.json").read_text("utf-8"))
    assert len({example["id"] for example in examples}) == len(examples) >= 3
    for example in examples:
        assert set(example["title"]) == {"en", "zh"}
        for language in ("en", "zh"):
            keyframes = [{**k, "prompt": k["prompt"][language]} for k in example["keyframes"]]
            values = {**example["film"], "seed": example["seed"], "keyframes": keyframes}
            read_animation(values, lambda given: complete(given, {}))


def test_every_simple_field_of_an_animation_has_its_control() -> None:
    for fields, model in ((film_fields(), Film), (leg_fields(), Leg)):
        names = [field["name"] for field in fields]
        assert [name for name in names if name in model.model_fields] == list(model.model_fields)
    words = load_words(ASSETS)
    for field in [*film_fields(), *leg_fields(), *keyframe_fields()]:
        for language in ("en", "zh-CN"):
            assert words[language][field["label"]] and words[language][field["help"]]
            for choice in field.get("choices", []):
                assert words[language][f"{field['label']}.{choice}"]
    given = {
        field["name"]: field["usual"] for field in film_fields() if field["name"] != "strength"
    }
    assert Film(**given) == Film()


def test_examples_have_a_prompt_in_each_language() -> None:
    examples = json.loads((REPOSITORY / "presets" / "examples.json").read_text("utf-8"))
    assert len({example["id"] for example in examples}) == len(examples) >= 3
    for example in examples:
        assert set(example["prompt"]) == {"en", "zh"}
        GenerationRequest(prompt=example["prompt"]["en"], seed=example["seed"])
