"""Prompts to embeddings: chunks of tokens, encoded once and kept, and guidance built on them."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import torch

from studio.models.base import Canvas, Conditions, LoadedModel, Painting, TextEmbedding

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
    """Encodes prompts of any length; keeps the last few results, but not the models they are of."""

    def __init__(self, capacity: int = CACHED_PROMPTS) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[
            tuple[int, str, int], tuple[weakref.ref[LoadedModel], TextEmbedding]
        ] = OrderedDict()

    def encode(self, model: LoadedModel, *texts: str) -> list[TextEmbedding]:
        """One embedding per text, all of the same length, sequence (1, 77·chunks, D).

        A text of more than 75 tokens goes through the text encoder in chunks of 75, each with its
        own begin and end marks; shorter ones are filled up with empty chunks.
        """
        ids = [model.tokenize(text) for text in texts]
        longest = max(len(chunks_of(one, model.chunk_length)) for one in ids) or 1
        return [
            self._encode(model, text, chunks_of(one, model.chunk_length, longest))
            for text, one in zip(texts, ids, strict=True)
        ]

    def _encode(
        self, model: LoadedModel, text: str, chunks: Sequence[Sequence[int]]
    ) -> TextEmbedding:
        key = (id(model), text, len(chunks))
        if key in self._kept and self._kept[key][0]() is model:  # an id may come again
            self._kept.move_to_end(key)
            return self._kept[key][1]
        embedding = model.encode_tokens(chunks)
        self._kept[key] = (weakref.ref(model), embedding)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return embedding

    def forget(self) -> None:
        """Let everything go."""
        self._kept.clear()


def zeros_like(embedding: TextEmbedding) -> TextEmbedding:
    """An embedding that says nothing, as some models were trained with for “no prompt”."""
    pooled = None if embedding.pooled is None else torch.zeros_like(embedding.pooled)
    return TextEmbedding(torch.zeros_like(embedding.sequence), pooled)


class Guided:
    """Classifier-free guidance: a Denoiser that asks the UNet once per step, about both prompts.

    At ``guidance_scale`` 1, and with a model that takes the guidance as an input, the negative
    prompt has no say and is left out: half the work. ``canvas``: what an inpainting model sees; one
    without a picture paints all over.
    Source: Ho & Salimans 2022, arXiv:2207.12598, equation 6.
    """

    def __init__(
        self,
        model: LoadedModel,
        positive: Conditioning,
        negative: Conditioning | None,
        guidance_scale: float,
        canvas: Canvas | None = None,
    ) -> None:
        alone = guidance_scale == 1.0 or model.guides_itself
        self._model, self._positive = model, positive
        self._negative = None if alone else negative
        self._scale, self._canvas = guidance_scale, canvas
        self._made_of: tuple[TextEmbedding, ...] = ()
        self._made_for: torch.Size | None = None
        self._rows: Conditions | None = None

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The guided output (B, C, h, w) in fp32 for scaled latents (B, C, h, w)."""
        positive = self._positive.at(index)
        if self._negative is None:
            return self._model.predict(latents, timestep, self._batch(latents.shape, positive))
        rows = self._batch(latents.shape, self._negative.at(index), positive)
        output = self._model.predict(torch.cat([latents, latents]), timestep, rows)
        without, towards = output.chunk(2)
        return without + self._scale * (towards - without)

    def _batch(self, shape: torch.Size, *embeddings: TextEmbedding) -> Conditions:
        """What is told with each prompt, for every picture of a batch; kept while it lasts."""
        same = len(embeddings) == len(self._made_of) and all(
            new is old for new, old in zip(embeddings, self._made_of, strict=True)
        )
        rows = self._rows
        if rows is None or not same or shape != self._made_for:
            cell = self._model.vae_scale_factor
            width, height = shape[3] * cell, shape[2] * cell
            if self._canvas is None:
                self._canvas = self._model.blank_canvas(width, height)
            told = [
                self._model.conditions(
                    embedding,
                    Painting(width, height, self._scale, negative, self._canvas),
                )
                for embedding, negative in zip(embeddings[::-1], (False, True), strict=False)
            ]
            rows = stacked(told[::-1], shape[0])
            self._rows, self._made_of, self._made_for = rows, embeddings, shape
        return rows


def stacked(told: Sequence[Conditions], pictures: int) -> Conditions:
    """Several conditions, each repeated for every picture, one after another."""
    values: dict[str, torch.Tensor] = {}
    for item in fields(Conditions):
        rows = [getattr(each, item.name) for each in told]
        if rows[0] is not None:
            values[item.name] = torch.cat([row.expand(pictures, *row.shape[1:]) for row in rows])
    return Conditions(**values)
