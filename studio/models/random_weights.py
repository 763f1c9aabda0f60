"""Models of full size with random weights, made on the spot: for speed, memory and loading.

They paint noise, and they weigh and take what the real ones do. ``write_random("sd15", path)``
streams: it needs memory for one tensor at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from studio.models.architectures import SD1, SD2, SDXL, SDXL_REFINER, Architecture
from studio.models.base import Layout
from studio.models.networks import empty_parts
from studio.models.original_names import names_of
from studio.models.weights_writer import Piece, write_pieces

RANDOM_MODELS: Mapping[str, Architecture] = {
    "sd15": SD1,
    "sd15_inpaint": SD1.inpainting(),
    "sd21": SD2,
    "sd21v": replace(SD2, scheduler={**SD2.scheduler, "prediction_type": "v_prediction"}),
    "sd2_inpaint": SD2.inpainting(),
    "sdxl": SDXL,
    "sdxl_inpaint": SDXL.inpainting(),
    "sdxl_refiner": SDXL_REFINER,
}
"""What `write_random` can make. A file says nothing of v-prediction; a folder's scheduler does."""

_POOL = 1_048_573  # a prime, so that no two rows of a weight are alike


@dataclass(frozen=True)
class Entry:
    """A tensor to be written."""

    name: str
    shape: tuple[int, ...]


def write_random(
    name: str,
    path: Path,
    dtype: torch.dtype = torch.float16,
    layout: Layout = "file",
    seed: int = 0,
) -> Path:
    """A random model of RANDOM_MODELS at ``path``: a .safetensors file, or a diffusers folder.

    Weights are normal with the variance that keeps activations near 1; norms are the identity, so
    pictures are finite in every format. A folder has no tokenizer (the studio has CLIP's own).
    """
    return write_random_architecture(RANDOM_MODELS[name], path, dtype, layout, seed)


def write_random_architecture(
    architecture: Architecture,
    path: Path,
    dtype: torch.dtype = torch.float16,
    layout: Layout = "file",
    seed: int = 0,
) -> Path:
    """As `write_random`, for any architecture: a tiny one, say."""
    values = _Values(dtype, seed)
    if layout == "file":
        _write(path, original_entries(architecture), values)
        return path
    for part, module in empty_parts(architecture).items():
        folder = path / part
        folder.mkdir(parents=True, exist_ok=True)
        text = part.startswith("text")
        weights = "model.safetensors" if text else "diffusion_pytorch_model.safetensors"
        _write(folder / weights, _entries(module), values)
        config: Any = module
        if text:
            config.config.save_pretrained(folder)
        else:
            config.save_config(folder)
    _write_json(path / "scheduler/scheduler_config.json", _scheduler(architecture))
    _write_json(path / "model_index.json", _model_index(architecture))
    return path


def original_entries(architecture: Architecture) -> list[Entry]:
    """The tensors of a file of the original layout, each once, in the order of the networks."""
    found: dict[str, tuple[int, ...]] = {}
    for part, module in empty_parts(architecture).items():
        names = names_of(architecture, _nested(architecture))[part]
        for name, tensor in module.state_dict().items():
            place, shape = names(name), tuple(tensor.shape)
            if place.third is not None:
                shape = (3 * shape[0], *shape[1:])
            if ".attn_1." in place.name and len(shape) == 2:
                shape = (*shape, 1, 1)  # the original's attention is made of 1 × 1 convolutions
            found[place.name] = shape[::-1] if place.transposed else shape
    return [Entry(name, shape) for name, shape in found.items()]


def _nested(architecture: Architecture) -> list[str]:
    """Original files spell CLIP-L's weights with ``text_model.``."""
    return [f"{encoder.prefix}text_model." for encoder in architecture.text_encoders]


def _entries(module: torch.nn.Module) -> list[Entry]:
    return [Entry(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()]


class _Values:
    """Random values of a format, cut from one pool of normal numbers."""

    def __init__(self, dtype: torch.dtype, seed: int) -> None:
        self.dtype = dtype
        self._pool = torch.randn(_POOL, generator=torch.Generator("cpu").manual_seed(seed))

    def of(self, entry: Entry) -> torch.Tensor:
        """The tensor of an entry, flat."""
        count = math.prod(entry.shape)
        if len(entry.shape) < 2:  # norms and biases
            value = 1.0 if entry.name.endswith("weight") else 0.0
            return torch.full((count,), value, dtype=self.dtype)
        fan_in = max(count // entry.shape[0], 1)
        scaled = (self._pool[: min(count, _POOL)] / math.sqrt(fan_in)).to(self.dtype)
        return scaled.repeat(-(-count // len(scaled)))[:count]


def _write(path: Path, entries: Iterable[Entry], values: _Values) -> None:
    """A safetensors file of random tensors."""
    write_pieces(
        path,
        [Piece(each.name, each.shape, values.dtype, partial(values.of, each)) for each in entries],
    )


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")


def _scheduler(architecture: Architecture) -> dict[str, Any]:
    return {"_class_name": "DDIMScheduler", **architecture.scheduler}


def _model_index(architecture: Architecture) -> dict[str, Any]:
    """Which pipeline of diffusers' the folder is for, and what is in it."""
    parts = {encoder.part: encoder.kind for encoder in architecture.text_encoders}
    nine = architecture.unet.get("in_channels", 4) == 9
    kind = "StableDiffusionInpaintPipeline" if nine else "StableDiffusionPipeline"
    if "text_encoder_2" in parts:
        kind = "StableDiffusionXLInpaintPipeline" if nine else "StableDiffusionXLPipeline"
    index: dict[str, Any] = {
        "_class_name": kind if len(parts) == 2 or "text_encoder" in parts else _REFINER,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        **{part: ["transformers", name] for part, name in parts.items()},
    }
    if "text_encoder_2" in parts:
        index["force_zeros_for_empty_prompt"] = architecture.zeros_for_empty_negative
        index["requires_aesthetics_score"] = len(parts) == 1
    return index


_REFINER = "StableDiffusionXLImg2ImgPipeline"
