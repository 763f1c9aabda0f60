"""What frames between two keyframes are told, and what noise they are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from studio.animation.plan import Moment
from studio.animation.request import Blend
from studio.engine.conditioning import Conditioning, Said
from studio.engine.noise import slerp
from studio.models.base import TextEmbedding


@dataclass(frozen=True)
class _Ends:
    """What two keyframes say at one call of the loop."""

    start: tuple[Said, ...]
    end: tuple[Said, ...]


class MixedConditioning:
    """What several frames are told, a row for each: mixtures of what the keyframes are.

    ``keyframes``: what each says; all embeddings have the same length.
    """

    def __init__(
        self, keyframes: Sequence[Conditioning], moments: Sequence[Moment], blend: Blend
    ) -> None:
        self._keyframes, self._moments, self._blend = keyframes, moments, blend
        self._last: tuple[tuple[_Ends, ...], tuple[Said, ...]] | None = None

    def at(self, index: int) -> tuple[Said, ...]:
        """What holds at call ``index``; the same objects while no keyframe's words change."""
        ends = tuple(
            _Ends(self._keyframes[m.start].at(index), self._keyframes[m.end].at(index))
            for m in self._moments
        )
        if self._last is None or not _same(self._last[0], ends):
            self._last = ends, self._mixed(ends)
        return self._last[1]

    def _mixed(self, ends: Sequence[_Ends]) -> tuple[Said, ...]:
        count = max(max(len(each.start), len(each.end)) for each in ends)
        rows = [
            [self._one(each, moment.share, place) for place in range(count)]
            for each, moment in zip(ends, self._moments, strict=True)
        ]
        return tuple(_stacked([row[place] for row in rows]) for place in range(count))

    def _one(self, ends: _Ends, share: float, place: int) -> Said:
        """The mixture of the conditions at one place.

        Where one end has fewer, the other's stands there without weight: it fades in or out.
        """
        start, end = _at(ends.start, place), _at(ends.end, place)
        if start is None and end is None:  # other frames of the batch have more
            return Said(ends.start[0].embedding, 0.0)
        start = start or Said(end.embedding, 0.0)  # type: ignore[union-attr]
        end = end or Said(start.embedding, 0.0)
        weight = start.weight + share * (end.weight - start.weight)
        return Said(mixed_embedding(start.embedding, end.embedding, share, self._blend), weight)


def _at(said: Sequence[Said], place: int) -> Said | None:
    return said[place] if place < len(said) else None


def _same(one: Sequence[_Ends], other: Sequence[_Ends]) -> bool:
    return all(
        a.start is b.start and a.end is b.end for a, b in zip(one, other, strict=True)
    )  # fmt: skip


def _stacked(rows: Sequence[Said]) -> Said:
    """Several frames' conditions as one of as many rows; the weight a number if it is the same."""
    sequence = torch.cat([row.embedding.sequence for row in rows])
    pooled = [row.embedding.pooled for row in rows if row.embedding.pooled is not None]
    weight = per_frame([float(row.weight) for row in rows], sequence.device)
    return Said(TextEmbedding(sequence, torch.cat(pooled) if pooled else None), weight)


def per_frame(numbers: Sequence[float], device: torch.device) -> float | torch.Tensor:
    """A number for every frame: itself where all have the same, else (B, 1, 1, 1)."""
    if len(set(numbers)) == 1:
        return numbers[0]
    return torch.tensor(numbers, dtype=torch.float32, device=device).reshape(-1, 1, 1, 1)


def mixed_embedding(
    start: TextEmbedding, end: TextEmbedding, share: float, blend: Blend
) -> TextEmbedding:
    """From ``start`` at 0 to ``end`` at 1; both are reached to the bit."""
    pooled = None
    if start.pooled is not None and end.pooled is not None:
        pooled = mixed(start.pooled, end.pooled, share, blend)
    return TextEmbedding(mixed(start.sequence, end.sequence, share, blend), pooled)


def mixed(start: torch.Tensor, end: torch.Tensor, share: float, blend: Blend) -> torch.Tensor:
    """Two tensors of one shape, taken as vectors: on the arc between them, or straight."""
    if start is end or share == 0:
        return start
    if share == 1:
        return end
    return slerp(start, end, share) if blend == "slerp" else torch.lerp(start, end, share)
