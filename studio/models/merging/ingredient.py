"""A checkpoint that goes into a merge: opened, its weights read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from transformers import CLIPTextConfig

from studio.errors import ModelError, system_reason
from studio.models.architectures import Architecture
from studio.models.assemble import architecture_of, folder_source, read_config, text_folder
from studio.models.base import ModelInfo
from studio.models.filling import OriginalSource, Source, same_shape, shape_words, shaped
from studio.models.header import DamagedFile
from studio.models.networks import empty_parts, empty_text_encoder, empty_unet, empty_vae
from studio.models.original_names import Names, names_of
from studio.models.weights_reader import WeightsReader
from studio.sentences import Sentence, say

Shape = tuple[int, ...]

ENTRANCE = "conv_in.weight"
"""The UNet's first layer, the only one in which an inpainting model has another shape."""


@dataclass(frozen=True)
class Ingredient:
    """A model by its parts: networks without weights, and where these are read.

    ``file`` and ``names`` are those of a file in the original layout: the open file, and for each
    part where a parameter stands in it.
    """

    info: ModelInfo
    parts: Mapping[str, torch.nn.Module]
    sources: Mapping[str, Source]
    file: WeightsReader | None = None
    names: Mapping[str, Names] | None = None

    @cached_property
    def shapes(self) -> Mapping[str, Mapping[str, Shape]]:
        """Part -> parameter -> its shape in the network."""
        return {
            part: {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
            for part, module in self.parts.items()
        }

    def read(self, part: str, name: str, shape: Shape) -> torch.Tensor:
        """A parameter on the CPU in the file's format, in this shape. Raises ModelError."""
        try:
            tensor = self.sources[part].read(name)
        except (OSError, ValueError) as error:
            raise _unreadable(self.info, error) from error
        fitting = None if tensor is None else shaped(tensor, shape)
        if fitting is None:
            raise ModelError(
                say("“{model}” was changed while it was read: try again.", model=self.info.name)
            )
        return fitting

    def stored_shape(self, part: str, name: str) -> Shape | None:
        """The shape of a parameter in the files; None when it is not there."""
        source = self.sources.get(part)
        return source.shape(name) if source else None


@contextmanager
def opened(info: ModelInfo, family: Architecture) -> Iterator[Ingredient]:
    """A checkpoint in either layout, open until the end of the block.

    ``family``: the sizes of a file, and the text encoders of a folder. Raises ModelError with a
    sentence.
    """
    with ExitStack() as stack:
        try:
            open_ = _open_file if info.layout == "file" else _open_folder
            ingredient = open_(info, family, stack)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(info, error) from error
        yield ingredient


def check_alike(first: Ingredient, other: Ingredient) -> None:
    """Raise ModelError unless every weight of ``first`` is in ``other`` too, in the same shape.

    Of an inpainting model's entrance the first four channels are those of any other model.
    """
    for part, shapes in first.shapes.items():
        for name, shape in shapes.items():
            have, wanted = other.stored_shape(part, name), shape
            if have is None:
                lacking = say("its {part} has no {weight}", part=part, weight=name)
                raise _unlike(first, other, lacking)
            if is_entrance(part, name) and have[1] < wanted[1]:
                wanted = (wanted[0], have[1], *wanted[2:])
            if not same_shape(have, wanted):
                sizes = say(
                    "{weight} of its {part} is {have}, where {wanted} is needed",
                    weight=name, part=part, have=shape_words(have), wanted=shape_words(shape),
                )  # fmt: skip
                raise _unlike(first, other, sizes)


def _unlike(first: Ingredient, other: Ingredient, reason: Sentence) -> ModelError:
    name = other.info.name
    if other is first:
        return ModelError(say("“{model}” cannot be merged: {reason}.", model=name, reason=reason))
    return ModelError(
        say(
            "“{other}” cannot be merged with “{first}”: {reason}.",
            other=name, first=first.info.name, reason=reason,
        )
    )  # fmt: skip


def is_entrance(part: str, name: str) -> bool:
    """Whether a parameter is the weight of the UNet's first layer, (out, channels, 3, 3)."""
    return part == "unet" and name == ENTRANCE


def _open_file(info: ModelInfo, family: Architecture, stack: ExitStack) -> Ingredient:
    file = stack.enter_context(WeightsReader(info.path))
    architecture = architecture_of(file, family)
    names = names_of(architecture, file.tensors)
    parts = empty_parts(architecture)
    sources = {part: OriginalSource(file, names[part]) for part in parts}
    return Ingredient(info, parts, sources, file, names)


def _open_folder(info: ModelInfo, family: Architecture, stack: ExitStack) -> Ingredient:
    folder, parts = info.path, {}
    where = {"unet": "unet", "vae": "vae"}
    for encoder in family.text_encoders:
        place = text_folder(folder, encoder, len(family.text_encoders))
        config = CLIPTextConfig.from_pretrained(folder / place, local_files_only=True)
        parts[encoder.part] = empty_text_encoder(encoder.kind, config.to_dict())
        where[encoder.part] = place
    parts["unet"] = empty_unet(read_config(folder, "unet"))
    parts["vae"] = empty_vae(read_config(folder, "vae"))
    sources = {part: folder_source(folder / where[part], part, stack) for part in parts}
    return Ingredient(info, parts, sources)


def _unreadable(info: ModelInfo, error: Exception) -> ModelError:
    return ModelError(
        say("“{model}” cannot be read: {reason}", model=info.name, reason=reason_of(error))
    )


def reason_of(error: Exception) -> str:
    """What went wrong with a file, as the end of a sentence."""
    if isinstance(error, DamagedFile):
        return error.sentence
    if isinstance(error, OSError):
        return system_reason(error)
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
