"""Every family of Stable Diffusion at tiny size: architectures, diffusers' pipelines, and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from studio.errors import InvalidRequest
from studio.models.architectures import SD1, SD2, SDXL, SDXL_REFINER, Architecture
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.original_names import names_of
from studio.models.random_weights import write_random_architecture
from tests.tiny import tiny_tokenizer

_TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "projection_dim": 32}
_UNET = {"sample_size": 8, "layers_per_block": 1, "block_out_channels": (32, 64),
         "norm_num_groups": 8, "attention_head_dim": 8}  # fmt: skip
_EARLY = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
          "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}  # fmt: skip
_LATE = {"down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
         "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "transformer_layers_per_block": 2,
         "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
         "use_linear_projection": True}  # fmt: skip
_VAE = {"block_out_channels": (16, 16, 32, 32), "layers_per_block": 1, "norm_num_groups": 8,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4}  # fmt: skip


def _shrunk(full: Architecture, unet: Mapping[str, Any], layers: int) -> Architecture:
    encoders = tuple(
        replace(each, config={**each.config, **_TEXT, "num_hidden_layers": layers})
        for each in full.text_encoders
    )
    vae = {**_VAE, "scaling_factor": full.vae["scaling_factor"]}
    return replace(full, text_encoders=encoders, unet={**_UNET, **unet}, vae=vae)


TINY: Mapping[str, Architecture] = {
    "sd1": _shrunk(SD1, {**_EARLY, "cross_attention_dim": 32}, 3),
    "sd2": _shrunk(
        SD2, {**_EARLY, "cross_attention_dim": 32, "use_linear_projection": True}, 2
    ),
    "sdxl": _shrunk(
        SDXL,
        {**_LATE, "cross_attention_dim": 64, "projection_class_embeddings_input_dim": 32 + 6 * 8},
        3,
    ),
    "sdxl_refiner": _shrunk(
        SDXL_REFINER,
        {**_LATE, "cross_attention_dim": 32, "projection_class_embeddings_input_dim": 32 + 5 * 8},
        3,
    ),
}  # fmt: skip


def tiny_parts(
    architecture: Architecture, seed: int = 0, unet: Mapping[str, Any] | None = None, **text: Any
) -> dict[str, Any]:
    """Real networks with random weights; ``unet`` and ``text`` replace values of configurations."""
    torch.manual_seed(seed)
    kinds = {
        "CLIPTextModel": CLIPTextModel,
        "CLIPTextModelWithProjection": CLIPTextModelWithProjection,
    }
    parts: dict[str, Any] = {
        encoder.part: kinds[encoder.kind](CLIPTextConfig(**{**encoder.config, **text})).eval()
        for encoder in architecture.text_encoders
    }
    parts["unet"] = UNet2DConditionModel(**{**architecture.unet, **(unet or {})}).eval()
    parts["vae"] = AutoencoderKL(**architecture.vae).eval()
    return parts


def tiny_family_pipeline(
    kind: str,
    architecture: Architecture,
    scheduler: Mapping[str, Any] | None = None,
    seed: int = 0,
    unet: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """diffusers' pipeline class ``kind`` around a tiny architecture, with the tiny tokenizer."""
    tokenizer = tiny_tokenizer()
    second = CLIPTokenizer(
        vocab=tokenizer.get_vocab(), merges=_merges(tokenizer), model_max_length=77, pad_token="!"
    )
    size = len(tokenizer)
    ids = {"vocab_size": size, "bos_token_id": size - 2, "eos_token_id": size - 1}
    parts = tiny_parts(architecture, seed, unet, **ids, pad_token_id=size - 1)
    if "text_encoder_2" in parts:
        parts = {"text_encoder": None, "tokenizer": None, **parts, "tokenizer_2": second}
        options = {"add_watermarker": False, **options}
    else:
        options = {"safety_checker": None, "feature_extractor": None,
                   "requires_safety_checker": False, **options}  # fmt: skip
    if parts["text_encoder"] is not None:
        parts["tokenizer"] = tokenizer
    config = {**architecture.scheduler, **(scheduler or {})}
    made = getattr(diffusers, kind)(**parts, scheduler=DDIMScheduler.from_config(config), **options)
    made.set_progress_bar_config(disable=True)
    return made


def _merges(tokenizer: CLIPTokenizer) -> list[tuple[str, str]]:
    import json

    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    return [tuple(pair) for pair in model["merges"]]


def original_state(parts: Mapping[str, Any], architecture: Architecture) -> dict[str, torch.Tensor]:
    """The networks' weights under the names and in the shapes of the original layout."""
    prefixes = [f"{encoder.prefix}text_model." for encoder in architecture.text_encoders]
    state: dict[str, torch.Tensor] = {}
    thirds: dict[str, dict[int, torch.Tensor]] = {}
    for part, names in names_of(architecture, prefixes).items():
        for name, tensor in parts[part].state_dict().items():
            place = names(name)
            if place.third is not None:
                thirds.setdefault(place.name, {})[place.third] = tensor
            elif ".attn_1." in place.name and tensor.dim() == 2:
                state[place.name] = tensor[:, :, None, None]
            else:
                state[place.name] = tensor.T if place.transposed else tensor
    for name, pieces in thirds.items():
        state[name] = torch.cat([pieces[0], pieces[1], pieces[2]])
    return {name: tensor.contiguous() for name, tensor in state.items()}


def save_original(
    path: Path, parts: Mapping[str, Any], architecture: Architecture,
    extra: Mapping[str, torch.Tensor] | None = None,
) -> Path:  # fmt: skip
    """One file of the original layout, with the odds and ends that such files have."""
    odds = {"alphas_cumprod": torch.ones(4), "model_ema.decay": torch.ones(()), **(extra or {})}
    save_file({**original_state(parts, architecture), **odds}, path)
    return path


def save_folder(folder: Path, parts: Mapping[str, Any], architecture: Architecture) -> Path:
    """The same networks in diffusers' format, without a tokenizer: it is CLIP's own."""
    write_random_architecture(architecture, folder, torch.float32, "folder")
    for part, module in parts.items():
        module.save_pretrained(folder / part)
    return folder


class Listed(Catalog):
    """A catalog of models that are named by hand."""

    def __init__(self, infos: Iterable[ModelInfo]) -> None:
        super().__init__([])
        self._infos = {info.name: info for info in infos}

    def list(self) -> list[ModelInfo]:
        return list(self._infos.values())

    def find(self, name: str) -> ModelInfo:
        if name not in self._infos:
            raise InvalidRequest.of("model", f"There is no model called “{name}”.")
        return self._infos[name]
