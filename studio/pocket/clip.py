"""The contrastive pair: a text and an image encoder that agree on what a picture shows."""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from studio.pocket.architecture import (
    PROJECTION_WIDTH,
    TEXT_WIDTH,
    VISION_SIZE,
    make_image_encoder,
    make_text_encoder,
)
from studio.pocket.attributes import Heads, labels, read, reading_loss
from studio.pocket.captions import WORDINGS, Captions, shortened
from studio.pocket.data import (
    HELD_OUT,
    Renders,
    Resident,
    scene_at,
    to_images,
    to_tensor,
)
from studio.pocket.loop import Settings
from studio.pocket.tokenizer import tokenize
from studio.pocket.world import Scene, full_caption, render

READING_WEIGHT = 1.0


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


def shrunk(images: torch.Tensor) -> torch.Tensor:
    """Average float (B, 3, H, W) down to the vision tower's size."""
    return functional.avg_pool2d(images, images.shape[-1] // VISION_SIZE)


class ClipStage:
    """Renders with an English and a Chinese caption each."""

    name = "clip"
    samples = 6_000_000
    peak_rate = 1e-3

    def __init__(self, renders: Renders, settings: Settings) -> None:
        torch.manual_seed(settings.seed + 1)
        self.renders, self.captions = renders, Captions(renders)
        self.device = settings.device
        self.batch = 32 if self.device.type == "cpu" else 512
        self.tokenizer = self.captions.tokenizer()
        self.learner = ContrastivePair(len(self.tokenizer)).to(self.device)
        if self.device.type == "cpu":  # the fused attention's backward pass is slow there
            self.learner.text_encoder.set_attn_implementation("eager")
            self.learner.image_encoder.set_attn_implementation("eager")

    def rehearse(self) -> None:
        """Nothing is compiled here."""

    def open(self) -> None:
        """Read the captions and wait for the first renders."""
        self.ids = self.captions.ids(self.device)
        self.labels = labels(self.renders.scenes()).to(self.device)
        self.resident = Resident(self.renders, self.device)

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the loss of a fresh batch of pictures."""
        indices = self.resident.choose(self.batch, generator)
        images = shrunk(to_images(self.resident.pictures[indices]))
        wording = 2 * torch.randint(
            WORDINGS // 2, (self.batch,), generator=generator, device=self.device
        )
        told = torch.cat([self.ids[indices, wording], self.ids[indices, wording + 1]])
        english, chinese = shortened(told).chunk(2)
        return self.learner(images, english, chinese, self.labels[indices]), self.batch

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
    return shrunk(to_tensor(np.stack([np.asarray(render(scene)) for scene in scenes])))
