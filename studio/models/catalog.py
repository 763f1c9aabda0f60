"""What models there are on disk, read from their small files alone. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from studio.errors import InvalidRequest
from studio.models.base import Kind, ModelDefaults, ModelInfo
from studio.models.weights import read_object, weights_problem, weights_size

FAMILY_OF_PIPELINE: Mapping[str, str] = {"StableDiffusionPipeline": "sd1"}
PARTS = ("unet", "vae", "text_encoder")
MAX_DEPTH = 3
FOLDERS: Mapping[Kind, str] = {"vae": "vae", "lora": "loras", "embedding": "embeddings"}


class Catalog:
    """The models under some folders: a folder may be a model itself, or hold models."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def list(self) -> list[ModelInfo]:
        """Every model found, in the order of the folders; broken ones carry a ``problem``."""
        found: dict[str, ModelInfo] = {}
        for folder in self._folders:
            for path in _model_folders(folder, MAX_DEPTH):
                name = path.name if path == folder else path.relative_to(folder).as_posix()
                found.setdefault(name, describe(name, path))
        return [*found.values()]

    def of_kind(self, kind: Kind) -> tuple[ModelInfo, ...]:
        """Every model of one kind: checkpoints as in ``list``, others by their folder."""
        if kind == "checkpoint":
            return tuple(self.list())
        found: dict[str, ModelInfo] = {}
        for folder in self._folders:
            root = folder / FOLDERS.get(kind, kind)
            for path in sorted(root.rglob("*.safetensors")):
                name = path.relative_to(root).with_suffix("").as_posix()
                size = path.stat().st_size
                info = ModelInfo(name, path, kind, family="", size=size, layout="file")
                found.setdefault(name, info)
        return tuple(found.values())

    def find(self, name: str) -> ModelInfo:
        """The usable model called ``name``.

        Raises InvalidRequest naming the field ``model`` when there is none, or when it is broken.
        """
        models = self.list()
        for info in models:
            if info.name == name:
                if info.problem:
                    raise InvalidRequest.of("model", f"“{name}” cannot be used: {info.problem}")
                return info
        usable = ", ".join(info.name for info in models if not info.problem) or "none"
        raise InvalidRequest.of("model", f"There is no model called “{name}”; there are: {usable}.")


def _model_folders(folder: Path, depth: int) -> Iterator[Path]:
    """Folders that are models, not looking into a model and not into hidden folders."""
    if (folder / "model_index.json").is_file():
        yield folder
        return
    if depth == 0 or not folder.is_dir():
        return
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return
    for path in inside:
        if not path.name.startswith("."):
            yield from _model_folders(path, depth - 1)


def describe(name: str, path: Path) -> ModelInfo:
    """The model in folder ``path``; what is wrong with it stands in ``problem``."""
    card = read_object(path / "card.json") if (path / "card.json").exists() else {}
    unet, index = read_object(path / "unet/config.json"), read_object(path / "model_index.json")
    sample = unet.get("sample_size")
    native = sample * 8 if isinstance(sample, int) else 512
    pipeline = str(index.get("_class_name", "no pipeline"))
    return ModelInfo(
        name=name,
        path=path,
        family=FAMILY_OF_PIPELINE.get(pipeline, pipeline),
        size=sum(weights_size(path / part) for part in PARTS),
        native_size=native,
        defaults=_defaults(card, native),
        problem=_problem(path, pipeline, unet),
        known_words=bool(card.get("known_words", card.get("name") == "pocket")),
    )


def _defaults(card: Mapping[str, Any], native: int) -> ModelDefaults:
    """The card's defaults; what it leaves out (or spells wrongly) is the usual for the size."""
    given = card.get("defaults")
    known = {item.name for item in fields(ModelDefaults)}
    values = {k: v for k, v in given.items() if k in known} if isinstance(given, dict) else {}
    return ModelDefaults(**{"width": native, "height": native, **values})


def _problem(path: Path, pipeline: str, unet: Mapping[str, Any]) -> str | None:
    """One sentence why the folder cannot be used, None when it can."""
    if pipeline not in FAMILY_OF_PIPELINE:
        return f"It is made for {pipeline}, which this studio cannot run."
    for part in PARTS:
        if not read_object(path / part / "config.json"):
            return f"Its {part}/config.json is missing or cannot be read."
        problem = weights_problem(path / part)
        if problem:
            return f"Its folder {part} {problem}"
    if unet.get("in_channels") != 4:
        return "It is not a text-to-image model (its UNet does not take 4 latent channels)."
    for needed in ("tokenizer", "scheduler/scheduler_config.json"):
        if not (path / needed).exists():
            return f"Its {needed} is missing."
    return None
