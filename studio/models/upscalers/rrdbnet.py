"""RRDBNet, the network of ESRGAN, BSRGAN and Real-ESRGAN, in every layout that its files have.

Sources: Wang et al. 2018, ESRGAN, arXiv:1809.00219, section 3.1 and figure 4; Wang et al. 2021,
Real-ESRGAN, arXiv:2107.10833, section 3.2 (pixel-unshuffle for ×2 and ×1); the names are those of
https://github.com/xinntao/BasicSR (new) and https://github.com/xinntao/ESRGAN (old).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional

RESIDUAL = 0.2  # what of a block's output is added to its input
SLOPE = 0.2  # of the leaky ReLU below zero
MOST_DOUBLINGS = 4

Rename = Callable[[str], str]


class RRDBNet(nn.Module):
    """Pictures (B, C, H, W) in 0…1 to pictures (B, C, scale·H, scale·W) in about 0…1.

    ``doublings``: how often the features are doubled in size; ``unshuffle``: the side of the
    squares that are folded into channels at the entrance. H and W are multiples of it.
    """

    def __init__(
        self, channels: int, features: int, growth: int, blocks: int, doublings: int, unshuffle: int
    ) -> None:
        super().__init__()
        self.channels, self.unshuffle, self.doublings = channels, unshuffle, doublings
        self.scale = 2**doublings // unshuffle
        self.conv_first = _conv(channels * unshuffle**2, features)
        self.body = nn.Sequential(*(_Block(features, growth) for _ in range(blocks)))
        self.conv_body = _conv(features, features)
        for number in range(1, doublings + 1):
            self.add_module(f"conv_up{number}", _conv(features, features))
        self.conv_hr = _conv(features, features)
        self.conv_last = _conv(features, channels)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The enlarged pictures."""
        first = self.conv_first(functional.pixel_unshuffle(pictures, self.unshuffle))
        features = first + self.conv_body(self.body(first))
        for number in range(1, self.doublings + 1):
            larger = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = _leaky(self.get_submodule(f"conv_up{number}")(larger))
        result: torch.Tensor = self.conv_last(_leaky(self.conv_hr(features)))
        return result


class _Dense(nn.Module):
    """Five convolutions, each of which sees the outputs of all before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for number in range(4):
            self.add_module(f"conv{number + 1}", _conv(features + number * growth, growth))
        self.conv5 = _conv(features + 4 * growth, features)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        seen = given
        for number in range(1, 5):
            seen = torch.cat([seen, _leaky(self.get_submodule(f"conv{number}")(seen))], dim=1)
        result: torch.Tensor = given + RESIDUAL * self.conv5(seen)
        return result


class _Block(nn.Module):
    """Three dense blocks in a row: a residual in residual dense block (RRDB)."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(features, growth) for _ in range(3))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = given + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(given)))
        return result


def make_rrdbnet(weights: Mapping[str, torch.Tensor]) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """An empty network of the size that the weights have, and the weights by its names.

    KeyError or ValueError when they are those of no such network.
    """
    named = in_new_names(weights)
    first, last = named["conv_first.weight"], named["conv_last.weight"]
    unshuffle = math.isqrt(first.shape[1] // last.shape[0])
    doublings = sum(re.fullmatch(r"conv_up\d+\.weight", name) is not None for name in named)
    blocks = {name.split(".")[1] for name in named if name.startswith("body.")}
    growth = named["body.0.rdb1.conv1.weight"].shape[0]
    if doublings > MOST_DOUBLINGS or unshuffle < 1 or 2**doublings % unshuffle:
        raise ValueError(f"{doublings} doublings after folding by {unshuffle}")
    network = RRDBNet(
        last.shape[0], first.shape[0], growth, len(blocks), doublings, unshuffle
    )  # fmt: skip
    return network, named


def in_new_names(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors by BasicSR's names, from its own, from BSRGAN's or from ESRGAN's first layout."""
    if "model.0.weight" in weights:
        return _renamed(weights, _from_sequence(weights))
    if "RRDB_trunk.0.RDB1.conv1.weight" in weights:
        return _renamed(weights, _from_trunk)
    return dict(weights)


def _renamed(weights: Mapping[str, torch.Tensor], rename: Rename) -> dict[str, torch.Tensor]:
    return {rename(name): tensor for name, tensor in weights.items()}


def _from_trunk(name: str) -> str:
    """BSRGAN's names: RRDB_trunk.0.RDB1.conv1, trunk_conv, upconv1, HRconv."""
    name = re.sub(r"^RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2.", name)
    name = re.sub(r"^upconv(\d)\.", r"conv_up\1.", name)
    return name.replace("trunk_conv.", "conv_body.").replace("HRconv.", "conv_hr.")


def _from_sequence(weights: Mapping[str, torch.Tensor]) -> Rename:
    """ESRGAN's first names: places in a sequence, which depend on how often it doubles.

    0 is the first convolution, 1 the trunk; then convolutions: one a doubling, and two at the end.
    """
    places = sorted(
        int(found[1]) for name in weights if (found := re.fullmatch(r"model\.(\d+)\.weight", name))
    )
    *ups, hr, last = places[1:]
    names = {places[0]: "conv_first", hr: "conv_hr", last: "conv_last"}
    names |= {place: f"conv_up{number}" for number, place in enumerate(ups, 1)}

    def rename(name: str) -> str:
        if found := re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(.+)", name):
            return f"body.{found[1]}.rdb{found[2]}.conv{found[3]}.{found[4]}"
        if found := re.fullmatch(r"model\.1\.sub\.\d+\.(weight|bias)", name):
            return f"conv_body.{found[1]}"
        if found := re.fullmatch(r"model\.(\d+)\.(weight|bias)", name):
            return f"{names[int(found[1])]}.{found[2]}"
        return name

    return rename


def _conv(entering: int, leaving: int) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, 3, padding=1)


def _leaky(given: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(given, SLOPE)
