"""Real safetensors files with the names and shapes of real models, and holes where numbers are."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Shapes = dict[str, tuple[int, ...]]
UNET = "model.diffusion_model."
BITS = {"F16": 16, "BF16": 16, "F32": 32, "I64": 64}


def write_weights(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    metadata: Mapping[str, str] | None = None,
    dtype: str = "F16",
    values: Mapping[str, list[float]] | None = None,
) -> Path:
    """A whole file with tensors of these shapes; sparse, so that even gigabytes take no room.

    ``values``: numbers to write for some of them.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    reached, written = 0, []
    for name, shape in shapes.items():
        size = math.prod(shape) * BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [reached, reached + size]}
        if values and name in values:
            written.append((reached, _numbers(values[name], dtype)))
        reached += size
    return write_header(path, json.dumps(header), reached, written)


def _numbers(values: list[float], dtype: str) -> bytes:
    if dtype == "BF16":  # the upper half of an F32
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack(f"<{len(values)}{'e' if dtype == 'F16' else 'f'}", *values)


def write_header(
    path: Path, header: str | bytes, size: int, written: list[tuple[int, bytes]] | None = None
) -> Path:
    """A file with this header and ``size`` bytes after it."""
    text = header.encode() if isinstance(header, str) else header
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        start = file.tell()
        for at, content in written or []:
            file.seek(start + at)
            file.write(content)
        file.truncate(start + size)
    return path


def write_json(path: Path, value: Any) -> None:
    """A value as a JSON file, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _unet(context: int, channels: int = 4, block: str = "1.1") -> Shapes:
    width = 384 if context == 1280 else 320
    attention = f"{UNET}input_blocks.{block}.transformer_blocks.0"
    return {
        f"{UNET}input_blocks.0.0.bias": (width,),
        f"{UNET}input_blocks.0.0.weight": (width, channels, 3, 3),
        f"{attention}.attn1.to_k.weight": (width, width),
        f"{attention}.attn2.to_k.weight": (width, context),
        f"{attention}.attn2.to_v.weight": (width, context),
        f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight": (1280, context),
        f"{UNET}out.2.weight": (4, width, 3, 3),
        f"{UNET}time_embed.0.weight": (width * 4, width),
    }


VAE: Shapes = {
    "decoder.conv_in.weight": (512, 4, 3, 3),
    "decoder.mid.attn_1.k.weight": (512, 512, 1, 1),
    "decoder.up.0.block.0.conv1.weight": (128, 256, 3, 3),
    "encoder.conv_in.weight": (128, 3, 3, 3),
    "encoder.down.0.block.0.conv1.weight": (128, 128, 3, 3),
    "post_quant_conv.weight": (4, 4, 1, 1),
    "quant_conv.weight": (8, 8, 1, 1),
}
FIRST_STAGE: Shapes = {f"first_stage_model.{name}": shape for name, shape in VAE.items()}
CLIP = "transformer.text_model.encoder.layers.0.self_attn.k_proj.weight"
BIAS = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"


def sd1(channels: int = 4) -> Shapes:
    """Stable Diffusion 1.5 as it was published."""
    return {
        "alphas_cumprod": (1000,), **_unet(768, channels), **FIRST_STAGE,
        f"cond_stage_model.{CLIP}": (768, 768),
    }  # fmt: skip


def sd2(channels: int = 4) -> Shapes:
    """Stable Diffusion 2.1: OpenCLIP's own names."""
    return {
        **_unet(1024, channels), BIAS: (320,), **FIRST_STAGE,
        "cond_stage_model.model.token_embedding.weight": (49408, 1024),
        "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight": (3072, 1024),
    }  # fmt: skip


def sdxl(channels: int = 4) -> Shapes:
    """SDXL base: two text encoders, a class embedding, ten transformers in the middle."""
    return {
        **_unet(2048, channels, "4.1"), **FIRST_STAGE,
        f"{UNET}middle_block.1.transformer_blocks.9.attn2.to_k.weight": (1280, 2048),
        f"{UNET}label_emb.0.0.weight": (1280, 2816),
        f"conditioner.embedders.0.{CLIP}": (768, 768),
        "conditioner.embedders.1.model.text_projection": (1280, 1280),
    }  # fmt: skip


def refiner() -> Shapes:
    """The refiner of SDXL: OpenCLIP alone."""
    return {
        **_unet(1280, 4, "4.1"), **FIRST_STAGE, f"{UNET}label_emb.0.0.weight": (1536, 2560),
        "conditioner.embedders.0.model.text_projection": (1280, 1280),
    }  # fmt: skip


def kohya_lora(context: int) -> Shapes:
    """A LoRA as kohya's scripts save it."""
    module = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    return {
        "lora_te_text_model_encoder_layers_0_self_attn_k_proj.lora_down.weight": (8, 768),
        f"{module}.alpha": (), f"{module}.lora_down.weight": (8, context),
        f"{module}.lora_up.weight": (640, 8),
    }  # fmt: skip


def write_pipeline(
    folder: Path,
    pipeline: str = "StableDiffusionPipeline",
    *,
    unet: Mapping[str, Any] | None = None,
    scheduler: Mapping[str, Any] | None = None,
    encoders: tuple[str, ...] = ("text_encoder",),
) -> Path:
    """A folder in diffusers' format with all that the catalog reads."""
    write_json(folder / "model_index.json", {"_class_name": pipeline})
    write_json(folder / "unet/config.json", {"sample_size": 64, "in_channels": 4, **(unet or {})})
    write_json(folder / "vae/config.json", {"_class_name": "AutoencoderKL"})
    write_json(folder / "scheduler/scheduler_config.json", {"a": 1, **(scheduler or {})})
    write_weights(folder / "unet/diffusion_pytorch_model.safetensors", {"w": (2,)})
    write_weights(folder / "vae/diffusion_pytorch_model.safetensors", {"w": (2,)})
    for encoder in encoders:
        write_json(folder / encoder / "config.json", {"a": 1})
        write_weights(folder / encoder / "model.safetensors", {"w": (2,)})
        write_json(folder / encoder.replace("text_encoder", "tokenizer") / "vocab.json", {})
    return folder
