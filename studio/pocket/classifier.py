"""The examiner: a small convolutional network that reads a picture's attributes back.

It learns from renders only and never sees a generated picture, so it cannot be flattered.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from studio.pocket.architecture import VISION_SIZE
from studio.pocket.attributes import Heads, labels, read, reading_loss
from studio.pocket.clip import shrunk
from studio.pocket.data import (
    HELD_OUT,
    Renders,
    Resident,
    scene_at,
    to_images,
    to_tensor,
)
from studio.pocket.device import layout
from studio.pocket.loop import Settings
from studio.pocket.world import render

COLUMNS = VISION_SIZE // 16


class _Block(nn.Module):
    """Halve the size, then one residual convolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(before, after, 3, 2, 1, bias=False)
        self.down_norm = nn.BatchNorm2d(after)
        self.keep = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.keep_norm = nn.BatchNorm2d(after)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        features = functional.relu(self.down_norm(self.down(features)))
        kept: torch.Tensor = features + functional.relu(self.keep_norm(self.keep(features)))
        return kept


class Classifier(nn.Module):
    """Pictures (B, 3, 128, 128) in [-1, 1] -> logits of every attribute, side by side.

    Features are averaged downwards only, so that left, centre and right stay apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(_Block(3, 32), _Block(32, 64), _Block(64, 96), _Block(96, 128))
        self.mix = nn.Conv1d(128, 192, 3, padding=1)
        self.heads = Heads(192 * COLUMNS)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, to be cut by `attributes.split`."""
        features = self.trunk(images)
        strips = torch.cat([features.mean(2), features.amax(2)], dim=1)
        columns = functional.relu(self.mix(strips[:, :128] + strips[:, 128:]))
        logits: torch.Tensor = self.heads(columns.flatten(1))
        return logits


class ClassifierStage:
    """Renders, some of them blurred or lightly noised, with their true attributes."""

    name = "classifier"
    samples = 2_000_000
    peak_rate = 2e-3
    examined = 200

    def __init__(self, renders: Renders, settings: Settings) -> None:
        torch.manual_seed(settings.seed + 4)
        self.renders, self.device = renders, settings.device
        self.batch = 32 if self.device.type == "cpu" else 256
        self.learner = Classifier().to(self.device, memory_format=layout(self.device))  # type: ignore[call-overload]

    def rehearse(self) -> None:
        """Nothing is compiled here."""

    def open(self) -> None:
        """Wait for the first renders."""
        self.labels = labels(self.renders.scenes()).to(self.device)
        self.resident = Resident(self.renders, self.device)

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the reading loss of a fresh batch."""
        indices = self.resident.choose(self.batch, generator)
        images = spoilt(shrunk(to_images(self.resident.pictures[indices])), generator)
        logits = self.learner(images.contiguous(memory_format=layout(self.device)))
        return reading_loss(logits, self.labels[indices]), self.batch

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Measure `examined` held-out renders."""
        scenes = [scene_at(self.renders.seed, HELD_OUT + k) for k in range(self.examined)]
        pictures = np.stack([np.asarray(render(scene)) for scene in scenes])
        right = (classify(averaged, pictures) == labels(scenes)).float().mean().item()
        return f"reads {right:.3f} of the attributes of held-out renders"


def spoilt(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur and noise images (B, 3, H, W), each by an amount of its own, as decoders do."""
    draw: Any = {"generator": generator, "device": images.device}
    blurred = functional.interpolate(functional.avg_pool2d(images, 2), scale_factor=2.0)
    blur, noise = torch.rand(2, len(images), 1, 1, 1, **draw)
    images = torch.lerp(images, blurred, blur)
    noised: torch.Tensor = images + 0.1 * noise * torch.randn(images.shape, **draw)
    return noised


@torch.no_grad()
def classify(classifier: nn.Module, pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Read uint8 (B, H, W, 3), H = W = 128 or 256: class numbers, int64 (B, attributes)."""
    device = next(classifier.parameters()).device
    parts = [
        read(classifier(shrunk(to_tensor(pictures[start : start + 50]).to(device)))).cpu()
        for start in range(0, len(pictures), 50)
    ]
    return torch.cat(parts)
