"""Which files of a repository the studio needs: never a pickle, and no number format twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from studio.models.base import Kind
from studio.models.hub.plan import RepoFile
from studio.models.translators import FILES, OPTIONAL, WEIGHTS
from studio.sentences import Sentence, say

_PIPELINES = re.compile(
    r"(StableDiffusion(XL)?(Img2Img|Inpaint)?|LatentConsistencyModel(Img2Img)?)Pipeline"
)
_ENCODERS = ("text_encoder", "text_encoder_2")
_PARTS = ("unet", "vae", *_ENCODERS)
_WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|model)(?P<half>\.fp16)?(-\d{5}-of-\d{5})?\.safetensors"
)
_INDEX = re.compile(
    r"(diffusion_pytorch_model|model)(?P<half>\.fp16)?\.safetensors\.index(?P<half2>\.fp16)?\.json"
)
_SMALL = {
    "": ("model_index.json", "LICENSE", "LICENSE.md", "LICENSE.txt"),
    "scheduler": ("scheduler_config.json",),
    **dict.fromkeys(_PARTS, ("config.json",)),
    **dict.fromkeys(
        ("tokenizer", "tokenizer_2"),
        ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json",
         "special_tokens_map.json", "added_tokens.json"),
    ),
}  # fmt: skip
_GENERIC = re.compile(
    r"(diffusion_pytorch_model|model|pytorch_lora_weights|adapter_model|learned_embeds)(\.fp16)?"
)
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.safetensors$")
_PLAIN_NAME = re.compile(r"[^\w.-]+", re.ASCII)


def pipeline_problem(pipeline: str | None) -> Sentence | None:
    """One sentence when the hub says that a repository is for another kind of model."""
    if pipeline is None or _PIPELINES.fullmatch(pipeline):
        return None
    return say("It is made for {pipeline}, which this studio cannot run.", pipeline=pipeline)


def folder_files(files: Sequence[RepoFile]) -> list[RepoFile]:
    """The files of a model in diffusers' format, half precision where there is some.

    Empty when a part's weights are missing or pickled only.
    """
    if not any(file.path == "model_index.json" for file in files):
        return []
    chosen = [file for file in files if _is_small(file.path)]
    weights = {part: _weights(files, part) for part in _PARTS}
    if not weights["unet"] or not weights["vae"] or not any(weights[part] for part in _ENCODERS):
        return []
    for found in weights.values():
        chosen += found
    return [replace(file, target=file.path) for file in chosen]


def translator_files(files: Sequence[RepoFile]) -> list[RepoFile]:
    """The files of a translator (a Marian model); empty for anything else."""
    found = {file.path: file for file in files}
    if not {*FILES, WEIGHTS} <= set(found):
        return []
    wanted = (*FILES, *OPTIONAL, WEIGHTS, *_SMALL[""][1:])
    return [replace(found[path], target=path) for path in wanted if path in found]


def single_files(files: Iterable[RepoFile]) -> list[RepoFile]:
    """The files that are models by themselves: at the top or one folder down, no parts of one."""
    found = {
        file.path: file
        for file in files
        if file.path.endswith(".safetensors")
        and file.path.count("/") <= 1
        and not _SHARD.search(file.path)
        and file.path.split("/")[0] not in (*_PARTS, "safety_checker", "image_encoder")
    }
    halves = {
        path.replace(".fp16.safetensors", ".safetensors") for path in found if ".fp16." in path
    }
    return [file for path, file in sorted(found.items()) if path not in halves]


def file_name(path: str, repository: str) -> str:
    """The stem a single file gets: its own, or the repository's when its own says nothing."""
    stem = path.rsplit("/", 1)[-1].removesuffix(".safetensors")
    name = repository if _GENERIC.fullmatch(stem) else stem
    return _PLAIN_NAME.sub("-", name).lstrip(".-")[:120] or "model"


def kind_of(keys: Iterable[str]) -> Kind:
    """What a single file is, by the names of its tensors; a checkpoint when in doubt."""
    names = list(keys)

    def some(*marks: str) -> bool:
        return any(mark in name for name in names for mark in marks)

    if some("model.diffusion_model."):
        return "checkpoint"
    if some("lora_", ".lora.", ".lora_", "hada_w1", "lokr_w1"):
        return "lora"
    if some("emb_params", "string_to_param") or {"clip_l", "clip_g"} >= set(names) != set():
        return "embedding"
    if some("decoder.conv_in.", "decoder.mid", "decoder.layers."):
        return "vae"
    if some("body.0.", "model.1.sub.", "conv_first."):
        return "upscaler"
    return "checkpoint"


def _is_small(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name in _SMALL.get(folder, ())


def _weights(files: Sequence[RepoFile], part: str) -> list[RepoFile]:
    """The weights of one part, with their index when they are split."""
    half: list[RepoFile] = []
    full: list[RepoFile] = []
    for file in files:
        folder, _, name = file.path.rpartition("/")
        found = _WEIGHTS.fullmatch(name) or _INDEX.fullmatch(name)
        if folder == part and found:
            (half if any(found.groupdict().values()) else full).append(file)

    def whole(some: list[RepoFile]) -> bool:
        return any(file.path.endswith(".safetensors") for file in some)

    return half if whole(half) else full if whole(full) else []
