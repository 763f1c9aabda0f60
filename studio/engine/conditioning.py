"""Prompts to embeddings: what a plan says at every step, encoded once and kept."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch

from studio.models.base import LoadedModel, TextEmbedding
from studio.prompt.chunks import Chunk, Tokenize, check_count, chunks_of, filled
from studio.prompt.plan import Condition, PromptPlan

KEPT_PROMPTS = 256
Result = TypeVar("Result")


@dataclass(frozen=True)
class Said:
    """One thing that the picture shall show, and how much it counts.

    ``weight``: (B, 1, 1, 1) where that is not the same for all pictures of a batch; the embedding
    then has a row for each.
    """

    embedding: TextEmbedding
    weight: float | torch.Tensor = 1.0


class Conditioning(Protocol):
    """What the UNet is told, which may change from one step to the next."""

    def at(self, index: int) -> tuple[Said, ...]:
        """What holds at call ``index`` of the loop; the same objects while it does not change."""


@dataclass(frozen=True)
class Constant:
    """The same at every step."""

    said: tuple[Said, ...]

    def at(self, index: int) -> tuple[Said, ...]:
        """What holds, whatever the step."""
        return self.said


@dataclass(frozen=True)
class Scheduled:
    """What holds at every one of the steps; ``calls`` of the UNet are spread over them.

    A sampler of second order calls twice a step, but once for the last.
    """

    steps: tuple[tuple[Said, ...], ...]
    calls: int

    def at(self, index: int) -> tuple[Said, ...]:
        """What holds at call ``index``."""
        return self.steps[min(index * len(self.steps) // self.calls, len(self.steps) - 1)]


@dataclass(frozen=True)
class Wording:
    """How a model reads prompts.

    ``tokenize``: the model's own, or one that knows a job's learnt embeddings. ``variant``: what
    an embedding of the same words depends on besides the model. ``keep_mean``: see `emphasised`.
    """

    model: LoadedModel
    tokenize: Tokenize
    variant: Hashable = ()
    keep_mean: bool = True

    @classmethod
    def plain(cls, model: LoadedModel) -> Wording:
        """The model's own words and nothing else."""
        return cls(model, model.tokenize)


class PromptEncoder:
    """Encodes plans of any length; keeps the last few results, but not the models they are of."""

    def __init__(self, capacity: int = KEPT_PROMPTS) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, tuple[weakref.ref[LoadedModel], Any]] = OrderedDict()

    def encode(self, wording: Wording, calls: int, *plans: PromptPlan) -> list[Conditioning]:
        """One conditioning a plan; all embeddings of the same length, sequence (1, 77·chunks, D).

        A condition of more tokens than one pass takes goes through the text encoder in chunks, each
        with its own begin and end marks; shorter ones are filled up with empty chunks, so that
        positive and negative prompts are padded alike. ``calls``: of the UNet, in the whole run.
        Raises InvalidRequest for a prompt of too many chunks.
        """
        conditions = {
            condition: self._chunks(wording, condition)
            for plan in plans
            for moment in plan.moments
            for condition in moment.conditions
        }
        count = max(map(len, conditions.values()))
        check_count(count, wording.model.chunk_length)
        said = {
            condition: Said(self._embedding(wording, filled(chunks, count)), condition.weight)
            for condition, chunks in conditions.items()
        }
        return [_conditioning(plan, said, calls) for plan in plans]

    def forget(self) -> None:
        """Let everything go."""
        self._kept.clear()

    def _chunks(self, wording: Wording, condition: Condition) -> tuple[Chunk, ...]:
        length, key = wording.model.chunk_length, (condition, wording.variant)
        return self._once(
            wording.model, key, lambda: chunks_of(condition, wording.tokenize, length)
        )

    def _embedding(self, wording: Wording, chunks: tuple[Chunk, ...]) -> TextEmbedding:
        model, keep_mean = wording.model, wording.keep_mean
        key = (chunks, keep_mean, wording.variant)
        return self._once(model, key, lambda: model.encode_tokens(chunks, keep_mean))

    def _once(self, model: LoadedModel, key: Hashable, make: Callable[[], Result]) -> Result:
        """What is kept for a model under ``key``, or what ``make`` makes."""
        key = (id(model), key)
        if key in self._kept and self._kept[key][0]() is model:  # an id may come again
            self._kept.move_to_end(key)
            kept: Result = self._kept[key][1]
            return kept
        made = make()
        self._kept[key] = (weakref.ref(model), made)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return made


def _conditioning(
    plan: PromptPlan, said: dict[Condition, Said], calls: int
) -> Constant | Scheduled:
    """The plan with each condition's embedding in its place."""
    made: dict[int, tuple[Said, ...]] = {}
    steps: Sequence[tuple[Said, ...]] = [
        made.setdefault(id(moment), tuple(said[each] for each in moment.conditions))
        for moment in plan.moments
    ]
    if len(made) == 1:
        return Constant(steps[0])
    return Scheduled(tuple(steps), calls)


def says_nothing(conditioning: Conditioning) -> Constant:
    """Zeros in its place, as some models were trained with for “no prompt”."""
    embedding = conditioning.at(0)[0].embedding
    pooled = None if embedding.pooled is None else torch.zeros_like(embedding.pooled)
    return Constant((Said(TextEmbedding(torch.zeros_like(embedding.sequence), pooled)),))
