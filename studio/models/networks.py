"""Networks without weights: made on the meta device, nothing is allocated or initialised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from studio.models.architectures import Architecture

_TEXT = {
    "CLIPTextModel": CLIPTextModel,
    "CLIPTextModelWithProjection": CLIPTextModelWithProjection,
}


def empty_unet(config: Mapping[str, Any]) -> Any:
    """A UNet2DConditionModel whose parameters have shapes only."""
    with init_empty_weights():
        return UNet2DConditionModel.from_config(dict(config))


def empty_vae(config: Mapping[str, Any]) -> Any:
    """An AutoencoderKL whose parameters have shapes only."""
    with init_empty_weights():
        return AutoencoderKL.from_config(dict(config))


def empty_text_encoder(kind: str, config: Mapping[str, Any]) -> Any:
    """A CLIP text model whose parameters have shapes only; its position numbers are real."""
    with init_empty_weights():
        return _TEXT[kind](CLIPTextConfig(**dict(config)))


def empty_parts(architecture: Architecture) -> dict[str, torch.nn.Module]:
    """All networks of an architecture by diffusers' names, text encoders first."""
    parts: dict[str, torch.nn.Module] = {
        encoder.part: empty_text_encoder(encoder.kind, encoder.config)
        for encoder in architecture.text_encoders
    }
    parts["unet"] = empty_unet(architecture.unet)
    parts["vae"] = empty_vae(architecture.vae)
    return parts
