"""A checkpoint that goes into a merge: opened, its weights read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from transformers import CLIPTextConfig

from studio.errors import ModelError
from studio.models.architectures import Architecture
from studio.models.assemble import architecture_of, folder_source, read_config, text_folder
from studio.models.base import ModelInfo
from studio.models.filling import OriginalSource, Source, same_shape, shape_words, shaped
from studio.models.networks import empty_parts, empty_text_encoder, empty_unet, empty_vae
from studio.models.original_names import Names, names_of
from studio.models.weights_reader import WeightsReader

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
            raise ModelError(f"“{self.info.name}” cannot be read: {_reason(error)}") from error
        fitting = None if tensor is None else shaped(tensor, shape)
        if fitting is None:
            raise ModelError(f"“{self.info.name}” was changed while it was read: try again.")
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
            raise ModelError(f"“{info.name}” cannot be read: {_reason(error)}") from error
        yield ingredient


def check_alike(first: Ingredient, other: Ingredient) -> None:
    """Raise ModelError unless every weight of ``first`` is in ``other`` too, in the same shape.

    Of an inpainting model's entrance the first four channels are those of any other model.
    """
    unlike = f"“{other.info.name}” is built otherwise than “{first.info.name}”"
    if first is other:
        unlike = f"“{first.info.name}” cannot be merged"
    for part, shapes in first.shapes.items():
        for name, shape in shapes.items():
            have, wanted = other.stored_shape(part, name), shape
            if have is None:
                raise ModelError(f"{unlike}: its {part} has no {name}.")
            if is_entrance(part, name) and have[1] < wanted[1]:
                wanted = (wanted[0], have[1], *wanted[2:])
            if not same_shape(have, wanted):
                raise ModelError(
                    f"{unlike}: {name} of its {part} is {shape_words(have)}, "
                    f"where {shape_words(shape)} is needed."
                )


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


def _reason(error: Exception) -> str:
    """The first line of what went wrong, as the end of a sentence with its full stop."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    said: Any = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    return said if said.endswith(".") else f"{said}."
