"""Every word of the page, in each language: field labels from the request, the rest from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from studio.animation.request import Film, Leg, option_label
from studio.languages import LANGUAGES, Language, Speaker, load_speakers
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
    _add_animation(words, load_speakers(assets))
    return words


def _add_animation(words: dict[str, dict[str, str]], speakers: Mapping[Language, Speaker]) -> None:
    """An animation's own fields: labels as they are said in sentences, help from the fields."""
    for name, info in {**Film.model_fields, **Leg.model_fields}.items():
        for language, speaker in speakers.items():
            words[language][f"animation.{name}"] = speaker(option_label(name))
        words["en"][f"animation.{name}.help"] = info.description or ""


def gradio_words(words: Words) -> gr.I18n:
    """The same words for Gradio's own labels; ``gradio_words(w)("field.prompt")`` is a label."""
    return gr.I18n(**words)
