"""Every word of the page, in each language: field labels from the request, the rest from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from studio.languages import LANGUAGES
from studio.request import GenerationRequest

Words = Mapping[str, Mapping[str, str]]


def load_words(assets: Path) -> dict[str, dict[str, str]]:
    """Language -> key -> text. English labels and help come from GenerationRequest's fields."""
    words: dict[str, dict[str, str]] = {
        language: dict(json.loads((assets / "i18n" / f"{language}.json").read_text("utf-8")))
        for language in LANGUAGES
    }
    for name, info in GenerationRequest.model_fields.items():
        words["en"][f"field.{name}"] = info.title or name
        words["en"][f"help.{name}"] = info.description or ""
    return words


def gradio_words(words: Words) -> gr.I18n:
    """The same words for Gradio's own labels; ``gradio_words(w)("field.prompt")`` is a label."""
    return gr.I18n(**words)
