"""How long a prompt is for a model: tokens, chunk by chunk, as its text encoder takes them.

Reads a model's vocabulary and no weights. To be used once torch is there: before that, the library
that reads vocabularies would keep the page waiting for seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from studio.errors import ModelError
from studio.models.addons.listing import Catalog, best_embeddings
from studio.models.base import ModelInfo
from studio.models.clip_tokens import ClipTokens, clip_tokens, folder_tokens
from studio.models.header import DamagedFile, read_header
from studio.prompt.chunks import chunks_of
from studio.prompt.plan import plan_prompt

_STEPS = 20  # a schedule is looked at over so many


@dataclass(frozen=True)
class TokenCount:
    """Tokens in each chunk of a prompt and of a negative prompt; ``length`` is a chunk's room."""

    prompt: tuple[int, ...]
    negative_prompt: tuple[int, ...]
    length: int


class TokenCounter:
    """Counts tokens with the vocabulary of the model that was asked for last. Any thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._kept: tuple[ModelInfo, ClipTokens] | None = None

    def count(self, model: str, prompt: str, negative_prompt: str) -> TokenCount | None:
        """The lengths for the checkpoint called ``model``; None where there is no vocabulary.

        Of a prompt that changes while it is painted, and of several joined by ``AND``, the longest
        wording counts. Raises InvalidRequest when there is no such model.
        """
        info = self._catalog.find(model)
        with self._lock:
            tokens = self._tokens(info)
            if tokens is None:
                return None
            tokenize = _with_embeddings(tokens.read, self._vectors(info))

            def lengths(text: str, composed: bool) -> tuple[int, ...]:
                moments = plan_prompt(text, _STEPS, composed).moments
                conditions = {condition for moment in moments for condition in moment.conditions}
                sizes = [
                    tuple(len(chunk.ids) for chunk in chunks_of(each, tokenize, tokens.length))
                    for each in conditions
                ]
                return max(sizes, key=lambda size: (len(size), sum(size)))

            return TokenCount(lengths(prompt, True), lengths(negative_prompt, False), tokens.length)

    def _tokens(self, info: ModelInfo) -> ClipTokens | None:
        if self._kept is None or self._kept[0].path != info.path:
            try:
                folder = info.path / "tokenizer"
                known = folder_tokens(folder) if folder.is_dir() else clip_tokens("", info.path)
            except (OSError, ValueError, TypeError, KeyError, ModelError):
                return None
            self._kept = info, known
        return self._kept[1]

    def _vectors(self, info: ModelInfo) -> Mapping[str, int]:
        """How many tokens each embedding takes up, by the word it is called by."""
        counts: dict[str, int] = {}
        for word, embedding in best_embeddings(self._catalog, info).items():
            try:
                tensors = read_header(embedding.path).tensors.values()
            except (DamagedFile, OSError):
                continue
            shape: Sequence[int] = next((tensor.shape for tensor in tensors), (1,))
            counts[word] = shape[0] if len(shape) > 1 else 1
        return counts


def _with_embeddings(
    read: Callable[[str], list[int]], vectors: Mapping[str, int]
) -> Callable[[str], list[int]]:
    """A tokenizer that gives negative ids for embeddings: as many as they have vectors."""
    if not vectors:
        return read
    from studio.models.addons.embeddings import pattern_of  # torch is there by now

    pattern = pattern_of(list(vectors))

    def tokenize(text: str) -> list[int]:
        ids: list[int] = []
        at = 0
        for match in pattern.finditer(text):
            ids += read(text[at : match.start()])
            ids += [-1] * vectors[match[0].casefold()]
            at = match.end()
        return ids + read(text[at:])

    return tokenize
