"""Both halves of CLIP: a text and a picture as vectors that can be compared.

A model may bring a pair in its folder (see `has_clip_pair`); pocket does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load_file
from torch.nn import functional

from studio.models.base import LoadedModel
from studio.models.pipelines import IMAGE_ENCODER, TEXT_PROJECTION
from studio.models.weights import read_object

# Radford et al. 2021; a card that says nothing else means these.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class ClipPair:
    """``projection``: (P, D), of the text encoder's pooled output. In fp32 on the model's device.

    ``mean``, ``std``: (3, 1, 1), of pictures from 0 to 1 as the image encoder takes them.
    """

    model: LoadedModel
    image_encoder: Any
    projection: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    @torch.no_grad()
    def read(self, text: str) -> torch.Tensor:
        """The vector (1, P), of length 1, of a text, which is cut to one pass."""
        pooled = self.model.pooled_text(text)
        return functional.normalize(pooled @ self.projection.T, dim=-1)

    def see(self, pixels: torch.Tensor) -> torch.Tensor:
        """The vectors (B, P), of length 1, of pictures (B, 3, H, W) in -1…1; differentiable."""
        size = int(self.image_encoder.config.image_size)
        fitted = functional.interpolate(
            pixels.float(), (size, size), mode="bilinear", antialias=True, align_corners=False
        )
        seen = ((fitted + 1) / 2 - self.mean) / self.std
        return functional.normalize(self.image_encoder(pixel_values=seen).image_embeds, dim=-1)


def load_clip_pair(model: LoadedModel) -> ClipPair:
    """The pair that a model brings. Raises OSError or ValueError when it cannot be read."""
    from transformers import CLIPVisionModelWithProjection

    folder, device = model.info.path, model.placement.device
    encoder: Any = CLIPVisionModelWithProjection.from_pretrained(
        folder / IMAGE_ENCODER, local_files_only=True, dtype=torch.float32
    )
    card = read_object(folder / "card.json").get(IMAGE_ENCODER)
    said = card if isinstance(card, dict) else {}
    mean, std = (
        torch.tensor(said.get(name, usual), device=device).view(3, 1, 1)
        for name, usual in (("mean", CLIP_MEAN), ("std", CLIP_STD))
    )
    projection = load_file(folder / TEXT_PROJECTION)["text_projection.weight"].float().to(device)
    return ClipPair(model, encoder.to(device).eval().requires_grad_(False), projection, mean, std)
