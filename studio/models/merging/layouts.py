"""A merged model as files: what is in each, in the layout of the first ingredient."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from studio.models.merging.ingredient import Shape
from studio.models.merging.mixture import Mixture
from studio.models.original_names import Place
from studio.models.weights import read_object
from studio.models.weights_writer import Piece

_NOT_KEPT = ("model_ema.",)  # a training's running mean, of which no merge is made
_LARGEST_COMPANION = 64 * 2**20  # bytes; vocabularies are the largest, of a few MB


@dataclass(frozen=True)
class File:
    """A file of weights to be written; ``path`` is below the model's folder, "" for one file."""

    path: str
    pieces: Sequence[Piece]

    @property
    def size(self) -> int:
        """Bytes of its tensors."""
        return sum(piece.size for piece in self.pieces)


def files_of(mixture: Mixture) -> list[File]:
    """All that is to be written for this mixture."""
    if mixture.first.file is not None:
        return [File("", list(_original(mixture)))]
    return [
        File(f"{_folder(mixture, part)}/{_weights_name(part)}", list(_component(mixture, part)))
        for part in mixture.first.parts
    ]


def copy_companions(source: Path, target: Path) -> None:
    """What a folder in diffusers' format has beside weights: configurations, vocabularies, card."""
    index = read_object(source / "model_index.json")
    for path in sorted(source.rglob("*")):
        below = path.relative_to(source)
        wanted = len(below.parts) == 1 or below.parts[0] in _COMPONENTS
        if wanted and path.is_file() and _is_companion(path):
            (target / below).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / below)
    for part, kind in index.items():  # what is not copied is not there
        if isinstance(kind, list) and not (target / part).is_dir():
            index[part] = [None, None]
    (target / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")


_COMPONENTS = (
    "unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler",
)  # fmt: skip


def _is_companion(path: Path) -> bool:
    text = path.suffix in (".json", ".txt", ".md") and ".safetensors.index" not in path.name
    return text and path.stat().st_size <= _LARGEST_COMPANION


def _weights_name(part: str) -> str:
    return "model.safetensors" if part.startswith("text") else "diffusion_pytorch_model.safetensors"


def _folder(mixture: Mixture, part: str) -> str:
    """A model with one text encoder may keep its second under the first one's name."""
    return part if (mixture.first.info.path / part).is_dir() else part.removesuffix("_2")


def _component(mixture: Mixture, part: str) -> Iterator[Piece]:
    for name, shape in mixture.first.shapes[part].items():
        yield Piece(name, shape, mixture.dtype, partial(mixture.weight, part, name))


@dataclass(frozen=True)
class _Owner:
    """A parameter that a tensor of the original layout holds, whole or as a third of its rows."""

    part: str
    name: str
    place: Place


def _original(mixture: Mixture) -> Iterator[Piece]:
    """The first file's tensors, each merged; those that are no weights are as they were."""
    file = mixture.first.file
    assert file is not None
    owners = _owners(mixture)
    for name, stored in file.tensors.items():
        if name in owners:
            make = partial(_assembled, mixture, owners[name], stored.shape)
            yield Piece(name, stored.shape, mixture.dtype, make)
        elif not name.startswith(_NOT_KEPT):
            yield Piece(name, stored.shape, stored.dtype, partial(file.read, name))


def _owners(mixture: Mixture) -> Mapping[str, Sequence[_Owner]]:
    """The tensors of the first file -> the parameters in them, in the order of their rows."""
    owners: dict[str, list[_Owner]] = {}
    assert mixture.first.names is not None
    for part, shapes in mixture.first.shapes.items():
        for name in shapes:
            place = mixture.first.names[part](name)
            owners.setdefault(place.name, []).append(_Owner(part, name, place))
    return {
        name: sorted(held, key=lambda each: each.place.third or 0) for name, held in owners.items()
    }


def _assembled(mixture: Mixture, owners: Sequence[_Owner], shape: Shape) -> torch.Tensor:
    tensors = [mixture.weight(each.part, each.name) for each in owners]
    whole = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
    return (whole.T if owners[0].place.transposed else whole).reshape(shape)
