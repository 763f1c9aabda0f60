"""Carries a plan out on a model's parts, and takes it back: nothing else knows where weights lie.

The hooks are accelerate's own; diffusers' decoder calls them although it is not entered by
``forward``. On a CPU plans differ in the decoder's tiles alone; the hooks run there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from accelerate import cpu_offload
from accelerate.hooks import ModelHook, add_hook_to_module, remove_hook_from_module
from accelerate.utils import send_to_device

from studio.models.plan import TILE, Plan

Parts = Mapping[str, torch.nn.Module]
_HOST = torch.device("cpu")


class _TurnHook(ModelHook):  # type: ignore[misc]
    """Calls its group before its part works."""

    def __init__(self, turns: _Turns) -> None:
        self._turns = turns

    def pre_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        self._turns.enter(module)
        return send_to_device(args, self._turns.device), send_to_device(kwargs, self._turns.device)


class _Turns:
    """Some parts of a model share the device: whoever works sends the others home."""

    def __init__(self, guests: Iterable[torch.nn.Module], device: torch.device) -> None:
        self._guests = tuple(guests)
        self.device = device

    def enter(self, part: torch.nn.Module) -> None:
        """``part`` is about to work; the guests that are not it go to the host's memory first."""
        for guest in self._guests:
            if guest is not part and not _is_at(guest, _HOST):
                guest.to(_HOST)
        if not _is_at(part, self.device):
            part.to(self.device)


class Arrangement:
    """A model's parts as a plan wants them; ``undo`` gives them back without hooks.

    ``on_device`` is how many bytes stay on the device while the model rests.
    """

    def __init__(self, parts: Parts, plan: Plan, device: torch.device) -> None:
        self.plan = plan
        self._parts, self._device = dict(parts), device
        self._hooked: list[torch.nn.Module] = []
        try:
            self._carry_out()
        except BaseException:
            self.undo()
            raise

    @property
    def on_device(self) -> int:
        """Bytes of weights that lie on the device now."""
        return sum(held_bytes(part) for part in self._parts.values() if _is_at(part, self._device))

    def undo(self) -> None:
        """Take the hooks off; afterwards each part is whole, on the device or in RAM."""
        for part in self._hooked:
            remove_hook_from_module(part, recurse=True)
        self._hooked.clear()
        tile_decoder(self._parts.get("vae"), False)

    def tile(self) -> None:
        """Decode in tiles from now on."""
        tile_decoder(self._parts.get("vae"), True)
        self.plan = replace(self.plan, tile_vae=True)

    def _guests(self) -> list[torch.nn.Module]:
        text_only = self.plan.mode == "text_encoder_off"
        return [
            part
            for name, part in self._parts.items()
            if not text_only or name.startswith("text_encoder")
        ]

    def _carry_out(self) -> None:
        tile_decoder(self._parts.get("vae"), self.plan.tile_vae)
        if self.plan.mode == "full":
            self._all_to(self._device)
        elif self.plan.mode == "sequential_offload":
            self._layer_by_layer()
        else:
            self._in_turns()

    def _all_to(self, device: torch.device) -> None:
        for part in self._parts.values():
            part.to(device)

    def _in_turns(self) -> None:
        guests = self._guests()
        for guest in guests:
            guest.to(_HOST)
        turns = _Turns(guests, self._device)
        for part in self._parts.values():
            if part not in guests:
                part.to(self._device)
            self._hooked.append(part)
            add_hook_to_module(part, _TurnHook(turns))

    def _layer_by_layer(self) -> None:
        self._all_to(_HOST)
        for part in self._parts.values():
            self._hooked.append(part)
            cpu_offload(part, execution_device=self._device)


def park(parts: Parts) -> None:
    """Bring a model's weights to the host's memory; its arrangement must be undone before."""
    for part in parts.values():
        part.to(_HOST)


def tile_decoder(vae: Any, tiled: bool) -> None:
    """Let the decoder work in tiles of at most 512 pixels that overlap by a quarter, or not.

    An SDXL decoder's own tiles are 1024 pixels, which would save nothing.
    """
    if vae is None or not hasattr(vae, "enable_tiling"):
        return
    if not tiled:
        vae.disable_tiling()
        return
    vae.enable_tiling()
    side = min(TILE, int(vae.tile_sample_min_size))
    vae.tile_latent_min_size = max(1, vae.tile_latent_min_size * side // vae.tile_sample_min_size)
    vae.tile_sample_min_size = side


def held_bytes(part: torch.nn.Module) -> int:
    """Bytes of a part's weights and buffers, wherever they lie."""
    tensors = (*part.parameters(), *part.buffers())
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _is_at(part: torch.nn.Module, device: torch.device) -> bool:
    first = next(part.parameters(), None)
    return first is None or first.device.type == device.type
