"""A model put together from what is on the disk: a diffusers folder, or one original file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import CLIPTextConfig

from studio.errors import ModelError
from studio.models.architectures import Architecture, TextEncoder
from studio.models.base import ModelInfo
from studio.models.clip_tokens import VOCABULARY, ClipTokens, clip_tokens, folder_tokens
from studio.models.filling import FolderSource, Format, OriginalSource, fill
from studio.models.header import DamagedFile
from studio.models.networks import (
    empty_parts,
    empty_text_encoder,
    empty_unet,
    empty_vae,
)
from studio.models.original_names import UNET_PREFIX, names_of
from studio.models.placement import Placement
from studio.models.weights import read_object, weight_files
from studio.models.weights_reader import WeightsReader
from studio.sentences import say

LEGACY_EOS = 2  # in old configurations; transformers then takes the largest id for the text's end


@dataclass(frozen=True)
class Assembled:
    """A model's networks on their device, filled, and what is needed beside them.

    ``tokens``: for each text encoder, by its part's name.
    """

    parts: Mapping[str, Any]
    tokens: Mapping[str, ClipTokens]
    scheduler_config: Mapping[str, Any]
    zeros_for_empty_negative: bool


def assemble(info: ModelInfo, architecture: Architecture, placement: Placement) -> Assembled:
    """The model of ``info``; ``architecture`` gives the sizes of a file, the parts of a folder.

    Raises ModelError, and OSError or ValueError for files that cannot be read.
    """
    if info.layout == "file":
        return _from_file(info, architecture, placement)
    return _from_folder(info, architecture, placement)


def _from_file(info: ModelInfo, architecture: Architecture, placement: Placement) -> Assembled:
    with WeightsReader(info.path) as file:
        architecture = architecture_of(file, architecture)
        names = names_of(architecture, file.tensors)
        parts = {}
        for part, module in empty_parts(architecture).items():
            prefix = UNET_PREFIX if part == "unet" else ""
            source = OriginalSource(file, names[part], prefix)
            parts[part] = fill(module, source, part, info.name, Format.of(part, placement))
        scheduler = dict(architecture.scheduler)
        if "ztsnr" in file.tensors:  # the mark of models trained down to no signal at all
            scheduler["rescale_betas_zero_snr"] = True
    if info.prediction_type:
        scheduler["prediction_type"] = info.prediction_type
    vocabulary = clip_tokens(info.name, info.path)
    tokens = {
        encoder.part: vocabulary.padded_with(encoder.pad) for encoder in architecture.text_encoders
    }
    return Assembled(parts, tokens, scheduler, architecture.zeros_for_empty_negative)


def architecture_of(file: WeightsReader, family: Architecture) -> Architecture:
    """The architecture of a file of this family: some UNets take nine channels."""
    entrance = file.tensors.get(f"{UNET_PREFIX}input_blocks.0.0.weight")
    inpainting = entrance is not None and entrance.shape[1:2] == (9,)
    return family.inpainting() if inpainting else family


def _from_folder(info: ModelInfo, architecture: Architecture, placement: Placement) -> Assembled:
    folder = info.path
    parts: dict[str, Any] = {}
    tokens: dict[str, ClipTokens] = {}
    for encoder in architecture.text_encoders:
        where = text_folder(folder, encoder, len(architecture.text_encoders))
        config = CLIPTextConfig.from_pretrained(folder / where, local_files_only=True).to_dict()
        words = _tokens_of(info, encoder, where, int(config["vocab_size"]))
        if config.get("eos_token_id") == LEGACY_EOS:
            config["eos_token_id"] = words.eos
        module = empty_text_encoder(encoder.kind, config)
        parts[encoder.part] = _filled(module, info, where, encoder.part, placement)
        tokens[encoder.part] = words
    unet = empty_unet(read_config(folder, "unet"))
    parts["unet"] = _filled(unet, info, "unet", "unet", placement)
    vae = empty_vae(read_config(folder, "vae"))
    parts["vae"] = _filled(vae, info, "vae", "vae", placement)
    zeros = read_object(folder / "model_index.json").get(
        "force_zeros_for_empty_prompt", architecture.zeros_for_empty_negative
    )
    return Assembled(parts, tokens, read_scheduler_config(folder), bool(zeros))


def text_folder(folder: Path, encoder: TextEncoder, encoders: int) -> str:
    """A model with one text encoder may keep its second under the first one's name."""
    if encoders == 1 and not (folder / encoder.part).is_dir():
        return "text_encoder"
    return encoder.part


def _tokens_of(info: ModelInfo, encoder: TextEncoder, where: str, size: int) -> ClipTokens:
    own = info.path / where.replace("text_encoder", "tokenizer")
    if own.is_dir():
        return folder_tokens(own)
    if size != VOCABULARY:
        raise ModelError(
            say(
                "The model “{name}” cannot be loaded: its {part} is missing.",
                name=info.name,
                part=own.name,
            )
        )
    return clip_tokens(info.name, info.path).padded_with(encoder.pad)


def read_config(folder: Path, part: str) -> dict[str, Any]:
    """The configuration of one component. Raises OSError when it cannot be read."""
    config = read_object(folder / part / "config.json")
    if not config:
        raise DamagedFile(say("its {file} cannot be read", file=f"{part}/config.json"))
    return {key: value for key, value in config.items() if not key.startswith("_")}


def _filled(module: Any, info: ModelInfo, where: str, part: str, placement: Placement) -> Any:
    with ExitStack() as open_files:
        source = folder_source(info.path / where, part, open_files)
        return fill(module, source, part, info.name, Format.of(part, placement))


def folder_source(folder: Path, part: str, open_files: ExitStack) -> FolderSource:
    """The weights in one component's folder, whose files stay open as long as ``open_files``."""
    files = [open_files.enter_context(WeightsReader(path)) for path in best_files(folder)]
    spellings = {"unet": _as_it_is, "vae": _vae_spellings}.get(part, _text_spellings)
    return FolderSource(files, spellings, _NEEDLESS)


_NEEDLESS = re.compile(
    r"position_ids|logit_scale|^vision_model\.|^visual_projection|^text_projection"
)


def best_files(folder: Path) -> Sequence[Path]:
    """The files of one component's weights: the plain ones before a variant, one before shards.

    Raises DamagedFile when there is none, or when a shard is missing.
    """
    files = weight_files(folder)
    if not files:
        raise DamagedFile(
            say("it has no safetensors weights (folder {folder})", folder=folder.name)
        )
    if not all(path.is_file() for path in files):
        raise DamagedFile(
            say("some of its weights are missing (folder {folder})", folder=folder.name)
        )
    return files


def _as_it_is(name: str) -> Sequence[str]:
    return (name,)


def _text_spellings(name: str) -> Sequence[str]:
    """transformers nested a text model under ``text_model.`` once, and in some classes still."""
    return (name, f"text_model.{name}", name.removeprefix("text_model."))


def _vae_spellings(name: str) -> Sequence[str]:
    """The autoencoder's attention had other names before diffusers 0.18."""
    old = name
    for new, before in _OLD_VAE.items():
        old = old.replace(new, before)
    return (name, old)


_OLD_VAE = {
    ".to_q.": ".query.",
    ".to_k.": ".key.",
    ".to_v.": ".value.",
    ".to_out.0.": ".proj_attn.",
}


def read_scheduler_config(folder: Path) -> Mapping[str, Any]:
    """The model's noise schedule and prediction type, for any scheduler's ``from_config``.

    Latents are never clipped unless the model says so: several schedulers clip to ±1 by default,
    which suits pixels and ruins latents.
    """
    config = read_object(folder / "scheduler/scheduler_config.json")
    if not config:
        name = "scheduler/scheduler_config.json"
        raise DamagedFile(say("its {file} cannot be read", file=name))
    return {"clip_sample": False, **config}
