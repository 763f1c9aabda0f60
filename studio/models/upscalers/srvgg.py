"""SRVGGNetCompact, the small network of Real-ESRGAN: a plain row of convolutions.

Source: https://github.com/xinntao/Real-ESRGAN, realesrgan/archs/srvgg_arch.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional


class SRVGGNetCompact(nn.Module):
    """Pictures (B, C, H, W) in 0…1 to pictures (B, C, scale·H, scale·W) in about 0…1.

    ``depth``: the convolutions between the first and the last. What it learnt is added to the
    picture with every pixel repeated.
    """

    unshuffle = 1

    def __init__(self, channels: int, features: int, depth: int, scale: int) -> None:
        super().__init__()
        self.channels, self.scale = channels, scale
        layers: list[nn.Module] = []
        for number in range(depth + 1):
            entering = features if number else channels
            layers += [nn.Conv2d(entering, features, 3, padding=1), nn.PReLU(features)]
        layers.append(nn.Conv2d(features, channels * scale**2, 3, padding=1))
        self.body = nn.Sequential(*layers)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The enlarged pictures."""
        learnt = functional.pixel_shuffle(self.body(pictures), self.scale)
        return learnt + functional.interpolate(
            pictures, scale_factor=float(self.scale), mode="nearest"
        )


def make_srvgg(weights: Mapping[str, torch.Tensor]) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """An empty network of the size that the weights have, and the weights by its names.

    KeyError or ValueError when they are those of no such network.
    """
    first = weights["body.0.weight"]
    last = max(
        int(found[1]) for name in weights if (found := re.fullmatch(r"body\.(\d+)\.weight", name))
    )
    channels = first.shape[1]
    scale = math.isqrt(weights[f"body.{last}.weight"].shape[0] // channels)
    if scale < 1 or last % 2:
        raise ValueError(f"layer {last} is not the last of such a network")
    return SRVGGNetCompact(channels, first.shape[0], last // 2 - 1, scale), dict(weights)
