"""A run of the loop goes on as several: its scheduler and generators, as they are, for each."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch


def forked_scheduler(scheduler: Any, shape: Sequence[int]) -> Any:
    """The scheduler with all that it remembers of one picture repeated for a batch.

    Multistep solvers keep outputs and samples of earlier calls. ``shape``: (B, C, h, w).
    """
    other = copy.copy(scheduler)
    for name, value in vars(scheduler).items():
        if name not in ("config", "_internal_dict"):
            setattr(other, name, _repeated(value, tuple(shape)))
    return other


def _repeated(value: Any, shape: tuple[int, ...]) -> Any:
    """A copy, in which latents of one picture, (1, C, h, w), are repeated for ``shape``."""
    if isinstance(value, torch.Tensor):
        one = (1, *shape[1:])
        return value.expand(shape).clone() if tuple(value.shape) == one else value.clone()
    if isinstance(value, list | tuple):
        return type(value)(_repeated(each, shape) for each in value)
    if hasattr(value, "__dataclass_fields__"):
        other = copy.copy(value)
        for name in value.__dataclass_fields__:
            object.__setattr__(other, name, _repeated(getattr(value, name), shape))
        return other
    return copy.copy(value)


def forked_generators(generator: torch.Generator, count: int) -> list[torch.Generator]:
    """Generators that will all draw what this one would have drawn next."""
    made = [torch.Generator("cpu") for _ in range(count)]
    for each in made:
        each.set_state(generator.get_state())
    return made
