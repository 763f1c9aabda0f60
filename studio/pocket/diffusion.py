"""The denoiser's training: noised latents and a caption in, the velocity out."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import nn

from studio.pocket.architecture import (
    LATENT_CHANNELS,
    MAX_TOKENS,
    NATIVE_SIZE,
    TEXT_WIDTH,
    VAE_SCALE_FACTOR,
    make_scheduler,
    make_unet,
)
from studio.pocket.captions import WORDINGS, Captions
from studio.pocket.data import HELD_OUT, Renders, drawn_from, scene_at
from studio.pocket.device import layout
from studio.pocket.latents import Latents, measure_scaling
from studio.pocket.loop import Forward, Settings, compiled, trusted
from studio.pocket.parts import load_autoencoder, load_pair
from studio.pocket.sampling import draw, sheet
from studio.pocket.tokenizer import tokenize
from studio.pocket.world import full_caption

SIZES = (NATIVE_SIZE // 2, NATIVE_SIZE)
CAPTION_DROPOUT = 0.1
SNR_LIMIT = 5.0
SHOWN = (
    "a red sailboat on the sea at sunset, watercolour",
    "夜晚的城市，蓝色的城堡",
    "a green tree on the left in the desert at noon, flat design",
    "黎明的雪地，一只白色的兔子在右边，剪纸",
)


class Lessons:
    """Latents of the renders at one size, and their captions as text states, on the device."""

    def __init__(self, latents: Latents, device: torch.device) -> None:
        self.size = latents.size
        self._latents, self._scaling = latents.tensor(device), measure_scaling(latents)
        self._indices = torch.from_numpy(latents.available()).to(device)

    def choose(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw pictures: their indices (count,), and their scaled latents (count, 4, h, w)."""
        indices = drawn_from(self._indices, count, generator)
        return indices, self._latents[indices].float() * self._scaling


class TextStates:
    """The frozen text encoder over the captions' ids, one in `CAPTION_DROPOUT` left empty."""

    def __init__(self, captions: Captions, device: torch.device) -> None:
        pair, _ = load_pair(captions.renders.folder)
        self.tokenizer = captions.tokenizer()
        self.encoder = pair.text_encoder.to(device).eval().requires_grad_(False)
        self._ids = captions.ids(device)
        self.empty_ids = tokenize(self.tokenizer, [""]).to(device)

    @torch.no_grad()
    def draw(
        self, indices: torch.Tensor, generator: torch.Generator, dropout: float = CAPTION_DROPOUT
    ) -> torch.Tensor:
        """Choose a wording of each caption and encode it: (B, 77, 192)."""
        given: Any = {"generator": generator, "device": indices.device}
        ids = self._ids[indices, torch.randint(WORDINGS, indices.shape, **given)].long()
        dropped = torch.rand(len(indices), 1, **given) < dropout
        return self.encode(torch.where(dropped, self.empty_ids, ids))

    @torch.no_grad()
    def encode(self, ids: torch.Tensor) -> torch.Tensor:
        """Encode ids (B, 77) to states (B, 77, 192)."""
        states: torch.Tensor = self.encoder(input_ids=ids).last_hidden_state
        return states


class DiffusionStage:
    """Latents at half and at full size, with captions.

    A picture at half size costs a quarter and teaches most of what words mean, so half of the
    batches are small at first, and a seventh at the end: the model then paints both sizes.
    """

    name = "diffusion"
    samples = 6_000_000

    def __init__(self, renders: Renders, settings: Settings) -> None:
        torch.manual_seed(settings.seed + 2)
        self.renders, self.device = renders, settings.device
        on_cpu = self.device.type == "cpu"
        self.batch, self.peak_rate = (32, 4e-4) if on_cpu else (512, 1e-3)
        self._dice = random.Random(settings.seed)
        learner: Any = make_unet()
        self.learner: UNet2DConditionModel = learner.to(
            self.device, memory_format=layout(self.device)
        )
        if on_cpu:  # the fused attention's backward pass is slow there
            self.learner.set_attn_processor(AttnProcessor())
        self.forward = compiled(self.learner, settings)
        self.alphas = make_scheduler().alphas_cumprod.float().to(self.device)

    def rehearse(self) -> None:
        """Compile for both sizes, without a picture."""
        for size in SIZES:
            shape = (self.batch, LATENT_CHANNELS, *(size // VAE_SCALE_FACTOR,) * 2)
            blank = torch.randn(shape, device=self.device)
            blank = blank.contiguous(memory_format=layout(self.device))
            times = torch.full((self.batch,), 500, device=self.device)
            states = torch.randn(self.batch, MAX_TOKENS, TEXT_WIDTH, device=self.device)

            def errors(
                forward: Forward, given: tuple[torch.Tensor, ...] = (blank, times, states)
            ) -> torch.Tensor:
                answer: torch.Tensor = forward(*given, return_dict=False)[0]
                return answer.float().square().mean()

            self.forward = trusted(self.forward, self.learner, errors)

    def open(self) -> None:
        """Load the latents, the captions and the trained encoders."""
        folder = self.renders.folder
        self.lessons: Sequence[Lessons] = [
            Lessons(Latents(self.renders, size), self.device) for size in SIZES
        ]
        self.texts = TextStates(Captions(self.renders), self.device)
        self.autoencoder = load_autoencoder(folder)[0].to(self.device)

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the weighted velocity loss of a fresh batch.

        Weights: those of min-SNR-5 (Hang et al. 2023) for a velocity, min(SNR, 5) / (SNR + 1),
        with min(SNR + 1, 5) above the bar, so that the noisiest steps, which decide time of day
        and place, count in full.
        """
        given: Any = {"generator": generator, "device": self.device}
        small = self._dice.random() < 0.5 - 0.35 * done
        indices, clean = self.lessons[0 if small else 1].choose(self.batch, generator)
        noise = torch.randn(clean.shape, **given)
        times = torch.randint(len(self.alphas), (self.batch,), **given)
        alpha = self.alphas[times].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        snr = (alpha / (1 - alpha)).view(-1)
        weights = (snr + 1).clamp(max=SNR_LIMIT) / (snr + 1)
        predicted = self.forward(
            noisy.contiguous(memory_format=layout(self.device)),
            times,
            self.texts.draw(indices, generator),
            return_dict=False,
        )[0]
        errors = (predicted.float() - velocity).square().mean((1, 2, 3))
        return (errors * weights).mean(), self.batch

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Draw twelve held-out captions with guidance and save the sheet."""
        pipeline: Any = StableDiffusionPipeline(
            vae=self.autoencoder,
            text_encoder=self.texts.encoder,
            tokenizer=self.texts.tokenizer,
            unet=averaged,
            scheduler=make_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        scenes = [scene_at(self.renders.seed, HELD_OUT + k) for k in range(8)]
        captions = [full_caption(s, "en" if k % 2 else "zh") for k, s in enumerate(scenes)]
        pictures = draw(pipeline, [*captions, *SHOWN], size=NATIVE_SIZE, steps=14, batch=12)
        sheet(pictures).save(folder / f"{self.name}.png")
        return f"drew {len(pictures)} pictures of {NATIVE_SIZE} px"
