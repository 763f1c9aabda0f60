"""Prompts to embeddings: chunks of tokens, encoded once and kept, and guidance built on them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from studio.models.base import LoadedModel, TextEmbedding

CACHED_PROMPTS = 64


class Conditioning(Protocol):
    """What the UNet is told, which may change from one step to the next."""

    def at(self, index: int) -> TextEmbedding:
        """The embedding for step ``index``; the same object while it does not change."""


@dataclass(frozen=True)
class Constant:
    """The same embedding at every step."""

    embedding: TextEmbedding

    def at(self, index: int) -> TextEmbedding:
        """The embedding, whatever the step."""
        return self.embedding


def chunks_of(ids: Sequence[int], length: int, at_least: int = 1) -> list[list[int]]:
    """The ids in chunks of ``length``; empty chunks at the end up to ``at_least``."""
    chunks = [list(ids[start : start + length]) for start in range(0, len(ids), length)]
    return chunks + [[] for _ in range(at_least - len(chunks))]


class PromptEncoder:
    """Encodes prompts of any length; keeps the last few results."""

    def __init__(self, capacity: int = CACHED_PROMPTS) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, tuple[LoadedModel, TextEmbedding]] = OrderedDict()

    def encode(
        self,
        model: LoadedModel,
        *texts: str,
        tokenize: Callable[[str], list[int]] | None = None,
        variant: Hashable = (),
    ) -> list[TextEmbedding]:
        """One embedding per text, all of the same length, sequence (1, 77·chunks, D).

        A text of more than 75 tokens goes through the text encoder in chunks of 75, each with its
        own begin and end marks; shorter ones are filled up with empty chunks. ``variant`` is what
        the result depends on besides model and text: add-ons of the text encoder, CLIP skip.
        """
        ids = [(tokenize or model.tokenize)(text) for text in texts]
        longest = max(len(chunks_of(one, model.chunk_length)) for one in ids) or 1
        return [
            self._encode(model, text, chunks_of(one, model.chunk_length, longest), variant)
            for text, one in zip(texts, ids, strict=True)
        ]

    def _encode(
        self, model: LoadedModel, text: str, chunks: Sequence[Sequence[int]], variant: Hashable
    ) -> TextEmbedding:
        # The model is kept with it, so its id stays its own.
        key = (id(model), text, len(chunks), variant)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        embedding = model.encode_tokens(chunks)
        self._kept[key] = (model, embedding)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return embedding

    def forget(self) -> None:
        """Let everything go: with another model loaded, it would keep the old one in memory."""
        self._kept.clear()


class Guided:
    """Classifier-free guidance: a Denoiser that asks the UNet once per step, about both prompts.

    At ``guidance_scale`` 1 the negative prompt has no say and is left out: half the work.
    Source: Ho & Salimans 2022, arXiv:2207.12598, equation 6.
    """

    def __init__(
        self,
        model: LoadedModel,
        positive: Conditioning,
        negative: Conditioning | None,
        guidance_scale: float,
    ) -> None:
        self._model, self._positive, self._negative = model, positive, negative
        self._scale = guidance_scale
        self._made_of: tuple[TextEmbedding, ...] = ()
        self._rows: TextEmbedding | None = None

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The guided output (B, C, h, w) in fp32 for scaled latents (B, C, h, w)."""
        positive = self._positive.at(index)
        if self._negative is None or self._scale == 1.0:
            return self._model.predict(latents, timestep, self._batch(len(latents), positive))
        rows = self._batch(len(latents), self._negative.at(index), positive)
        output = self._model.predict(torch.cat([latents, latents]), timestep, rows)
        without, towards = output.chunk(2)
        return without + self._scale * (towards - without)

    def _batch(self, pictures: int, *embeddings: TextEmbedding) -> TextEmbedding:
        """The embeddings repeated for every picture, one after another; kept while they last."""
        same = len(embeddings) == len(self._made_of) and all(
            new is old for new, old in zip(embeddings, self._made_of, strict=True)
        )
        rows = self._rows
        if rows is None or not same or len(rows.sequence) != pictures * len(embeddings):
            dtype = self._model.placement.dtype
            repeated = [e.sequence.to(dtype).expand(pictures, -1, -1) for e in embeddings]
            pooled = [e.pooled.expand(pictures, -1) for e in embeddings if e.pooled is not None]
            rows = TextEmbedding(torch.cat(repeated), torch.cat(pooled) if pooled else None)
            self._rows, self._made_of = rows, embeddings
        return rows
