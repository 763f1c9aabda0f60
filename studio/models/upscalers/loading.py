"""From an upscaler's file to a network on its device. Nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from studio.errors import ModelError
from studio.models.addons.reading import read_tensors
from studio.models.base import ModelInfo
from studio.models.placement import Placement
from studio.models.upscalers.rrdbnet import make_rrdbnet
from studio.models.upscalers.srvgg import make_srvgg
from studio.sentences import say

RGB = 3
LARGEST_SCALE = 16
_PREFIXES = ("params_ema.", "params.")  # where trainers put the weights that are meant

Weights = Mapping[str, torch.Tensor]
Make = Callable[[Weights], tuple[nn.Module, dict[str, torch.Tensor]]]


@dataclass(frozen=True)
class Upscaler:
    """A network on its device: (B, 3, H, W) in 0…1 becomes (B, 3, scale·H, scale·W).

    H and W must be multiples of ``multiple``.
    """

    network: Callable[[torch.Tensor], torch.Tensor]
    scale: int
    multiple: int
    placement: Placement

    @torch.no_grad()
    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """The enlarged pictures in fp32."""
        place = self.placement
        given = pictures.to(place.device, place.dtype, memory_format=place.memory_format)
        return self.network(given).float()


def load_upscaler(info: ModelInfo, placement: Placement) -> Upscaler:
    """The network in a file that the catalog calls an upscaler.

    Raises ModelError with a sentence when the file holds something else, or less.
    """
    weights = _without_prefix(read_tensors(info.path)[0])
    makers: Mapping[str, Make] = {"rrdbnet": make_rrdbnet, "srvgg": make_srvgg}
    try:
        if info.variety not in makers:
            return _foreign(weights, placement)
        with torch.device("meta"):
            network, named = makers[info.variety](weights)
        network.load_state_dict(named, assign=True)
    except (KeyError, ValueError, IndexError, TypeError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise _unreadable(info) from error
    return _placed(network, placement, info)


def _placed(network: Any, placement: Placement, info: ModelInfo) -> Upscaler:
    if network.channels != RGB or not 1 <= network.scale <= LARGEST_SCALE:
        raise _unreadable(info)
    network.eval().requires_grad_(False).to(
        placement.device, placement.dtype, memory_format=placement.memory_format
    )
    return Upscaler(network, network.scale, network.unshuffle, placement)


def _foreign(weights: Weights, placement: Placement) -> Upscaler:
    """A network of a make that spandrel knows, from tensors that are read already."""
    import spandrel

    found: Any = spandrel.ModelLoader(device=placement.device).load_from_state_dict(dict(weights))
    if found.input_channels != RGB or found.output_channels != RGB:
        raise ValueError("not a network for pictures in colour")
    fp32 = Placement(placement.device, torch.float32, placement.label)  # many overflow in fp16
    return Upscaler(found, int(found.scale), 1, fp32)


def _without_prefix(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for prefix in _PREFIXES:
        if any(name.startswith(prefix) for name in weights):
            return {n.removeprefix(prefix): t for n, t in weights.items() if n.startswith(prefix)}
    return weights


def _unreadable(info: ModelInfo) -> ModelError:
    return ModelError(
        say(
            "The upscaler “{name}” cannot be loaded: its tensors are not those of such a network.",
            name=info.name,
        )
    )
