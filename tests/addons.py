"""Add-ons for the tiny models: LoRAs in every layout, embeddings, autoencoders; all untrained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from studio.models.addons.lora_file import compact

Tensors = dict[str, torch.Tensor]
Layers = Mapping[str, torch.Tensor]
"""A layer's path -> its weight."""

PREFIX = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}


def layers_of(part: torch.nn.Module, wanted: Callable[[str], bool] = lambda _: True) -> Layers:
    """The weights of the linear and convolutional layers of a part."""
    return {
        path: module.weight.detach()
        for path, module in part.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and wanted(path)
    }


def attention(path: str) -> bool:
    """Whether a layer belongs to attention, as most LoRAs' layers do."""
    return path.rsplit(".", 1)[-1] in ("to_q", "to_k", "to_v", "q_proj", "v_proj", "out_proj")


def _random(seed: int) -> Callable[..., torch.Tensor]:
    generator = torch.Generator("cpu").manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator) * 0.3


def factors(layers: Layers, rank: int, seed: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Random (down, up) for every layer, in the form that LoRAs have them."""
    draw = _random(seed)
    made = {}
    for path, weight in layers.items():
        out, into, *kernel = weight.shape
        up = draw(out, rank, *([1] * len(kernel)))
        made[path] = draw(rank, into, *kernel), up
    return made


def kohya(
    parts: Mapping[str, Layers], rank: int = 4, seed: int = 0, alphas: Iterable[float] = (4.0,)
) -> Tensors:
    """A LoRA as kohya's scripts write it; the alphas are given out in turn."""
    tensors: Tensors = {}
    turn = list(alphas)
    for part, layers in parts.items():
        for number, (path, (down, up)) in enumerate(factors(layers, rank, seed).items()):
            name = PREFIX[part] + compact(path)
            tensors[f"{name}.lora_down.weight"] = down
            tensors[f"{name}.lora_up.weight"] = up
            tensors[f"{name}.alpha"] = torch.tensor(turn[number % len(turn)])
    return tensors


def diffusers_layout(parts: Mapping[str, Layers], rank: int = 4, seed: int = 0) -> Tensors:
    """The same as diffusers and peft write it: no alphas, every scale is 1."""
    tensors: Tensors = {}
    for part, layers in parts.items():
        for path, (down, up) in factors(layers, rank, seed).items():
            name = f"{part}.text_model.{path}" if part.startswith("text") else f"{part}.{path}"
            tensors[f"{name}.lora_A.weight"] = down
            tensors[f"{name}.lora_B.weight"] = up
    return tensors


def loha(layers: Layers, rank: int = 2, seed: int = 0) -> Tensors:
    """A LoHa as LyCORIS writes it."""
    draw, tensors = _random(seed), {}
    for path, weight in layers.items():
        name, into = PREFIX["unet"] + compact(path), weight[0].numel()
        for half in ("1", "2"):
            tensors[f"{name}.hada_w{half}_a"] = draw(len(weight), rank)
            tensors[f"{name}.hada_w{half}_b"] = draw(rank, into)
        tensors[f"{name}.alpha"] = torch.tensor(1.0)
    return tensors


def lokr(layers: Layers, seed: int = 0) -> Tensors:
    """A LoKr as LyCORIS writes it: a small whole matrix and a larger one in two factors."""
    draw, tensors = _random(seed), {}
    for path, weight in layers.items():
        name, (out, into) = PREFIX["unet"] + compact(path), weight.shape[:2]
        tensors[f"{name}.lokr_w1"] = draw(4, 4)
        tensors[f"{name}.lokr_w2_a"] = draw(out // 4, 2)
        tensors[f"{name}.lokr_w2_b"] = draw(2, into // 4)
        tensors[f"{name}.alpha"] = torch.tensor(1.0)
    return tensors


def write(tensors: Tensors, path: Path, metadata: Mapping[str, str] | None = None) -> Path:
    """The tensors in a file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: t.contiguous() for k, t in tensors.items()}, path, dict(metadata or {}))
    return path
