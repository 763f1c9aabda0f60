"""What a folder in diffusers' format is: its model_index.json and the small files of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.errors import InvalidRequest
from studio.models.base import ModelDefaults, ModelInfo
from studio.models.defaults import defaults_for, distillation_in_words, with_card
from studio.models.recognise import FAMILY_OF_CONTEXT, NATIVE_SIZES
from studio.models.translators import describe_translator, is_translator
from studio.models.weights import read_object, weight_files, weights_problem, weights_size
from studio.sentences import Sentence, say

PIPELINES = frozenset(
    ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
     "LatentConsistencyModelPipeline", "LatentConsistencyModelImg2ImgPipeline",
     "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline",
     "StableDiffusionXLInpaintPipeline")
)  # fmt: skip
_COMPONENTS: Mapping[str, Sentence] = {
    "UNet2DConditionModel": say("It is a UNet alone: the whole folder of the model is needed."),
    "ControlNetModel": say("It is a ControlNet, which this studio cannot use yet."),
    "MotionAdapter": say("It is a motion module for video, which this studio cannot use."),
}
_PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler")
IMAGE_ENCODER, TEXT_PROJECTION = "image_encoder", "text_projection.safetensors"


def is_pipeline(folder: Path) -> bool:
    """Whether a folder is a model in diffusers' format (which may lack its index)."""
    return (folder / "model_index.json").is_file() or (
        (folder / "unet/config.json").is_file() and (folder / "vae/config.json").is_file()
    )


def has_clip_pair(folder: Path) -> bool:
    """Whether a model's folder brings both halves of CLIP, which compare a text and a picture.

    That is, beside the text encoder, an image encoder (a CLIPVisionModelWithProjection) and the
    projection of texts.
    """
    return (folder / TEXT_PROJECTION).is_file() and (folder / IMAGE_ENCODER).is_dir()


def no_clip_pair(model: str) -> InvalidRequest:
    """The refusal of CLIP guidance with a model that brings no pair."""
    return InvalidRequest.of(
        "clip_guidance_scale",
        say(
            "CLIP guidance needs a model that brings CLIP's image encoder, as pocket does; "
            "“{model}” brings none.",
            model=model,
        ),
    )


def is_component(folder: Path) -> bool:
    """Whether a folder is one component alone, as diffusers saves it, or a translator."""
    if not (folder / "config.json").is_file():
        return False
    config = read_object(folder / "config.json")
    return bool(config.get("_class_name")) or is_translator(config)


def describe_component(name: str, folder: Path) -> ModelInfo:
    """A component alone: an autoencoder is of use, others are not and say so."""
    config = read_object(folder / "config.json")
    if is_translator(config):
        return describe_translator(name, folder)
    kind = str(config["_class_name"])
    size = weights_size(folder)
    if kind not in ("AutoencoderKL", "AutoencoderTiny"):
        other = say("It is a {kind}, a part that this studio cannot use alone.", kind=kind)
        return ModelInfo(name, folder, family="", size=size, problem=_COMPONENTS.get(kind, other))
    wrong = weights_problem(folder)
    problem = say("Its folder {problem}", problem=wrong) if wrong else None
    if config.get("latent_channels") not in (None, 4):
        problem = say("It is an autoencoder made for another make of model.")
    return ModelInfo(
        name,
        folder,
        kind="vae",
        family="sdxl" if config.get("scaling_factor") == 0.13025 else "",
        size=size,
        problem=problem,
        variety="tiny" if kind == "AutoencoderTiny" else "",
    )


def describe_pipeline(name: str, folder: Path) -> ModelInfo:
    """The checkpoint in a folder; what is wrong with it stands in ``problem``."""
    index, card = read_object(folder / "model_index.json"), read_object(folder / "card.json")
    unet = read_object(folder / "unet/config.json")
    pipeline = str(index.get("_class_name", "no pipeline"))
    family = _family(pipeline, folder, unet)
    scheduler = read_object(folder / "scheduler/scheduler_config.json")
    variety = _distillation(pipeline, unet, scheduler) or distillation_in_words(name)
    native = _native_size(unet, family)
    return ModelInfo(
        name=name,
        path=folder,
        family=family,
        size=sum(weights_size(folder / part) for part in _parts(family)),
        native_size=native,
        defaults=_defaults(card, family, native, variety, name, scheduler),
        problem=_problem(folder, pipeline, family, unet),
        known_words=bool(card.get("known_words", card.get("name") == "pocket")),
        prediction_type=str(scheduler.get("prediction_type", "epsilon")),
        inpainting=unet.get("in_channels") == 9,
        variety=variety,
        languages=("en", "zh") if card.get("name") == "pocket" else ("en",),
    )


def hashed_files(info: ModelInfo) -> tuple[Path, ...]:
    """The files whose bytes, one after another, make a model's SHA-256.

    A file is its own. A folder goes by its UNet (any other kind's folder by its only weights): the
    other parts are the same in most models of a family, and the configuration changes with the
    tool that saved it.
    """
    if info.layout == "file":
        return (info.path,)
    return tuple(weight_files(info.path / "unet" if info.kind == "checkpoint" else info.path))


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of every file near the top of a folder: equal, so unchanged."""
    seen = []
    for inside in ("", *_PARTS):
        try:
            paths = sorted((folder / inside).iterdir()) if inside else sorted(folder.iterdir())
        except OSError:
            continue
        for path in paths:
            try:
                found = path.stat()
            except OSError:
                seen.append((f"{inside}/{path.name}", -1, -1))
                continue
            seen.append((f"{inside}/{path.name}", found.st_size, found.st_mtime_ns))
    return tuple(seen)


def _family(pipeline: str, folder: Path, unet: Mapping[str, Any]) -> str:
    """By the pipeline's class and the UNet's make; "" for a class that cannot be run.

    SD 2 differs from SD 1 by its wider text encoder and the linear layers around its attention;
    the refiner is an XL image-to-image pipeline without the first text encoder.
    """
    if pipeline not in PIPELINES:
        return ""
    if "XL" in pipeline:
        return "sdxl" if (folder / "text_encoder").is_dir() else "sdxl_refiner"
    context = unet.get("cross_attention_dim")
    known = FAMILY_OF_CONTEXT.get(context, "") if isinstance(context, int) else ""
    if known in ("sd1", "sd2"):
        return known
    return "sd2" if unet.get("use_linear_projection") is True else "sd1"


def _native_size(unet: Mapping[str, Any], family: str) -> int:
    sample = unet.get("sample_size")
    if type(sample) is int and 8 <= sample <= 256:
        return sample * 8
    return NATIVE_SIZES.get(family, 512)


def _distillation(pipeline: str, unet: Mapping[str, Any], scheduler: Mapping[str, Any]) -> str:
    """How it was distilled, as far as its configuration tells; "" when it does not.

    LCM's UNets take the guidance as an embedding, and its scheduler is its own. The turbo models
    are the ones that are saved with an Euler scheduler of trailing steps; models trained to zero
    terminal signal (v-prediction) have trailing steps too and are not distilled.
    """
    name = str(scheduler.get("_class_name", ""))
    if unet.get("time_cond_proj_dim") or pipeline.startswith("Latent") or name == "LCMScheduler":
        return "lcm"
    trailing = scheduler.get("timestep_spacing") == "trailing"
    epsilon = scheduler.get("prediction_type", "epsilon") == "epsilon"
    if trailing and epsilon and name in (
        "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"
    ):  # fmt: skip
        return "turbo"
    return ""


def _defaults(
    card: Mapping[str, Any],
    family: str,
    native: int,
    variety: str,
    name: str,
    scheduler: Mapping[str, Any],
) -> ModelDefaults:
    usual = defaults_for(family, native, variety, name)
    if variety == "turbo" and scheduler.get("_class_name") == "EulerDiscreteScheduler":
        usual = with_card(usual, {"sampler": "euler"})
    return with_card(usual, card.get("defaults"))


def _parts(family: str) -> tuple[str, ...]:
    if family == "sdxl":
        return ("unet", "vae", "text_encoder", "text_encoder_2")
    if family == "sdxl_refiner":
        return ("unet", "vae", "text_encoder_2")
    return ("unet", "vae", "text_encoder")


def _problem(folder: Path, pipeline: str, family: str, unet: Mapping[str, Any]) -> Sentence | None:
    """One sentence why the folder cannot be used, None when it can."""
    if not (folder / "model_index.json").is_file():
        return say("Its model_index.json is missing: download the whole folder.")
    if not family:
        return say("It is made for {pipeline}, which this studio cannot run.", pipeline=pipeline)
    for part in _parts(family):
        if not read_object(folder / part / "config.json"):
            return say("Its {part}/config.json is missing or cannot be read.", part=part)
        if problem := weights_problem(folder / part):
            return say("Its folder {part} {problem}", part=part, problem=problem)
    if unet.get("in_channels") not in (4, 9):
        return say("It is no text-to-image model (its UNet takes neither 4 nor 9 channels).")
    tokenizers = [part.replace("text_encoder", "tokenizer") for part in _parts(family)[2:]]
    for needed in (*tokenizers, "scheduler/scheduler_config.json"):
        if not (folder / needed).exists():
            return say("Its {file} is missing.", file=needed)
    return None
