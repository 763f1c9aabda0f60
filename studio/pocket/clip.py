"""The contrastive pair: a text and an image encoder that agree on what a picture shows."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from transformers import CLIPTokenizer

from studio.pocket.architecture import (
    MAX_TOKENS,
    PROJECTION_WIDTH,
    TEXT_WIDTH,
    VISION_SIZE,
    make_image_encoder,
    make_text_encoder,
)
from studio.pocket.attributes import Heads, labels, read, reading_loss
from studio.pocket.data import HELD_OUT, Renders, scene_at, to_tensor
from studio.pocket.loop import Settings
from studio.pocket.world import Scene, caption, full_caption, render

READING_WEIGHT = 1.0
FULL_LENGTH_SHARE = 0.1


class ContrastivePair(nn.Module):
    """Both towers, the text projection, the temperature, and heads that read attributes.

    The heads exist in training only: they make both towers name every attribute of the scene,
    which contrast alone learns slowly from few pictures.
    """

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.text_encoder = make_text_encoder(vocab_size)
        self.image_encoder = make_image_encoder()
        self.text_projection = nn.Linear(TEXT_WIDTH, PROJECTION_WIDTH, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(2.7))
        self.text_heads = Heads(TEXT_WIDTH)
        self.image_heads = Heads(PROJECTION_WIDTH)

    def embed_images(self, images: torch.Tensor) -> torch.Tensor:
        """Embed (B, 3, 128, 128) in [-1, 1]: (B, 128), not normalized."""
        embeds: torch.Tensor = self.image_encoder(pixel_values=images).image_embeds
        return embeds

    def pool_texts(self, ids: torch.Tensor) -> torch.Tensor:
        """Pool token ids (B, T) at their end token: (B, 192)."""
        pooled: torch.Tensor = self.text_encoder(input_ids=ids).pooler_output
        return pooled

    def forward(
        self,
        images: torch.Tensor,
        english: torch.Tensor,
        chinese: torch.Tensor,
        wanted: torch.Tensor,
    ) -> torch.Tensor:
        """Return the InfoNCE loss over both languages plus the reading losses."""
        pictures = self.embed_images(images).float()
        texts = self.pool_texts(torch.cat([english, chinese])).float()
        seen = functional.normalize(pictures, dim=1)
        told = functional.normalize(self.text_projection(texts).float(), dim=1)
        scale = self.logit_scale.clamp(max=4.6).exp()
        target = torch.arange(len(seen), device=seen.device)
        contrast = torch.zeros((), device=seen.device)
        for half in told.chunk(2):
            logits = scale * seen @ half.T
            contrast = contrast + functional.cross_entropy(logits, target)
            contrast = contrast + functional.cross_entropy(logits.T, target)
        readings = reading_loss(self.image_heads(pictures), wanted)
        readings = readings + reading_loss(self.text_heads(texts), wanted.repeat(2, 1))
        return contrast / 4 + READING_WEIGHT * readings


def tokenize(tokenizer: CLIPTokenizer, texts: list[str], length: int = MAX_TOKENS) -> torch.Tensor:
    """Return ids (B, length) int64, padded with the end token and cut."""
    batch: Any = tokenizer(
        texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    )
    ids: torch.Tensor = batch.input_ids
    return ids


def shrink(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average uint8 (B, H, W, 3) down to the vision tower's size."""
    count, size = pictures.shape[:2]
    step = size // VISION_SIZE
    blocks = pictures.reshape(count, VISION_SIZE, step, VISION_SIZE, step, 3)
    small: NDArray[np.uint8] = blocks.mean((2, 4), dtype=np.float32).round().astype(np.uint8)
    return small


class ClipStage:
    """Renders with an English and a Chinese caption each, worded anew every time."""

    name = "clip"
    samples = 400_000
    peak_rate = 1e-3

    def __init__(
        self, renders: Renders, tokenizer: CLIPTokenizer, settings: Settings, *, batch: int = 32
    ):
        torch.manual_seed(settings.seed + 1)
        self.renders, self.tokenizer, self.batch = renders, tokenizer, batch
        self.device = settings.device
        self.pictures, self.indices = renders.pictures(), renders.available()
        self.learner = ContrastivePair(len(tokenizer))
        if self.device.type == "cpu":  # the fused attention's backward pass is slow there
            self.learner.text_encoder.set_attn_implementation("eager")
            self.learner.image_encoder.set_attn_implementation("eager")

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the loss of a fresh batch of pictures."""
        picks = torch.randint(len(self.indices), (self.batch,), generator=generator)
        indices = [int(self.indices[pick]) for pick in picks]
        rng = random.Random(indices[0] + 7919 * indices[1])
        scenes = [scene_at(self.renders.seed, index) for index in indices]
        images = to_tensor(shrink(np.stack([self.pictures[index] for index in indices])))
        english = [caption(scene, "en", rng) for scene in scenes]
        chinese = [caption(scene, "zh", rng) for scene in scenes]
        length = MAX_TOKENS if rng.random() < FULL_LENGTH_SHARE else self._length(english + chinese)
        loss: torch.Tensor = self.learner(
            images.to(self.device),
            tokenize(self.tokenizer, english, length).to(self.device),
            tokenize(self.tokenizer, chinese, length).to(self.device),
            labels(scenes).to(self.device),
        )
        return loss, self.batch

    def _length(self, texts: list[str]) -> int:
        longest = max(len(ids) for ids in self.tokenizer(texts).input_ids)
        return min(MAX_TOKENS, -(-longest // 8) * 8)

    @torch.no_grad()
    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Measure retrieval and readings on 200 held-out scenes."""
        assert isinstance(averaged, ContrastivePair)
        scenes = [scene_at(self.renders.seed, HELD_OUT + k) for k in range(200)]
        wanted = labels(scenes)
        pictures = averaged.embed_images(scene_images(scenes).to(self.device))
        told = averaged.pool_texts(self._complete(scenes))
        sims = (
            functional.normalize(pictures, dim=1)
            @ functional.normalize(averaged.text_projection(told), dim=1).T
        )
        found = (sims.argmax(0).cpu() == torch.arange(len(scenes))).float().mean().item()
        seen = (read(averaged.image_heads(pictures)).cpu() == wanted).float().mean().item()
        heard = (read(averaged.text_heads(told)).cpu() == wanted).float().mean().item()
        return f"retrieval 1 of 200: {found:.3f}  read from image {seen:.3f}, text {heard:.3f}"

    def _complete(self, scenes: list[Scene]) -> torch.Tensor:
        texts = [full_caption(s, "en" if k % 2 else "zh") for k, s in enumerate(scenes)]
        return tokenize(self.tokenizer, texts).to(self.device)


def scene_images(scenes: list[Scene]) -> torch.Tensor:
    """Render scenes at the vision tower's size: (B, 3, 128, 128) in [-1, 1]."""
    return to_tensor(shrink(np.stack([np.asarray(render(scene)) for scene in scenes])))
