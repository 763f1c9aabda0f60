"""The autoencoder's training: pictures to 4 channels at an eighth of the size, and back."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import nn
from torch.nn import functional

from studio.pocket.architecture import LATENT_CHANNELS, VAE_SCALE_FACTOR, make_autoencoder
from studio.pocket.data import (
    HELD_OUT,
    Renders,
    Resident,
    scene_at,
    to_images,
    to_pictures,
    to_tensor,
)
from studio.pocket.device import half_precision, layout
from studio.pocket.loop import Settings, compiled, trusted
from studio.pocket.world import render

KL_WEIGHT = 1e-4
GRADIENT_WEIGHT = 0.3
HUE_WEIGHT = 1.0
MEAN_WEIGHT = 2.0
READOUT_WEIGHT = 3.0


def edges(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences between neighbours, downwards and rightwards."""
    return images[:, :, 1:] - images[:, :, :-1], images[..., 1:] - images[..., :-1]


def picture_loss(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 distance plus L1 distance of the gradients at three scales, and of 8 px means.

    The gradients keep outlines sharp, which L1 alone lets blur (Mathieu et al. 2016); the means
    and the colour differences keep hues, which outlines alone would crowd out of the latents.
    """
    loss = functional.l1_loss(drawn, wanted)
    hues, wanted_hues = drawn - drawn.roll(1, 1), wanted - wanted.roll(1, 1)
    loss = loss + HUE_WEIGHT * functional.l1_loss(hues, wanted_hues)
    for _ in range(3):
        for mine, theirs in zip(edges(drawn), edges(wanted), strict=True):
            loss = loss + GRADIENT_WEIGHT * functional.l1_loss(mine, theirs)
        drawn, wanted = functional.avg_pool2d(drawn, 2), functional.avg_pool2d(wanted, 2)
    return loss + MEAN_WEIGHT * functional.l1_loss(drawn, wanted)


class Autoencoding(nn.Module):
    """Encode, sample and decode in one differentiable step.

    A linear readout has to find each cell's mean colour in its latents. It exists in training only
    and makes colour come first; outlines alone filled the four channels with structure.
    """

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.readout = nn.Conv2d(LATENT_CHANNELS, 3, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the loss of images (B, 3, H, W) in [-1, 1]."""
        moments = self.autoencoder.quant_conv(self.autoencoder.encoder(images)).float()
        mean, log_variance = moments.chunk(2, dim=1)
        log_variance = log_variance.clamp(-20, 10)
        latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        drawn = self.autoencoder.decoder(self.autoencoder.post_quant_conv(latents))
        means = functional.avg_pool2d(images, VAE_SCALE_FACTOR)
        told = functional.l1_loss(self.readout(mean).float(), means)
        loss: torch.Tensor = picture_loss(drawn.float(), images) + KL_WEIGHT * divergence
        return loss + READOUT_WEIGHT * told


class AutoencoderStage:
    """Crops of the renders, some of them halved in size, through the autoencoder."""

    name = "autoencoder"
    samples = 6_000_000
    peak_rate = 2e-3

    def __init__(self, renders: Renders, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.renders = renders
        self.batch, self.crop = (16, 64) if settings.device.type == "cpu" else (64, 128)
        self.device = settings.device
        learner: Any = Autoencoding(make_autoencoder())
        self.learner: Autoencoding = learner.to(self.device, memory_format=layout(self.device))
        self.forward = compiled(self.learner, settings)

    def rehearse(self) -> None:
        """Compile for the shapes to come, without a picture."""
        blank = torch.randn(self.batch, 3, self.crop, self.crop, device=self.device)
        blank = blank.contiguous(memory_format=layout(self.device))
        self.forward = trusted(self.forward, self.learner, lambda forward: forward(blank))

    def open(self) -> None:
        """Wait for the first renders."""
        self.resident = Resident(self.renders, self.device)

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the loss of a batch of crops."""
        half = self.batch // 2
        near = self.squares(half, self.crop, generator)
        far = functional.avg_pool2d(self.squares(half, 2 * self.crop, generator), 2)
        images = torch.cat([near, far]).contiguous(memory_format=layout(self.device))
        return self.forward(images), self.batch

    def squares(self, count: int, extent: int, generator: torch.Generator) -> torch.Tensor:
        """Cut random squares of `extent` px: float (count, 3, extent, extent) in [-1, 1]."""
        room = self.renders.size - extent + 1
        corners = torch.randint(room, (2, count), generator=generator, device=self.device)
        span = torch.arange(extent, device=self.device)
        rows = (corners[0, :, None] + span)[:, :, None]
        columns = (corners[1, :, None] + span)[:, None, :]
        indices = self.resident.choose(count, generator)[:, None, None]
        return to_images(self.resident.pictures[indices, rows, columns])

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Measure held-out pictures and save them above their reconstructions."""
        assert isinstance(averaged, Autoencoding)
        wanted = np.stack(
            [np.asarray(render(scene_at(self.renders.seed, HELD_OUT + k))) for k in range(8)]
        )
        drawn = to_pictures(reconstruct(averaged.autoencoder, to_tensor(wanted).to(self.device)))
        rows = [np.concatenate(list(row), axis=1) for row in (wanted, drawn)]
        Image.fromarray(np.concatenate(rows)).save(folder / "autoencoder.png")
        error = float(np.square(drawn.astype(float) - wanted).mean())
        return f"held-out PSNR {10 * math.log10(255**2 / error):.2f} dB"


@torch.no_grad()
def encode(autoencoder: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Encode (B, 3, H, W) in [-1, 1] to the mean latents (B, 4, H/8, W/8), not yet scaled."""
    with half_precision(images.device):
        latents: torch.Tensor = autoencoder.encode(images).latent_dist.mean
    return latents.float()


@torch.no_grad()
def reconstruct(autoencoder: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Encode and decode (B, 3, H, W) in [-1, 1]."""
    latents = encode(autoencoder, images)
    with half_precision(images.device):
        drawn: torch.Tensor = autoencoder.decode(latents).sample
    return drawn.float()
