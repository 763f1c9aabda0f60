"""Stable Diffusion XL, its fine-tunes and distillations: two text encoders; the size is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from studio.models.architectures import SDXL, Architecture
from studio.models.base import Conditions, ModelInfo, Painting, TextEmbedding
from studio.models.placement import Placement
from studio.models.sd import LoadedStableDiffusion, load_stable_diffusion

BEFORE_LAST = 1


class StableDiffusionXL:
    """The third family; ``architecture``: the sizes of a file."""

    name = "sdxl"

    def __init__(self, architecture: Architecture = SDXL) -> None:
        self._architecture = architecture

    def load(self, info: ModelInfo, placement: Placement) -> LoadedStableDiffusionXL:
        """The model on its device. Raises ModelError when a part cannot be read."""
        return load_stable_diffusion(LoadedStableDiffusionXL, self._architecture, info, placement)


class LoadedStableDiffusionXL(LoadedStableDiffusion):
    """Stable Diffusion XL on its device. Source: Podell et al. 2023, arXiv:2307.01952."""

    def encode_tokens(self, chunks: Sequence[Sequence[int]]) -> TextEmbedding:
        """Each text encoder's last layer but one, side by side; the pooled vector of the last.

        ``chunks``: at most ``chunk_length`` ids each. Returns sequence (1, 77·chunks, D) and
        pooled (1, P), of the first chunk, in fp32.
        """
        hidden, pooled = [], None
        for tower in self.towers:
            sequence, projected = tower.encode(chunks, BEFORE_LAST)
            hidden.append(sequence.to(self.placement.device))
            pooled = projected if projected is not None else pooled
        if pooled is not None:
            pooled = pooled.to(self.placement.device)
        return TextEmbedding(torch.cat(hidden, dim=-1), pooled)

    def conditions(self, embedding: TextEmbedding, painting: Painting) -> Conditions:
        """The prompt, and the picture's size (or its quality) as numbers the UNet embeds."""
        plain = super().conditions(embedding, painting)
        if embedding.pooled is None:
            raise ValueError("this family's prompts have a pooled vector")
        pooled = embedding.pooled.to(plain.sequence.device, plain.sequence.dtype)
        ids = torch.tensor([self.time_ids(painting)], dtype=torch.float32, device=pooled.device)
        return replace(plain, pooled=pooled, time_ids=ids)

    def time_ids(self, painting: Painting) -> list[float]:
        """The size the picture is said to come from, the corner it is cut at, and its own size.

        All height before width, in pixels.
        """
        height, width = float(painting.height), float(painting.width)
        return [height, width, 0.0, 0.0, height, width]
