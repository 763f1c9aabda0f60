"""What a safetensors file is, by the names and shapes in it and never by its own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import pstdev

from studio.models.base import Kind
from studio.models.header import Header
from studio.sentences import Sentence, say

ReadFloats = Callable[[str], list[float]]
"""Reads the numbers of one small tensor of the file, by its name."""

UNET = "model.diffusion_model."
FAMILY_OF_CONTEXT: Mapping[int, str] = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "sdxl_refiner"}
"""How wide the text's embedding is that the UNet's cross attention takes."""
NATIVE_SIZES: Mapping[str, int] = {"sd1": 512, "sd2": 768, "sdxl": 1024, "sdxl_refiner": 1024}

_OTHER_CHANNELS: Mapping[int, Sentence] = {
    5: say("It also takes a depth map (depth-to-image), which this studio cannot give it."),
    7: say("It enlarges pictures (the ×4 upscaler), which this studio cannot do with it."),
    8: say(
        "It edits by instruction (InstructPix2Pix) or makes video, which this studio cannot do."
    ),
}
_OTHER_MAKES: tuple[tuple[str, str], ...] = (
    ("model.diffusion_model.joint_blocks.", "Stable Diffusion 3"),
    ("model.diffusion_model.double_blocks.", "Flux"),
    ("model.diffusion_model.double_layers.", "AuraFlow"),
    ("model.diffusion_model.transformer_blocks.", say("a video or transformer model")),
    ("model.diffusion_model.down_blocks.", "Stable Cascade"),
    ("model.diffusion_model.", say("another make of model")),
    ("joint_blocks.", "Stable Diffusion 3"),
    ("double_blocks.", "Flux"),
    ("transformer_blocks.", say("a transformer model such as Flux or Stable Diffusion 3")),
)


@dataclass(frozen=True)
class Recognised:
    """What a file is. ``kind`` is None for what is nothing the studio uses; then it has a problem.

    ``variety`` is what it is within its kind, see `studio.models.base.ModelInfo`.
    """

    kind: Kind | None = None
    family: str = ""
    problem: Sentence | None = None
    variety: str = ""
    native_size: int = 512
    prediction_type: str = "epsilon"
    inpainting: bool = False
    title: str = ""
    """What its metadata calls it."""


def recognise_checkpoint(header: Header, read: ReadFloats) -> Recognised | None:
    """A checkpoint in the original (LDM/SGM) layout; None when the file is something else."""
    entry = header.shape(f"{UNET}input_blocks.0.0.weight")
    if len(entry) != 4:
        return None
    family = _family(header)
    inpainting = entry[1] == 9
    prediction = _prediction_type(header, family, inpainting, read)
    return Recognised(
        kind="checkpoint",
        family=family,
        problem=_problem(header, family, entry),
        variety="lcm" if f"{UNET}time_embed.cond_proj.weight" in header.tensors else "",
        native_size=_native_size(header, family, prediction, inpainting),
        prediction_type=prediction,
        inpainting=inpainting,
        title=header.metadata.get("modelspec.title", "")[:200],
    )


def _family(header: Header) -> str:
    """By the text encoder, as each family has its own place for it; else by the cross attention.

    Small models of the same make (of other widths) are recognised too. SD 2 in SGM's layout has
    its one encoder where the refiner has it, and differs by having no class embedding.
    """
    labelled = header.has(f"{UNET}label_emb.")
    if header.has("conditioner.embedders.1."):
        return "sdxl"
    if header.has("conditioner.embedders.0.model."):
        return "sdxl_refiner" if labelled else "sd2"
    if header.has("cond_stage_model.model."):
        return "sd2"
    if header.has("cond_stage_model.transformer."):
        return "sd1"
    return FAMILY_OF_CONTEXT.get(_context(header), "")


def _context(header: Header) -> int:
    """The width of the embedding that the UNet's cross attention takes; 0 when there is none."""
    for name in header.under(UNET):
        if name.endswith(".attn2.to_k.weight"):
            return header.shape(name)[-1]
    return 0


def _problem(header: Header, family: str, entry: tuple[int, ...]) -> Sentence | None:
    """One sentence why this checkpoint cannot be used, None when it can."""
    if entry[1] in _OTHER_CHANNELS:
        return _OTHER_CHANNELS[entry[1]]
    if entry[1] not in (4, 9):
        return say(
            "Its UNet takes {channels} channels; this studio runs those of 4 and of 9.",
            channels=entry[1],
        )
    if "edm_mean" in header.tensors or "edm_vpred.sigma_max" in header.tensors:
        return say(
            "It was trained with EDM's noise (Playground, CosXL), which this studio cannot run."
        )
    if header.has(f"{UNET}input_blocks.1.0.time_stack."):
        return say("It makes video, which this studio cannot do.")
    if not header.has("conditioner.embedders.", "cond_stage_model."):
        return say(
            "It is the UNet alone: the checkpoint with text encoder and autoencoder is needed."
        )
    if not family:
        return say("Its text encoder is none that this studio knows.")
    if not header.has("first_stage_model."):
        return say("It has no autoencoder (VAE) in it: the full checkpoint is needed.")
    if family == "sd2" and header.has(f"{UNET}label_emb."):
        return say(
            "It is an unCLIP model, made from pictures of other pictures; it cannot be run here."
        )
    deep = f"{UNET}middle_block.1.transformer_blocks.9.attn2.to_k.weight"
    if family == "sdxl" and _context(header) == 2048 and deep not in header.tensors:
        return say("It is a shortened SDXL (SSD-1B, Vega), which this studio cannot run.")
    return None


def _prediction_type(header: Header, family: str, inpainting: bool, read: ReadFloats) -> str:
    """What the UNet answers with: "epsilon", "v_prediction", or "" when the file does not tell.

    What the file says (ModelSpec's metadata, or the tensor ``v_pred`` that v-trained SDXL files
    carry) comes first. SD 1, SDXL and inpainting models are epsilon otherwise. SD 2 comes as both,
    in the same shapes: A1111 runs its UNet once and looks at the answer, diffusers goes by the
    global step of a pickle; here, as in ComfyUI, the spread of one bias decides, which v-training
    widened (above 0.09 in every SD 2 with v-prediction). An untrained bias (all equal) tells
    nothing: then the loader may run the UNet once.
    Source: https://github.com/Stability-AI/ModelSpec; ComfyUI's supported_models.SD20.
    """
    if said := _said_prediction(header.metadata):
        return said
    if "v_pred" in header.tensors:
        return "v_prediction"
    if family != "sd2" or inpainting:
        return "epsilon"
    bias = read(f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias")
    spread = pstdev(bias) if len(bias) > 1 else 0.0
    if not spread > 0:
        return ""
    return "v_prediction" if spread > 0.09 else "epsilon"


def _said_prediction(metadata: Mapping[str, str]) -> str:
    """What ModelSpec's metadata says; ComfyUI writes it under another key."""
    for key in ("modelspec.prediction_type", "modelspec.predict_key"):
        value = metadata.get(key, "").strip().lower()
        if value in ("v", "v_prediction", "v-prediction"):
            return "v_prediction"
        if value in ("epsilon", "eps"):
            return "epsilon"
    architecture = metadata.get("modelspec.architecture", "").strip().lower()
    if architecture.startswith("stable-diffusion-v2-"):
        if architecture.endswith("768-v"):
            return "v_prediction"
        if architecture.endswith("512"):
            return "epsilon"
    return ""


def _native_size(header: Header, family: str, prediction: str, inpainting: bool) -> int:
    """The side it was trained at: what the metadata says, else what is usual for its kind."""
    side = header.metadata.get("modelspec.resolution", "").partition("x")[0].strip()
    if side.isascii() and side.isdigit() and len(side) < 5:
        number = int(side) // 8 * 8
        if 64 <= number <= 2048:
            return number
    if family == "sd2" and (inpainting or prediction == "epsilon"):
        return 512
    return NATIVE_SIZES.get(family, 512)


def recognise_foreign(header: Header) -> Recognised:
    """What a file is that the studio has no use for, in a sentence."""
    for prefix, make in _OTHER_MAKES:
        if header.has(prefix):
            return Recognised(
                "checkpoint",
                problem=say("It is made for {make}; that cannot be run here.", make=make),
            )
    return Recognised(problem=say("It is {part}.", part=_part(header)))


def _part(header: Header) -> Sentence:
    """A part or an add-on of another sort, as the end of a sentence."""
    known: tuple[tuple[tuple[str, ...], Sentence], ...] = (
        (("control_model.", "controlnet_", "controlnet_cond_embedding."), say("a ControlNet")),
        (("image_proj", "ip_adapter."), say("an IP-Adapter")),
        (("vision_model.", "visual."), say("an encoder of pictures (CLIP vision)")),
        (("encoder.block.", "shared.weight"), say("a T5 text encoder")),
        (
            ("text_model.", "transformer.text_model.", "cond_stage_model."),
            say("a text encoder alone"),
        ),
        (("time_embedding.", "input_blocks."), say("a UNet alone, a part of another folder")),
    )
    if any(".motion_modules." in name for name in header.tensors):
        return say("a motion module for video, which this studio cannot use")
    for prefixes, words in known:
        if header.has(*prefixes):
            return say("{part}, which this studio cannot use by itself", part=words)
    if not header.tensors:
        return say("a safetensors file with nothing in it")
    return say("not a model of a kind that this studio knows")
