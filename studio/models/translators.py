"""A translator's folder, as transformers saves a Marian model, looked at from outside. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from studio.models.base import ModelInfo
from studio.models.weights import read_object, weights_problem, weights_size
from studio.sentences import Sentence, say

FILES: Final = ("config.json", "source.spm", "target.spm", "vocab.json")
"""What a translator is made of, beside its weights."""
OPTIONAL: Final = ("generation_config.json", "tokenizer_config.json")
WEIGHTS: Final = "model.safetensors"
_SHORT: Final = {"zho": "zh", "cmn": "zh", "chi": "zh", "eng": "en"}  # ISO 639-3 and -2 -> 639-1


def is_translator(config: Mapping[str, Any]) -> bool:
    """Whether a folder with this config.json holds a Marian model."""
    return config.get("model_type") == "marian"


def describe_translator(name: str, folder: Path) -> ModelInfo:
    """The translator in a folder; what is wrong with it stands in ``problem``."""
    tokenizer = read_object(folder / "tokenizer_config.json")
    languages = (_code(tokenizer, "source_lang", "zh"), _code(tokenizer, "target_lang", "en"))
    return ModelInfo(
        name,
        folder,
        kind="translator",
        family="marian",
        size=weights_size(folder),
        problem=_problem(folder, languages),
        languages=languages,
    )


def _code(tokenizer: Mapping[str, Any], key: str, usual: str) -> str:
    said = str(tokenizer.get(key, usual))
    return _SHORT.get(said, said)[:20]


def _problem(folder: Path, languages: tuple[str, str]) -> Sentence | None:
    for needed in FILES:
        if not (folder / needed).is_file():
            return say("Its {file} is missing.", file=needed)
    if problem := weights_problem(folder):
        return say("Its folder {problem}", problem=problem)
    if languages != ("zh", "en"):
        return say(
            "It translates from {source} to {target}; the studio needs Chinese to English.",
            source=languages[0], target=languages[1],
        )  # fmt: skip
    return None
