"""The languages of the studio, and who says a sentence in one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from studio.request import GenerationRequest
from studio.sentences import Sentence, filled

Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
COOKIE = "studio_language"
"""The page's language, which a visitor may have chosen; it goes before what the browser prefers."""


@dataclass(frozen=True)
class Speaker:
    """Says sentences in one language; ``forms``: English template -> the same in that language."""

    language: Language = "en"
    forms: Mapping[str, str] = field(default_factory=dict)
    comma: str = ", "

    def __call__(self, text: str) -> str:
        """The text for a visitor. What is no Sentence (a name, a path) stays as it is."""
        if not isinstance(text, Sentence):
            return text
        return filled(self.forms.get(text.template, text.template), text.values, self, self.comma)


def load_speakers(assets: Path) -> Mapping[Language, Speaker]:
    """A speaker for each language, from ``assets/i18n``."""

    def read(name: str) -> dict[str, str]:
        return dict(json.loads((assets / "i18n" / f"{name}.json").read_text("utf-8")))

    words = read("zh-CN")
    fields = {
        info.title or name: words[f"field.{name}"]
        for name, info in GenerationRequest.model_fields.items()
        if f"field.{name}" in words
    }
    chinese = Speaker("zh-CN", {**fields, **read("sentences.zh-CN")}, "、")
    return {"en": Speaker(), "zh-CN": chinese}


def wanted_language(chosen: str | None, accepted: str | None) -> Language:
    """The language to answer in: the cookie's, else the best of an Accept-Language, else English.

    Every kind of Chinese is answered in simplified Chinese.
    """
    if chosen in LANGUAGES:
        return chosen
    ranked: list[tuple[float, Language]] = []
    for part in (accepted or "").split(","):
        name, _, weight = part.partition(";q=")
        language: Language | None = {"zh": "zh-CN", "en": "en"}.get(  # type: ignore[assignment]
            name.strip().lower().partition("-")[0]
        )
        if language:
            ranked.append((_quality(weight), language))
    return max(ranked, key=lambda each: each[0], default=(1.0, "en"))[1]


def _quality(weight: str) -> float:
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
