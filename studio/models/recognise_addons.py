"""What goes with a checkpoint, by what is in the file: LoRA, VAE, embedding, upscaler."""

from __future__ import annotations

import re
from collections.abc import Mapping

from studio.models.header import Header
from studio.models.recognise import FAMILY_OF_CONTEXT, Recognised
from studio.sentences import Sentence, say

_ADAPTER = re.compile(
    r"[._](?:lora[._](?:down|up|mid|A|B)\b|lora_linear_layer\.|hada_[wt]\d|lokr_[wt]\d|dora_scale$"
    r"|oft_(?:blocks|diag)|a1\.weight$|on_input$|diff(?:_b)?$)"
)
_DOWN = (
    ".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora.down.weight",
    "_lora.down.weight", ".lora_linear_layer.down.weight", ".hada_w1_b",
)  # fmt: skip
_OTHER_ADAPTERS = (
    "transformer.", "lora_transformer_", "lora_unet_double_blocks_", "lora_unet_single_blocks_",
    "lora_unet_joint_blocks_", "lora_prior_unet_", "lora_te3_", "transformer_blocks.",
    "single_transformer_blocks.", "base_model.model.transformer_blocks.", "lora_unet_blocks_",
    "diffusion_model.double_blocks.", "diffusion_model.single_blocks.", "diffusion_model.layers.",
    "diffusion_model.joint_blocks.", "diffusion_model.blocks.",
)  # fmt: skip


def recognise_lora(header: Header) -> Recognised | None:
    """A LoRA or LyCORIS file and the family whose cross attention it fits; None for other files.

    ``variety``: "kohya", "peft" (diffusers' own names included), "loha" or "lokr".
    """
    if not any(_ADAPTER.search(name) for name in header.tensors):
        return None
    family = _adapter_family(header)
    if not family and header.has(*_OTHER_ADAPTERS):
        return Recognised(
            "lora", problem=say("It is a LoRA for another make of model (Flux, SD 3, video …).")
        )
    variety = _variety(header)
    problem = None
    if not variety:
        problem = say(
            "It is an adapter of a form that cannot be applied here (OFT, GLoRA, full, IA³)."
        )
    return Recognised("lora", family, problem, variety)


def _variety(header: Header) -> str:
    for mark, variety in ((".hada_w1", "loha"), (".lokr_w1", "lokr")):
        if any(mark in name for name in header.tensors):
            return variety
    if not any(name.endswith(_DOWN) for name in header.tensors):
        return ""
    return "kohya" if header.has("lora_unet_", "lora_te") else "peft"


def _adapter_family(header: Header) -> str:
    """By the width that its layers for the cross attention take; else by what it says itself."""
    for name in header.tensors:
        if "attn2_to_k" in name or "attn2.to_k" in name or "attn2.processor.to_k" in name:
            family = FAMILY_OF_CONTEXT.get(_width(header, name), "")
            if family:
                return family
    if header.has("lora_te2_", "text_encoder_2."):
        return "sdxl"
    for name in header.under("lora_te"):
        if "self_attn_k_proj" in name and (width := _width(header, name)):
            return {768: "sd1", 1024: "sd2"}.get(width, "")
    return _said_family(header.metadata)


def _width(header: Header, name: str) -> int:
    """How many numbers the layer takes that this tensor changes; 0 when this one does not say."""
    if name.endswith(_DOWN):
        shape = header.shape(name)
        return shape[1] if len(shape) > 1 else 0
    module, _, part = name.rpartition(".lokr_")
    if not module or not part.startswith("w1"):
        return 0
    left, right = (
        (header.shape(f"{module}.lokr_{w}") or header.shape(f"{module}.lokr_{w}_b"))[1:2]
        for w in ("w1", "w2")
    )
    return left[0] * right[0] if left and right else 0


def _said_family(metadata: Mapping[str, str]) -> str:
    """The family that a trainer noted in the file."""
    said = (metadata.get("ss_base_model_version", ""), metadata.get("modelspec.architecture", ""))
    for text in said:
        for start, family in (
            ("sdxl", "sdxl"), ("stable-diffusion-xl-v1-refiner", "sdxl_refiner"),
            ("stable-diffusion-xl", "sdxl"), ("sd_v2", "sd2"), ("stable-diffusion-v2", "sd2"),
            ("sd_v1", "sd1"), ("stable-diffusion-v1", "sd1"),
        ):  # fmt: skip
            if text.lower().startswith(start):
                return family
    return ""


def recognise_vae(header: Header) -> Recognised | None:
    """An autoencoder alone, in the original or diffusers' layout; None for other files.

    ``variety``: "tiny" for one of taesd's make. SD 1, SD 2 and SDXL have autoencoders of the same
    shapes, so that the family is known only where the file says it.
    """
    if tiny := _tiny_vae(header):
        return tiny
    for prefix in ("", "first_stage_model.", "vae."):
        entry = header.shape(f"{prefix}decoder.conv_in.weight")
        if len(entry) == 4 and header.has(
            f"{prefix}decoder.up.", f"{prefix}decoder.up_blocks.", f"{prefix}decoder.mid"
        ):
            return Recognised("vae", _said_family(header.metadata), _vae_problem(header, prefix))
    return None


def _vae_problem(header: Header, prefix: str) -> Sentence | None:
    channels = header.shape(f"{prefix}decoder.conv_in.weight")[1]
    if channels != 4:
        return say(
            "It is an autoencoder of {channels} channels, made for another make of model.",
            channels=channels,
        )
    if not header.has(f"{prefix}encoder."):
        return say("It is half an autoencoder: its encoder is missing.")
    return None


def _tiny_vae(header: Header) -> Recognised | None:
    """taesd as its author saves it (decoder and encoder apart), as diffusers does, or joined."""
    for first, block in (
        ("1.weight", "3.conv.0.weight"),
        ("taesd_decoder.1.weight", "taesd_decoder.3.conv.0.weight"),
        ("decoder.layers.0.weight", "decoder.layers.2.conv.0.weight"),
    ):
        entry = header.shape(first)
        if len(entry) == 4 and block in header.tensors:
            problem = None
            if entry[1] != 4:
                problem = say(
                    "It is a tiny autoencoder of {channels} channels, for another make.",
                    channels=entry[1],
                )
            return Recognised("vae", problem=problem, variety="tiny")
    if len(header.shape("0.weight")) == 4 and "1.conv.0.weight" in header.tensors:
        problem = say("It is the encoder of a tiny autoencoder; previews need its decoder.")
        return Recognised("vae", problem=problem, variety="tiny")
    return None


def recognise_embedding(header: Header) -> Recognised | None:
    """A textual inversion: one matrix (tokens, width) for each text encoder; None for other files.

    A1111 names it ``emb_params``, SDXL's two are ``clip_l`` and ``clip_g``, diffusers names it
    after the word.
    """
    if "clip_l" in header.tensors and "clip_g" in header.tensors:
        return Recognised("embedding", "sdxl")
    name = "emb_params" if "emb_params" in header.tensors else ""
    if not name and len(header.tensors) == 1:
        name = next(iter(header.tensors))
        shape = header.shape(name)
        if shape[-1:] not in ((768,), (1024,), (1280,)) or len(shape) > 2 or shape[0] > 1280:
            return None
    shape = header.shape(name)
    if not shape or len(shape) > 2:
        return None
    return Recognised("embedding", FAMILY_OF_CONTEXT.get(shape[-1], ""))


def recognise_upscaler(header: Header) -> Recognised | None:
    """A network that enlarges pictures; ``variety``: "rrdbnet" (ESRGAN), "srvgg" (compact), or
    "spandrel" for one of another make, which needs that library."""
    for prefix in ("", "params_ema.", "params."):
        if header.has(
            f"{prefix}model.1.sub.0.RDB1.", f"{prefix}body.0.rdb1.", f"{prefix}RRDB_trunk.0.RDB1."
        ):
            return Recognised("upscaler", variety="rrdbnet")
        compact = (
            len(header.shape(f"{prefix}body.0.weight")),
            len(header.shape(f"{prefix}body.1.weight")),
        )
        if compact == (4, 1) and not header.has(f"{prefix}conv_first."):
            return Recognised("upscaler", variety="srvgg")
        if header.has(
            f"{prefix}layers.0.residual_group.", f"{prefix}before_RG.", f"{prefix}m_head."
        ):
            return Recognised("upscaler", variety="spandrel")
    return None
