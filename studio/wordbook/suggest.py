"""What there is to complete a prompt with: kept words, the add-ons on disk, pocket's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from studio.models.base import ModelInfo
from studio.wordbook.completion import MAX_PREFIX, Completion, Known, NamedStyle, complete
from studio.wordbook.wordbook import Wordbook


class Catalog(Protocol):
    """What is needed of the catalog."""

    def list(self) -> Sequence[ModelInfo]:
        """Every model of every kind."""


def suggest(
    wordbook: Wordbook, catalog: Catalog, prefix: str, visitor: str, model: str | None, limit: int
) -> list[Completion]:
    """The best completions of what stands before the caret.

    LoRAs and embeddings are those that fit the model called ``model``; all when there is none by
    that name. The vocabulary is offered for models that know only that.
    """
    if not prefix.strip():
        return []
    infos = catalog.list()
    chosen = next((i for i in infos if i.kind == "checkpoint" and i.name == model), None)
    known = Known(
        words=_vocabulary() if chosen and chosen.known_words else (),
        wildcards=tuple(wordbook.wildcards.now()),
        loras=_addons(infos, "lora", chosen),
        embeddings=_addons(infos, "embedding", chosen),
        styles=[
            NamedStyle(style.id, tuple(filter(None, (style.name, style.name_zh))))
            for style in (listed.style for listed in wordbook.styles.list())
        ],
        prompts=wordbook.history.beginning(visitor, prefix) if len(prefix) < MAX_PREFIX else (),
    )
    return complete(prefix, known, limit)


def _addons(infos: Sequence[ModelInfo], kind: str, model: ModelInfo | None) -> list[str]:
    """The add-ons of a kind by the names that people write, those that fit the model."""
    names = [
        info.name.rsplit("/", 1)[-1] if kind == "embedding" else info.name
        for info in infos
        if info.kind == kind
        and not info.problem
        and (model is None or not info.family or info.family == model.family)
    ]
    return list(dict.fromkeys(names))


def _vocabulary() -> list[str]:
    """Pocket's words in both languages, each as it is said first and otherwise."""
    from studio.pocket.world import VOCABULARY  # the package: see `studio.imports`

    words = [word for table in VOCABULARY.values() for word in table.values()]
    terms = [
        term
        for word in words
        for language in ("en", "zh")
        for term in (*word.tags(language), *word.phrases(language))
    ]
    return list(dict.fromkeys(terms))
