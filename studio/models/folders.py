"""Where models live: which folders hold what kind, and every model-like thing found in them.

Three layouts are understood, and mixed: the studio's own, AUTOMATIC1111's (``models/Lora`` …,
``embeddings`` beside ``models``) and ComfyUI's (``models/loras`` …). Anything else is a plain
folder of files. Everywhere the kinds are told by what is in the files. No torch here.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.models.base import Kind
from studio.models.pipelines import is_component, is_pipeline
from studio.models.weights import PICKLES
from studio.storage import storage_errors

MAX_DEPTH = 6
SAFETENSORS = (".safetensors", ".sft")
OTHER_WEIGHTS = (*PICKLES, ".gguf", ".onnx")

OWN_FOLDERS = ("checkpoints", "vae", "loras", "embeddings", "upscalers", "translators")

log = logging.getLogger(__name__)

_KIND_OF_FOLDER: Mapping[str, Kind] = {
    "checkpoints": "checkpoint", "stable-diffusion": "checkpoint", "diffusers": "checkpoint",
    "diffusion_models": "checkpoint", "unet": "checkpoint",
    "vae": "vae", "vae-approx": "vae", "vae_approx": "vae",
    "lora": "lora", "loras": "lora", "lycoris": "lora",
    "embeddings": "embedding", "translators": "translator",
    "upscalers": "upscaler", "upscale_models": "upscaler", "esrgan": "upscaler",
    "realesrgan": "upscaler", "bsrgan": "upscaler", "swinir": "upscaler", "dat": "upscaler",
    "scunet": "upscaler", "ldsr": "upscaler",
}  # fmt: skip
# Folders of the other programs with what the studio has no use for; not to be listed as strangers.
_NOT_OURS = frozenset(
    ("audio_encoders", "blip", "classifiers", "clip", "clip_vision", "codeformer", "configs",
     "controlnet", "deepbooru", "deepdanbooru", "gfpgan", "gligen", "hypernetworks", "ipadapter",
     "karlo", "latent_upscale_models", "model_patches", "photomaker", "style_models", "t2i_adapter",
     "text_encoders", "torch_deepdanbooru")
)  # fmt: skip
# What lies beside models and belongs to them: previews, notes of other programs, half downloads.
_COMPANIONS = (
    ".aria2", ".avif", ".civitai.info", ".crdownload", ".css", ".csv", ".download", ".gif", ".html",
    ".incomplete", ".info", ".ini", ".jpeg", ".jpg", ".json", ".lock", ".log", ".md", ".metadata",
    ".mp4", ".part", ".png", ".py", ".sha256", ".toml", ".tmp", ".webm", ".webp", ".yaml", ".yml",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A folder in which to look; ``kind`` is what it is meant for, None for a plain folder."""

    path: Path
    kind: Kind | None = None
    skip: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """Something that is, or pretends to be, a model.

    ``name`` is its path below its place, without a file's ending. ``place`` was found under
    ``root``. ``stat`` is None when the system does not tell (a link that leads nowhere).
    """

    name: str
    path: Path
    place: Place
    root: Path
    is_folder: bool
    stat: os.stat_result | None


def prepare(own: Path, others: Sequence[Path]) -> None:
    """Make the folders in ``own`` into which a person puts models; tell of ``others`` not there.

    Those may be on a disk that is not there today, so that they are looked for again each time.
    Raises StorageError when ``own`` cannot be written.
    """
    with storage_errors(own):
        for name in OWN_FOLDERS:
            (own / name).mkdir(parents=True, exist_ok=True)
    for folder in others:
        if not folder.is_dir():
            log.warning("There is no folder %s in which to look for models", folder)


def find_models(roots: Sequence[Path]) -> list[Found]:
    """Everything under ``roots``, in their order; what an earlier root has is not given again."""
    found: list[Found] = []
    seen: set[tuple[int, int]] = set()
    for root in roots:
        here = [each for place in places(root) for each in _Walk(root, place).run()]
        fresh = [each for each in here if each.stat is None or _identity(each.stat) not in seen]
        found += fresh
        seen |= {_identity(each.stat) for each in fresh if each.stat is not None}
    return found


def places(root: Path) -> list[Place]:
    """The folders to look into under ``root``, by the layout that it has."""
    if is_pipeline(root):
        return [Place(root)]
    inner = _known_folders(root / "models")
    if inner:  # the folder of a whole installation: its models, and A1111's embeddings beside them
        beside = [place for place in _known_folders(root) if place.kind == "embedding"]
        return [*inner, *beside, _rest(root / "models", inner)]
    known = _known_folders(root)
    if known:
        return [*known, _rest(root, known)]
    return [Place(root, _KIND_OF_FOLDER.get(root.name.casefold()))]


def _known_folders(folder: Path) -> list[Place]:
    """The folders in ``folder`` whose names say what they hold."""
    if is_pipeline(folder):
        return []
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []
    known = [(path, _KIND_OF_FOLDER.get(path.name.casefold())) for path in inside]
    return [Place(path, kind) for path, kind in known if kind and not is_pipeline(path)]


def _rest(folder: Path, known: Sequence[Place]) -> Place:
    """``folder`` without the folders that are places of their own, or other programs'."""
    return Place(folder, skip=frozenset(place.path.name.casefold() for place in known) | _NOT_OURS)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class _Walk:
    """One pass through a place: links to folders are followed, but never in a circle."""

    def __init__(self, root: Path, place: Place) -> None:
        self._root, self._place = root, place

    def run(self) -> Iterator[Found]:
        """What is there, in the order of the alphabet, a folder's files before its folders."""
        place = self._place.path
        if is_pipeline(place) or is_component(place):
            yield self._found(place, _stat(place), is_folder=True)
        else:
            yield from self._folder(place, MAX_DEPTH, frozenset())

    def _folder(
        self, folder: Path, depth: int, above: frozenset[tuple[int, int]]
    ) -> Iterator[Found]:
        here = _stat(folder)
        if here is None or _identity(here) in above:
            return
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208 - only the names are wanted
        except OSError:
            if folder != self._place.path:
                yield self._found(folder, None, is_folder=True)
            return
        inside: list[Path] = []
        stems = {name.rpartition(".")[0] for name in names if _is_weights(name)}
        for name in names:
            path = folder / name
            if name.startswith(".") or (depth == MAX_DEPTH and self._skips(path)):
                continue
            found = _stat(path)
            if found is not None and stat.S_ISDIR(found.st_mode):
                inside.append(path)
            elif _is_weights(name) or self._is_stray(name, stems):
                yield self._found(path, found, is_folder=False)
        for path in inside:
            if is_pipeline(path) or is_component(path):
                yield self._found(path, _stat(path), is_folder=True)
            elif path.name.endswith(SAFETENSORS):
                yield self._found(path, _stat(path), is_folder=False)
            elif depth > 1:
                yield from self._folder(path, depth - 1, above | {_identity(here)})

    def _skips(self, path: Path) -> bool:
        """Whether a folder belongs to another place, or to another program alone."""
        return path.name.casefold() in self._place.skip and not is_pipeline(path)

    def _is_stray(self, name: str, stems: set[str]) -> bool:
        """Whether a file has no business here: a person may have meant it to be a model.

        In a plain folder only a text file is told of, as anything may lie there.
        """
        stem, dot, ending = name.casefold().rpartition(".")
        if name.casefold().endswith(_COMPANIONS) or name.rpartition(".")[0] in stems:
            return False
        if ending == "txt" or not dot:  # "Put checkpoints here.txt", "put_checkpoints_here"
            words = {"put", "readme", "license", "licence", "requirements", "robots", "makefile"}
            if words & set((stem or ending).replace("-", " ").replace("_", " ").split()):
                return False
        return self._place.kind is not None or ending == "txt"

    def _found(self, path: Path, found: os.stat_result | None, *, is_folder: bool) -> Found:
        below = path.relative_to(self._place.path)
        name = below.as_posix() if below.parts else path.name
        if not is_folder and _is_weights(name):
            name = name.rpartition(".")[0]
        return Found(name, path, self._place, self._root, is_folder, found)


def _is_weights(name: str) -> bool:
    return name.lower().endswith((*SAFETENSORS, *OTHER_WEIGHTS))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
