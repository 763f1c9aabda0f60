"""A model's layers under every name that a LoRA may call them by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from studio.models.addons.lora_file import compact
from studio.models.original_names import UNET_PREFIX, unet_names

Layer = torch.nn.Linear | torch.nn.Conv2d


@dataclass(frozen=True)
class Target:
    """A layer by its path in a part; ``rows``: which of its outputs, when it is several in one."""

    path: str
    shape: torch.Size
    rows: slice | None = None

    @property
    def height(self) -> int:
        """How many outputs the layer has for this target."""
        return self.shape[0] if self.rows is None else self.rows.stop - self.rows.start

    @property
    def own_shape(self) -> torch.Size:
        """The shape of the weight's rows that are meant."""
        return torch.Size([self.height, *self.shape[1:]])


def targets_of(part: torch.nn.Module) -> Mapping[str, Target]:
    """Every linear and convolutional layer of a part by its compact name.

    A UNet's layers also stand under their names in the original layout, which kohya's LoRAs for
    SDXL use. Where a UNet's attention was fused, q, k and v are rows of the one layer that is used.
    """
    found = {
        path: Target(path, module.weight.shape)
        for path, module in part.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)
    }
    for path, module in part.named_modules():
        if getattr(module, "fused_projections", False):
            found.update(_fused(path, module))
    config: Any = getattr(part, "config", None)
    names = unet_names(config) if hasattr(config, "down_block_types") else None
    targets = {compact(path): target for path, target in found.items()}
    for path, target in found.items():
        if names is None:
            break
        place = names(f"{path}.weight").name
        targets[compact(place.removeprefix(UNET_PREFIX).removesuffix(".weight"))] = target
    return targets


def _fused(path: str, attention: Any) -> Iterator[tuple[str, Target]]:
    joined = "to_qkv" if hasattr(attention, "to_qkv") else "to_kv"
    names = ("to_q", "to_k", "to_v") if joined == "to_qkv" else ("to_k", "to_v")
    layer = getattr(attention, joined)
    height = layer.out_features // len(names)
    for place, name in enumerate(names):
        rows = slice(place * height, (place + 1) * height)
        yield f"{path}.{name}", Target(f"{path}.{joined}", layer.weight.shape, rows)


@contextmanager
def replaced(part: torch.nn.Module, new: Mapping[str, torch.nn.Module]) -> Iterator[None]:
    """``new`` modules in the place of those at their paths; the old ones are put back at the end.

    The old modules are not touched, so that they are afterwards what they were.
    """
    before: list[tuple[torch.nn.Module, str, torch.nn.Module]] = []
    try:
        for path, module in new.items():
            above, _, name = path.rpartition(".")
            parent = part.get_submodule(above)
            before.append((parent, name, part.get_submodule(path)))
            parent._modules[name] = module
        yield
    finally:
        for parent, name, module in before:
            parent._modules[name] = module
