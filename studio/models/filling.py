"""An empty network filled with its weights, one at a time, in the format and place it runs in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from studio.errors import ModelError
from studio.models.original_names import Names
from studio.models.placement import Placement
from studio.models.weights_reader import WeightsReader
from studio.sentences import Sentence, say

NAMED = 3  # so many missing weights are said by name


class Source(Protocol):
    """Where the weights of one network come from, by the names of its parameters."""

    def read(self, name: str) -> torch.Tensor | None:
        """The tensor on the CPU in the file's format; None when there is none."""

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of what `read` would give; nothing is read."""

    def left_over(self) -> Sequence[str]:
        """What was there for this network and was not asked for."""


class OriginalSource:
    """One part of a file in the original layout; ``prefix``: what its own weights begin with."""

    def __init__(self, file: WeightsReader, names: Names, prefix: str = "") -> None:
        self._file, self._names, self._prefix = file, names, prefix
        self._used: set[str] = set()

    def read(self, name: str) -> torch.Tensor | None:
        """The tensor that the layout keeps for parameter ``name``."""
        place = self._names(name)
        if place.name not in self._file.tensors:
            return None
        self._used.add(place.name)
        tensor = self._file.read(place.name, place.third)
        return tensor.T if place.transposed else tensor

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of what `read` would give; None when there is none."""
        place = self._names(name)
        if place.name not in self._file.tensors:
            return None
        shape = self._file.tensors[place.name].shape
        if place.third is not None and shape:
            shape = (shape[0] // 3, *shape[1:])
        return shape[::-1] if place.transposed else shape

    def left_over(self) -> Sequence[str]:
        """Names under the prefix that no parameter asked for; none without a prefix."""
        if not self._prefix:
            return ()
        names = self._file.tensors
        return [n for n in names if n.startswith(self._prefix) and n not in self._used]


class FolderSource:
    """The files of one part of a diffusers folder.

    ``spellings``: a parameter's name -> the names it may have in the files, best first.
    ``needless``: matches what such files may hold beside the parameters.
    """

    def __init__(
        self,
        files: Iterable[WeightsReader],
        spellings: Callable[[str], Sequence[str]],
        needless: re.Pattern[str],
    ) -> None:
        self._where = {name: file for file in files for name in file.tensors}
        self._spellings, self._needless = spellings, needless
        self._used: set[str] = set()

    def read(self, name: str) -> torch.Tensor | None:
        """The tensor for parameter ``name``, under its own name or an older one."""
        stored = self._stored(name)
        if stored is None:
            return None
        self._used.add(stored)
        return self._where[stored].read(stored)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of what `read` would give; None when there is none."""
        stored = self._stored(name)
        return self._where[stored].tensors[stored].shape if stored else None

    def _stored(self, name: str) -> str | None:
        return next((each for each in self._spellings(name) if each in self._where), None)

    def left_over(self) -> Sequence[str]:
        """Names in the files that no parameter asked for and that mean something."""
        return [n for n in self._where if n not in self._used and not self._needless.search(n)]


@dataclass(frozen=True)
class Format:
    """How the parameters of one network are kept: where, in which numbers, in which order."""

    device: torch.device
    dtype: torch.dtype
    memory_format: torch.memory_format = torch.contiguous_format

    @classmethod
    def of(cls, part: str, placement: Placement) -> Format:
        """A text encoder stays in fp32 on a CPU: it runs once."""
        if not part.startswith("text"):
            return cls(placement.device, placement.dtype, placement.memory_format)
        cpu = placement.device.type == "cpu"
        return cls(placement.device, torch.float32 if cpu else placement.dtype)

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor as it is kept; no copy when it is so already."""
        if tensor.dim() == 4:
            return tensor.to(self.device, self.dtype, memory_format=self.memory_format)
        return tensor.to(self.device, self.dtype, memory_format=torch.contiguous_format)


def fill(module: Any, source: Source, part: str, model: str, format_: Format) -> Any:
    """The module with its weights in place, frozen and in evaluation mode.

    Raises ModelError naming the first weights that are missing, left over or of a wrong shape.
    """
    weights: dict[str, torch.Tensor] = {}
    missing: list[str] = []
    for name, expected in module.state_dict().items():
        tensor = source.read(name)
        if tensor is None:
            missing.append(name)
            continue
        fitting = shaped(tensor, tuple(expected.shape))
        if fitting is None:
            raise ModelError(
                say(
                    "The model “{model}” cannot be loaded: {weight} of its {part} has the "
                    "shape {shape}, where {expected} is needed.",
                    model=model,
                    weight=name,
                    part=part,
                    shape=shape_words(tensor.shape),
                    expected=shape_words(expected.shape),
                )
            )
        weights[name] = format_.place(fitting)
    if len(missing) == 1:
        raise ModelError(
            say(
                "The model “{model}” cannot be loaded: {weight} of its {part} is missing.",
                model=model, weight=missing[0], part=part,
            )
        )  # fmt: skip
    if missing:
        raise ModelError(
            say(
                "The model “{model}” cannot be loaded: {weights} of its {part} are missing.",
                model=model, weights=_named(missing), part=part,
            )
        )  # fmt: skip
    if extra := source.left_over():
        raise ModelError(
            say(
                "The model “{model}” cannot be loaded: its {part} has weights that this studio "
                "does not know: {weights}.",
                model=model, part=part, weights=_named(extra),
            )
        )  # fmt: skip
    module.load_state_dict(weights, strict=True, assign=True)
    for name, buffer in module.named_buffers():  # what no file carries, such as position numbers
        owner, _, last = name.rpartition(".")
        setattr(module.get_submodule(owner), last, buffer.to(format_.device))
    return module.eval().requires_grad_(False)


def shaped(tensor: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor | None:
    """The tensor in the wanted shape; None when it has another one."""
    return tensor.reshape(shape) if same_shape(tuple(tensor.shape), shape) else None


def same_shape(have: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether two shapes mean the same: a 1 × 1 convolution and a matrix do."""
    return have == wanted or (len(have) != len(wanted) and _squeezed(have) == _squeezed(wanted))


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def shape_words(shape: Sequence[int]) -> str:
    """A shape as people write it: 320 × 4 × 3 × 3."""
    return " × ".join(str(side) for side in shape)


def _named(names: Sequence[str]) -> Sentence:
    more = len(names) - NAMED
    if more <= 0:
        return say("{names}", names=tuple(names))
    return say("{names} and {n} more", names=tuple(names[:NAMED]), n=more)
