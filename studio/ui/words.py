"""Every word of the page, in each language: field labels from the request, the rest from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from studio.complete import PartialRequest
from studio.request import GenerationRequest

LANGUAGES = ("en", "zh-CN")

Words = Mapping[str, Mapping[str, str]]


def load_words(assets: Path) -> dict[str, dict[str, str]]:
    """Language -> key -> text. English labels and help come from GenerationRequest's fields."""
    words = {
        language: dict(json.loads((assets / "i18n" / f"{language}.json").read_text("utf-8")))
        for language in LANGUAGES
    }
    for name, info in GenerationRequest.model_fields.items():
        words["en"][f"field.{name}"] = info.title or name
        words["en"][f"help.{name}"] = info.description or ""
    return words


def field_bounds() -> dict[str, dict[str, Any]]:
    """Field -> its bounds in JSON Schema's words, so that the page can say them in any language."""
    known = ("minimum", "maximum", "multipleOf", "maxLength")
    properties = PartialRequest.model_json_schema()["properties"]
    return {
        name: {key: schema[key] for key in known if key in schema}
        for name, schema in properties.items()
    }


def gradio_words(words: Words) -> gr.I18n:
    """The same words for Gradio's own labels; ``gradio_words(w)("field.prompt")`` is a label."""
    return gr.I18n(**words)
