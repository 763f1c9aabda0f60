"""The renders, encoded once: what the denoiser learns from, as memory-mapped float16."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch.nn import functional

from studio.pocket.architecture import LATENT_CHANNELS, VAE_SCALE_FACTOR
from studio.pocket.autoencoder import encode
from studio.pocket.data import CHUNK, Renders, to_images
from studio.pocket.device import layout

BATCH = 50


@dataclass(frozen=True)
class Latents:
    """Mean latents, not scaled, of all renders at one size (the renders' own, or half of it)."""

    renders: Renders
    size: int

    @property
    def path(self) -> Path:
        """Where the latents lie."""
        return self.renders.folder / f"latents-{self.size}-{self.renders.seed}.f16"

    def values(self, mode: str = "r") -> NDArray[np.float16]:
        """Map them into memory: float16 (count, 4, size / 8, size / 8)."""
        side = self.size // VAE_SCALE_FACTOR
        shape = (self.renders.count, LATENT_CHANNELS, side, side)
        return np.memmap(self.path, dtype=np.float16, mode=mode, shape=shape)  # type: ignore[call-overload, no-any-return]

    def tensor(self, device: torch.device) -> torch.Tensor:
        """All of them on the device, float16; only those of `available` are encoded."""
        return torch.from_numpy(self.values("r+")).to(device)

    def encoded(self) -> set[int]:
        """Numbers of the chunks that are complete."""
        log = self.path.with_suffix(".done")
        return {int(line) for line in log.read_text().split()} if log.exists() else set()

    def available(self) -> NDArray[np.int64]:
        """Indices of the latents that are there."""
        chunks = [
            np.arange(c * CHUNK, min((c + 1) * CHUNK, self.renders.count))
            for c in sorted(self.encoded())
        ]
        return np.concatenate(chunks) if chunks else np.zeros(0, np.int64)

    def encode(self, autoencoder: AutoencoderKL, share: int = 0, shares: int = 1) -> Iterator[int]:
        """Encode the drawn chunks that are missing, yielding each one's number.

        Several processes may each take one of `shares` shares.
        """
        device = next(autoencoder.parameters()).device
        if not self.path.exists():
            self.values("w+")
        pictures, values = self.renders.pictures(), self.values("r+")
        for chunk in sorted(self.renders.drawn() - self.encoded()):
            if chunk % shares != share:
                continue
            stop = min((chunk + 1) * CHUNK, self.renders.count)
            for start in range(chunk * CHUNK, stop, BATCH):
                batch = np.asarray(pictures[start : min(start + BATCH, stop)])
                images = to_images(torch.from_numpy(batch.copy()).to(device))
                images = functional.avg_pool2d(images, self.renders.size // self.size)
                images = images.contiguous(memory_format=layout(device))
                encoded = encode(autoencoder, images).half().cpu().numpy()
                values[start : start + len(batch)] = encoded
            with self.path.with_suffix(".done").open("a") as log:
                log.write(f"{chunk}\n")
            yield chunk


def measure_scaling(latents: Latents) -> float:
    """Return 1 / std of up to 2,000 latents and keep it in `scaling.json` for good."""
    path = latents.renders.folder / "scaling.json"
    if path.exists():
        return float(json.loads(path.read_text())["scaling_factor"])
    sample = latents.values()[latents.available()[:2000]]
    factor = 1.0 / float(torch.from_numpy(np.asarray(sample)).float().std())
    path.write_text(json.dumps({"scaling_factor": factor}))
    return factor
