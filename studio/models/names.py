"""A name of its own for every model of a kind. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from studio.models.base import Kind, ModelInfo
from studio.models.folders import Found
from studio.sentences import Sentence, say


def kind_in_words(kind: Kind) -> Sentence:
    """What a kind of model is called within a sentence."""
    words: dict[Kind, Sentence] = {
        "checkpoint": say("model"), "vae": say("VAE"), "lora": say("LoRA"),
        "embedding": say("embedding"), "upscaler": say("upscaler"), "translator": say("translator"),
    }  # fmt: skip
    return words[kind]


def with_unique_names(
    models: Sequence[tuple[Found, ModelInfo]],
) -> list[ModelInfo]:
    """The models in their order, each with a name that no other of its kind has.

    Of several with one name the first that can be used keeps it; the others have something after
    it that tells them apart: their ending, or, in brackets, the folder that they are from. The
    names depend on what is there alone, so that they are the same at every start.
    """
    owner: dict[tuple[str, str], int] = {}
    for at, (_, info) in enumerate(models):
        key = info.kind, info.name
        if key not in owner or (models[owner[key]][1].problem and not info.problem):
            owner[key] = at
    named: list[ModelInfo] = []
    for at, (found, info) in enumerate(models):
        winner = owner[info.kind, info.name]
        if winner != at:
            names = _longer_names(found, info.name, models[winner][0])
            name = next(name for name in names if (info.kind, name) not in owner)
            owner[info.kind, name] = at
            info = replace(info, name=name)
        named.append(info)
    return named


def _longer_names(found: Found, name: str, other: Found) -> Iterator[str]:
    """Names for ``found`` beside ``other``, the shortest first."""
    if not found.is_folder and found.path.parent == other.path.parent:
        yield name + found.path.suffix
    place, root = found.place.path, found.root
    if root != other.root:
        label = root.parent.name if root.name.casefold() == "models" else root.name
    else:
        label = place.name
    yield f"{name} ({label})"
    for number in count(2):
        yield f"{name} ({label} {number})"
