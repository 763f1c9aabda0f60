"""Classifier-free guidance: the UNet asked about all prompts at once, and its answers put together.

Sources: Ho & Salimans 2022, arXiv:2207.12598, equation 6; several conditions as in Liu et al. 2022,
arXiv:2206.01714, equation 11; rescaling as in Lin et al. 2023, arXiv:2305.08891, section 3.4; only
between two noise levels as in Kynkäänniemi et al. 2024, arXiv:2404.07724.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from studio.engine.conditioning import Conditioning, Said
from studio.models.base import Canvas, Conditions, LoadedModel, Painting, TextEmbedding
from studio.request import GenerationRequest


@dataclass(frozen=True)
class Guidance:
    """How strongly a prompt is followed, and when.

    ``scale``: 1 switches guidance off; (B, 1, 1, 1) where it is not the same for all pictures of a
    batch, which models that guide themselves do not take. ``rescale``: from 0 to 1, how far the
    output's spread is brought back to that of the prompt's own. ``start``, ``end``: the shares of
    the run between which ``scale`` holds; before and after it is 1.
    """

    scale: float | torch.Tensor = 1.0
    rescale: float = 0.0
    start: float = 0.0
    end: float = 1.0

    @classmethod
    def of(cls, request: GenerationRequest) -> Guidance:
        """What a request asks for."""
        return cls(
            request.guidance_scale,
            request.guidance_rescale,
            request.guidance_start,
            request.guidance_end,
        )

    def at(self, done: float) -> float | torch.Tensor:
        """The scale when the share ``done`` of the run is over."""
        return self.scale if self.start <= done < self.end else 1.0


@dataclass(frozen=True)
class _Rows:
    """What the UNet was told last, and what for."""

    conditions: Conditions
    embeddings: tuple[TextEmbedding, ...]
    shape: torch.Size

    def fit(self, embeddings: Sequence[TextEmbedding], shape: torch.Size) -> bool:
        """Whether they are what these embeddings would make, too."""
        return (
            shape == self.shape
            and len(embeddings) == len(self.embeddings)
            and all(new is old for new, old in zip(embeddings, self.embeddings, strict=True))
        )


class Guided:
    """A Denoiser that asks the UNet once per step, about the negative prompt and the positive ones.

    Where the scale is 1, and with a model that takes the guidance as an input, the negative prompt
    has no say and is left out: half the work. ``calls``: of the UNet, in the whole run. ``canvas``:
    what an inpainting model sees; one without a picture paints all over.
    """

    def __init__(
        self,
        model: LoadedModel,
        positive: Conditioning,
        negative: Conditioning,
        guidance: Guidance,
        calls: int,
        canvas: Canvas | None = None,
    ) -> None:
        self._model, self._positive, self._negative = model, positive, negative
        self._guidance, self._calls, self._canvas = guidance, calls, canvas
        self._rows: _Rows | None = None

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The guided output (B, C, h, w) in fp32 for scaled latents (B, C, h, w)."""
        said = self._positive.at(index)
        scale = self._guidance.at(index / self._calls)
        if self._model.guides_itself or (_is_one(scale) and _alone(said)):
            return _mean(self._ask(latents, timestep, said), said)
        negative = self._negative.at(index)[0]
        without, *towards = self._ask(latents, timestep, (negative, *said))
        direction = torch.zeros_like(without)
        for output, one in zip(towards, said, strict=True):
            direction += one.weight * (output - without)
        guided = without + scale * direction
        if not self._guidance.rescale:
            return guided
        return rescaled(guided, without + direction, self._guidance.rescale)

    def _ask(
        self, latents: torch.Tensor, timestep: torch.Tensor, said: Sequence[Said]
    ) -> tuple[torch.Tensor, ...]:
        """The UNet's outputs for each of the embeddings, in one batch."""
        conditions = self._told(latents.shape, [one.embedding for one in said])
        output = self._model.predict(torch.cat([latents] * len(said)), timestep, conditions)
        return output.chunk(len(said))

    def _told(self, shape: torch.Size, embeddings: Sequence[TextEmbedding]) -> Conditions:
        """What is told with each prompt, for every picture of a batch; kept while it lasts.

        The first of several embeddings is the negative prompt's.
        """
        if self._rows is None or not self._rows.fit(embeddings, shape):
            cell = self._model.vae_scale_factor
            width, height = shape[3] * cell, shape[2] * cell
            if self._canvas is None:
                self._canvas = self._model.blank_canvas(width, height)
            several = len(embeddings) > 1 and not self._model.guides_itself
            told = [
                self._model.conditions(
                    embedding,
                    Painting(
                        width,
                        height,
                        _number(self._guidance.scale),
                        several and not place,
                        self._canvas,
                    ),
                )
                for place, embedding in enumerate(embeddings)
            ]
            self._rows = _Rows(stacked(told, shape[0]), tuple(embeddings), shape)
        return self._rows.conditions


def _alone(said: Sequence[Said]) -> bool:
    return len(said) == 1 and _is_one(said[0].weight)


def _is_one(number: float | torch.Tensor) -> bool:
    return not isinstance(number, torch.Tensor) and number == 1.0


def _number(scale: float | torch.Tensor) -> float:
    """The scale for what takes only one."""
    return float(scale.mean()) if isinstance(scale, torch.Tensor) else scale


def _mean(outputs: Sequence[torch.Tensor], said: Sequence[Said]) -> torch.Tensor:
    """The outputs' mean by weight; by number where the weights come to nothing."""
    if len(outputs) == 1:
        return outputs[0]
    total = sum(one.weight for one in said)
    weights: list[float | torch.Tensor]
    if isinstance(total, torch.Tensor):
        even, least = torch.full_like(total, 1 / len(said)), torch.finfo(total.dtype).tiny
        weights = [
            torch.where(total > 0, one.weight / total.clamp(min=least), even) for one in said
        ]
    else:
        weights = [one.weight / total if total > 0 else 1 / len(said) for one in said]
    return torch.stack([w * out for w, out in zip(weights, outputs, strict=True)]).sum(0)


def rescaled(guided: torch.Tensor, text: torch.Tensor, share: float) -> torch.Tensor:
    """``guided`` (B, C, h, w), by ``share`` with the standard deviation of ``text``."""
    dimensions = tuple(range(1, guided.ndim))
    spread = guided.std(dim=dimensions, keepdim=True).clamp(min=1e-8)
    brought_back = guided * (text.std(dim=dimensions, keepdim=True) / spread)
    return share * brought_back + (1 - share) * guided


def stacked(told: Sequence[Conditions], pictures: int) -> Conditions:
    """Several conditions, each repeated for every picture, one after another."""
    values: dict[str, torch.Tensor] = {}
    for item in fields(Conditions):
        rows = [getattr(each, item.name) for each in told]
        if rows[0] is not None:
            values[item.name] = torch.cat([row.expand(pictures, *row.shape[1:]) for row in rows])
    return Conditions(**values)
