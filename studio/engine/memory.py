"""Running out of memory: recognised on every device, and said with its numbers."""

from __future__ import annotations

import torch

from studio.errors import OutOfMemory
from studio.models.base import LoadedModel
from studio.models.plan import Work
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.sentences import say

# What PyTorch's CPU and MPS allocators say; only CUDA's raises a class of its own.
PHRASES = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device's or the host's memory is full."""
    if isinstance(error, OutOfMemory):
        return False  # said already
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        phrase in str(error).lower() for phrase in PHRASES
    )


def acquire(store: ModelStore, name: str, work: Work | None = None) -> LoadedModel:
    """The model called ``name``; alone and part by part if it does not fit otherwise.

    Raises OutOfMemory with the numbers, InvalidRequest, ModelError.
    """
    for squeeze in (False, True):
        try:
            return store.acquire(name, work, squeeze)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        store.release()  # out here, for the error's traceback holds what must be freed
    raise model_does_not_fit(name, store)


def does_not_fit(request: GenerationRequest, together: int, store: ModelStore) -> OutOfMemory:
    """The error to raise for a batch of ``together`` pictures that does not fit."""
    size = f"{request.width} × {request.height}"
    if together == 1:
        return OutOfMemory(
            say(
                "A picture of {size} did not fit into the memory of {device}; try a smaller one.",
                size=size, device=_device(store),
            )
        )  # fmt: skip
    return OutOfMemory(
        say(
            "{count} pictures of {size} at once did not fit into the memory of {device}; "
            "try a smaller batch or size.",
            count=together, size=size, device=_device(store),
        )
    )  # fmt: skip


def model_does_not_fit(name: str, store: ModelStore) -> OutOfMemory:
    """The error to raise for a model that does not fit."""
    return OutOfMemory(
        say(
            "The model “{name}” did not fit into the memory of {device}; try a smaller model.",
            name=name, device=_device(store),
        )
    )  # fmt: skip


def _device(store: ModelStore) -> str:
    """The device with its memory, as far as that is known."""
    memory, label = store.memory(), store.device_label
    if memory.total is None:
        return label
    if memory.free is None:
        return say("{device} ({total})", device=label, total=_gib(memory.total))
    return say(
        "{device} ({total}, {free} free)",
        device=label, total=_gib(memory.total), free=_gib(memory.free),
    )  # fmt: skip


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
