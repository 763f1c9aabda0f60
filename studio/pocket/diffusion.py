"""The denoiser's training: noised latents and a caption in, the velocity out."""

import random
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from studio.pocket.architecture import make_scheduler, make_unet
from studio.pocket.clip import tokenize
from studio.pocket.data import HELD_OUT, draw_caption, scene_at
from studio.pocket.device import layout
from studio.pocket.latents import Latents, measure_scaling
from studio.pocket.loop import Settings, compiled
from studio.pocket.sampling import draw, sheet
from studio.pocket.world import full_caption

CAPTION_DROPOUT = 0.1
SNR_LIMIT = 5.0
SHOWN = (
    "a red sailboat on the sea at sunset, watercolour",
    "夜晚的城市，蓝色的城堡",
    "a green tree on the left in the desert at noon, flat design",
    "黎明的雪地，一只白色的兔子在右边，剪纸",
)


def stage_name(size: int) -> str:
    """Name the stage that trains at pictures of `size` px."""
    return f"diffusion-{size}"


class DiffusionStage:
    """Latents of the renders at one size, with captions worded anew every time.

    A picture at half size costs a quarter and teaches most of what words mean, so the stage
    for half size comes first and the one for full size starts from its weights.
    """

    samples = 1_000_000

    def __init__(
        self,
        latents: Latents,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        autoencoder: AutoencoderKL,
        settings: Settings,
        *,
        start: UNet2DConditionModel | None = None,
        batch: int = 32,
    ) -> None:
        torch.manual_seed(settings.seed + 2)
        self.name = stage_name(latents.size)
        self.peak_rate = 4e-4 if start else 1e-3
        self.device, self.seed, self.size = settings.device, latents.renders.seed, latents.size
        self.batch, self.stored, self.latents = batch, latents, latents.values()
        self.indices, self.batches = latents.available(), 0
        self.scaling = measure_scaling(latents)
        self.text_encoder = text_encoder.to(self.device).eval().requires_grad_(False)
        self.tokenizer, self.autoencoder = tokenizer, autoencoder.to(self.device).eval()
        self.autoencoder.register_to_config(scaling_factor=self.scaling)
        learner = start or make_unet(latents.size)
        self.learner = learner.to(memory_format=layout(self.device))
        if self.device.type == "cpu":  # the fused attention's backward pass is slow there
            self.learner.set_attn_processor(AttnProcessor())
        self.forward = compiled(self.learner, settings)
        self.alphas = make_scheduler().alphas_cumprod.float()

    def texts(self, ids: list[str]) -> torch.Tensor:
        """Encode captions to states (B, 77, 192)."""
        with torch.no_grad():
            tokens = tokenize(self.tokenizer, ids).to(self.device)
            states: torch.Tensor = self.text_encoder(input_ids=tokens).last_hidden_state
        return states

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the weighted velocity loss of a fresh batch.

        Weights: those of min-SNR-5 (Hang et al. 2023) for a velocity, min(SNR, 5) / (SNR + 1),
        with min(SNR + 1, 5) above the bar, so that the noisiest steps, which decide time of day
        and place, count in full.
        """
        self.batches += 1
        if self.batches % 100 == 0:  # another process may still be encoding
            self.indices = self.stored.available()
        picks = torch.randint(len(self.indices), (self.batch,), generator=generator)
        indices = [int(self.indices[pick]) for pick in picks]
        rng = random.Random(int(torch.randint(2**40, (1,), generator=generator)))
        captions = [
            "" if rng.random() < CAPTION_DROPOUT else draw_caption(scene_at(self.seed, k), rng)
            for k in indices
        ]
        clean = torch.stack([torch.from_numpy(self.latents[k].astype("float32")) for k in indices])
        clean = clean * self.scaling
        noise = torch.randn(clean.shape, generator=generator)
        times = torch.randint(len(self.alphas), (self.batch,), generator=generator)
        alpha = self.alphas[times].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        snr = (alpha / (1 - alpha)).view(-1)
        weights = (snr + 1).clamp(max=SNR_LIMIT) / (snr + 1)
        predicted = self.forward(
            noisy.to(self.device, memory_format=layout(self.device)),
            times.to(self.device),
            self.texts(captions),
            return_dict=False,
        )[0]
        errors = (predicted.float() - velocity.to(self.device)).square().mean((1, 2, 3))
        return (errors * weights.to(self.device)).mean(), self.batch

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Draw twelve held-out captions with guidance and save the sheet."""
        pipeline: Any = StableDiffusionPipeline(
            vae=self.autoencoder,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=averaged,
            scheduler=make_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        scenes = [scene_at(self.seed, HELD_OUT + k) for k in range(8)]
        captions = [full_caption(s, "en" if k % 2 else "zh") for k, s in enumerate(scenes)]
        pictures = draw(pipeline, [*captions, *SHOWN], size=self.size, steps=14, batch=12)
        sheet(pictures).save(folder / f"{self.name}.png")
        return f"drew {len(pictures)} pictures of {self.size} px"
