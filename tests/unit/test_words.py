"""The page's words: complete in each language, and one list of fields."""

from __future__ import annotations

import json
import re

from studio.request import GenerationRequest
from studio.settings import REPOSITORY
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


def test_examples_have_a_prompt_in_each_language() -> None:
    examples = json.loads((REPOSITORY / "presets" / "examples.json").read_text("utf-8"))
    assert len({example["id"] for example in examples}) == len(examples) >= 3
    for example in examples:
        assert set(example["prompt"]) == {"en", "zh"}
        GenerationRequest(prompt=example["prompt"]["en"], seed=example["seed"])
