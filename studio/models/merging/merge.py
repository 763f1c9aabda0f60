"""One merge from its order to a model on the disk: memory is needed for one weight at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import torch

from studio.errors import ModelError, StorageError
from studio.models.addons.lora_file import LoraReader
from studio.models.addons.vae import read_vae
from studio.models.architectures import ARCHITECTURES, Architecture
from studio.models.base import ModelInfo
from studio.models.merging.baking import BakedLoras, OpenLora, refusal
from studio.models.merging.ingredient import Ingredient, check_alike, opened, reason_of
from studio.models.merging.layouts import File, copy_companions, files_of
from studio.models.merging.mixture import Mixture
from studio.models.merging.names import HIDDEN, SUFFIX
from studio.models.merging.order import Order
from studio.models.sizes import size_words
from studio.models.weights_writer import write_pieces
from studio.sentences import say
from studio.storage import storage_errors, sync_folder

_KEPT_FREE = 256 * 2**20  # bytes that a merge leaves on the disk

Progress = Callable[[int, int], None]
"""Hears how many bytes of how many are written; what it raises ends the merge."""


def merge(
    order: Order,
    folder: Path,
    progress: Progress,
    architectures: Mapping[str, Architecture] = ARCHITECTURES,
) -> Path:
    """Where the merged model is: below ``folder``, a file or a diffusers folder as the first model.

    It is there whole or not at all. Raises ModelError and StorageError with a sentence.
    """
    with _mixture(order, architectures[order.models[0].family]) as mixture:
        files = files_of(mixture)
        name = order.recipe.name
        one = mixture.first.file is not None
        goal = folder / (f"{name}{SUFFIX}" if one else name)
        with _growing(folder, goal) as room:
            _check_space(folder, sum(file.size for file in files))
            if not one:
                copy_companions(order.models[0].path, room)
            _write(files, room, order.metadata, progress)
    return goal


@contextmanager
def _mixture(order: Order, family: Architecture) -> Iterator[Mixture]:
    """Everything opened and found to go together."""
    with ExitStack() as stack:
        ingredients = [stack.enter_context(opened(info, family)) for info in order.models]
        for ingredient in ingredients:
            check_alike(ingredients[0], ingredient)
        loras = [
            OpenLora(info.name, stack.enter_context(_lora(info)), baked.weight)
            for info, baked in zip(order.loras, order.recipe.loras, strict=True)
        ]
        first = ingredients[0]
        yield Mixture(
            ingredients,
            order.recipe.coefficients,
            getattr(torch, order.recipe.dtype),
            BakedLoras(loras, first.parts),
            _vae(order.vae, first) if order.vae else None,
        )


def _lora(info: ModelInfo) -> LoraReader:
    try:
        return LoraReader(info.path)
    except ModelError as error:
        raise refusal(info.name, error.sentence) from error


def _vae(info: ModelInfo, first: Ingredient) -> Mapping[str, torch.Tensor]:
    try:
        return read_vae(info, first.parts["vae"])
    except (ModelError, ValueError, KeyError, RuntimeError) as error:
        reason = error.sentence if isinstance(error, ModelError) else reason_of(error)
        raise ModelError(
            say("The VAE “{vae}” cannot be baked in: {reason}.", vae=info.name, reason=reason)
        ) from error


@contextmanager
def _growing(folder: Path, goal: Path) -> Iterator[Path]:
    """A hidden place of its own for what becomes ``goal`` at the end, in one step."""
    room = folder / HIDDEN / goal.name
    with storage_errors(folder):
        shutil.rmtree(room, ignore_errors=True)
        room.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield room
            if goal.exists():
                what = say("There is a model called “{name}” already: choose another name.",
                           name=goal.name)  # fmt: skip
                raise StorageError(what)
            room.rename(goal)
            sync_folder(folder)
        finally:
            _remove(room)


def _remove(room: Path) -> None:
    shutil.rmtree(room, ignore_errors=True)
    with suppress(OSError):
        room.unlink()
    with suppress(OSError):
        room.parent.rmdir()


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _KEPT_FREE:
        raise StorageError(
            say(
                "The merge takes {needed}, but the disk of {folder} has {free} free: make room, "
                "then merge again.",
                needed=size_words(needed), folder=folder, free=size_words(free),
            )
        )  # fmt: skip


def _write(
    files: Sequence[File], room: Path, metadata: Mapping[str, str], progress: Progress
) -> None:
    total, done = sum(file.size for file in files), 0

    def came(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    progress(0, total)
    for file in files:
        write_pieces(room / file.path if file.path else room, file.pieces, metadata, came)
    progress(total, total)  # until now, when all is on the disk, it can be stopped
