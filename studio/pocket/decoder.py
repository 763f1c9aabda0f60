"""The decoder's second training: the encoder stays, so latents and denoiser stay valid."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from studio.pocket.architecture import VAE_SCALE_FACTOR
from studio.pocket.autoencoder import AutoencoderStage, Autoencoding, picture_loss
from studio.pocket.data import to_tensor
from studio.pocket.latents import Latents, halve
from studio.pocket.loop import Settings, compiled

NOISE = 0.05


class Decoding(nn.Module):
    """Decode latents and compare with the picture."""

    def __init__(self, learner: Autoencoding) -> None:
        super().__init__()
        self.learner = learner

    def forward(self, latents: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Return the loss of latents (B, 4, h, w), not scaled, against images (B, 3, 8h, 8w)."""
        autoencoder = self.learner.autoencoder
        drawn = autoencoder.decoder(autoencoder.post_quant_conv(latents))
        return picture_loss(drawn.float(), images)


class DecoderStage(AutoencoderStage):
    """Crops of stored latents, lightly noised, through the decoder of the trained autoencoder."""

    name = "decoder"
    samples = 600_000
    peak_rate = 1e-3

    def __init__(
        self, latents: Latents, start: Autoencoding, settings: Settings, *, batch: int = 8
    ) -> None:
        torch.manual_seed(settings.seed + 3)
        self.renders, self.batch, self.crop = latents.renders, batch, 64
        self.device = settings.device
        self.pictures, self.indices = latents.renders.pictures(), latents.available()
        self.latents, self.size = latents.values(), latents.size
        self.learner = start
        self.learner.autoencoder.encoder.requires_grad_(False)
        self.learner.autoencoder.quant_conv.requires_grad_(False)
        self.forward = compiled(Decoding(self.learner), settings)

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the loss of a batch of crops."""
        cells = self.crop // VAE_SCALE_FACTOR
        room = self.size // VAE_SCALE_FACTOR - cells + 1
        scale = self.renders.size // self.size
        latents, pictures = [], []
        for _ in range(self.batch):
            a, b, c = torch.rand(3, generator=generator).tolist()
            index = self.indices[int(a * len(self.indices))]
            top, left = int(b * room), int(c * room)
            latents.append(self.latents[index, :, top : top + cells, left : left + cells])
            y, x = top * VAE_SCALE_FACTOR * scale, left * VAE_SCALE_FACTOR * scale
            extent = self.crop * scale
            square = self.pictures[index, y : y + extent, x : x + extent]
            pictures.append(square if scale == 1 else halve(square[None])[0])
        cut = torch.from_numpy(np.stack(latents).astype(np.float32))
        cut = cut + NOISE * torch.randn(cut.shape, generator=generator)
        wanted = to_tensor(np.stack(pictures)).to(self.device)
        return self.forward(cut.to(self.device), wanted), self.batch

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Measure held-out pictures as the autoencoder's own stage does."""
        return super().report(averaged, folder)
