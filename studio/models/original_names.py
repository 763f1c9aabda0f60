"""Where each weight of a network stands in a file of the original (LDM/SGM) layout.

One direction only, from diffusers' name of a parameter to the place it is read from: so a network
is filled parameter by parameter, nothing is held twice, and a weight that is missing has a name.
Sources: the networks of CompVis/latent-diffusion, Stability-AI/generative-models and open_clip;
checked in tests against diffusers' own converters. No torch here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.models.architectures import Architecture, TextEncoder

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."


@dataclass(frozen=True)
class Place:
    """A tensor of the file: the whole, one ``third`` of its rows (0, 1, 2), or it transposed."""

    name: str
    third: int | None = None
    transposed: bool = False


Names = Callable[[str], Place]


def names_of(architecture: Architecture, keys: Iterable[str]) -> Mapping[str, Names]:
    """For each part of a model (``unet``, ``vae``, …) the function from parameter to place.

    ``keys``: the names in the file, for two spellings of CLIP's prefix are about.
    """
    there = frozenset(keys)
    found: dict[str, Names] = {
        "unet": unet_names(architecture.unet),
        "vae": vae_names(architecture.vae),
    }
    for encoder in architecture.text_encoders:
        found[encoder.part] = text_names(encoder, there)
    return found


def unet_names(config: Mapping[str, Any]) -> Names:
    """The places of UNet2DConditionModel's parameters; ``config`` as its constructor takes it."""
    layers = int(config.get("layers_per_block", 2))
    ups = config.get("up_block_types", ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3))

    def block(name: str) -> str:
        side, number, kind, index, rest = name.split(".", 4)
        start = int(number) * (layers + 1)
        if side == "down_blocks":
            if kind == "downsamplers":
                return f"input_blocks.{start + layers + 1}.0.op.{rest.removeprefix('conv.')}"
            place = f"input_blocks.{start + int(index) + 1}"
        elif kind == "upsamplers":  # after the resnet, and the attention where there is one
            position = 2 if "CrossAttn" in ups[int(number)] else 1
            return f"output_blocks.{start + layers}.{position}.{rest}"
        else:
            place = f"output_blocks.{start + int(index)}"
        return f"{place}.0.{_resnet(rest)}" if kind == "resnets" else f"{place}.1.{rest}"

    def find(name: str) -> Place:
        if name.startswith(("down_blocks.", "up_blocks.")):
            return Place(UNET_PREFIX + block(name))
        if name.startswith("mid_block."):
            _, kind, index, rest = name.split(".", 3)
            if kind == "attentions":
                return Place(f"{UNET_PREFIX}middle_block.1.{rest}")
            return Place(f"{UNET_PREFIX}middle_block.{2 * int(index)}.{_resnet(rest)}")
        return Place(UNET_PREFIX + _renamed(name, _UNET_ENDS))

    return find


def vae_names(config: Mapping[str, Any]) -> Names:
    """The places of AutoencoderKL's parameters; ``config`` as its constructor takes it."""
    last = len(config["up_block_types"]) - 1

    def find(name: str) -> Place:
        new = re.sub(
            r"up_blocks\.(\d+)", lambda found: f"up.{last - int(found[1])}", name
        )  # the original counts from the picture down
        return Place(VAE_PREFIX + _renamed(new, _VAE_PIECES))

    return find


def text_names(encoder: TextEncoder, there: frozenset[str]) -> Names:
    """The places of a CLIP text model's parameters, as transformers names them."""
    nested = f"{encoder.prefix}text_model."
    inner = nested if any(key.startswith(nested) for key in there) else encoder.prefix

    def plain(name: str) -> Place:
        return Place(inner + name.removeprefix("text_model."))

    def open_clip(name: str) -> Place:
        name = name.removeprefix("text_model.")
        if name == "text_projection.weight":
            return Place(f"{encoder.prefix}text_projection", transposed=True)
        for third, letter in enumerate("qkv"):
            if f".{letter}_proj." in name:
                whole = _renamed(name.replace(f".{letter}_proj.", ".in_proj_"), _OPEN_CLIP)
                return Place(encoder.prefix + whole, third=third)
        return Place(encoder.prefix + _renamed(name, _OPEN_CLIP))

    return open_clip if encoder.open_clip else plain


def _resnet(name: str) -> str:
    return _renamed(name, _RESNET)


def _renamed(name: str, pieces: Mapping[str, str]) -> str:
    for new, old in pieces.items():
        name = name.replace(new, old)
    return name


_UNET_ENDS = {
    "time_embedding.linear_1.": "time_embed.0.",
    "time_embedding.linear_2.": "time_embed.2.",
    "add_embedding.linear_1.": "label_emb.0.0.",
    "add_embedding.linear_2.": "label_emb.0.2.",
    "conv_in.": "input_blocks.0.0.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
}
_RESNET = {
    "norm1.": "in_layers.0.",
    "conv1.": "in_layers.2.",
    "time_emb_proj.": "emb_layers.1.",
    "norm2.": "out_layers.0.",
    "conv2.": "out_layers.3.",
    "conv_shortcut.": "skip_connection.",
}
_VAE_PIECES = {
    "down_blocks.": "down.",
    ".resnets.": ".block.",
    "downsamplers.0.": "downsample.",
    "upsamplers.0.": "upsample.",
    "conv_shortcut.": "nin_shortcut.",
    "mid_block.block.0.": "mid.block_1.",
    "mid_block.block.1.": "mid.block_2.",
    "mid_block.attentions.0.": "mid.attn_1.",
    "attn_1.group_norm.": "attn_1.norm.",
    "attn_1.to_q.": "attn_1.q.",
    "attn_1.to_k.": "attn_1.k.",
    "attn_1.to_v.": "attn_1.v.",
    "attn_1.to_out.0.": "attn_1.proj_out.",
    "conv_norm_out.": "norm_out.",
}
_OPEN_CLIP = {
    "embeddings.token_embedding.": "token_embedding.",
    "embeddings.position_embedding.weight": "positional_embedding",
    "encoder.layers.": "transformer.resblocks.",
    ".self_attn.": ".attn.",
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
    "final_layer_norm.": "ln_final.",
}
