"""Pictures to learn from: scenes drawn once, by worker processes, into one memory-mapped file."""

import os
import random
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from studio.pocket.world import Scene, render, sample_scene

CHUNK = 250
HELD_OUT = 1_000_000_000
ENOUGH = 4000
_REFRESH_CALLS = 100


def scene_at(seed: int, index: int) -> Scene:
    """Scene number `index` of the endless, seeded sequence `seed`.

    Indices from `HELD_OUT` on are never trained on.
    """
    return sample_scene(random.Random(f"pocket {seed} {index}"))


@dataclass(frozen=True)
class Renders:
    """`count` pictures of the sequence `seed`, as uint8 (count, size, size, 3) in one file."""

    folder: Path
    count: int
    size: int = 256
    seed: int = 0

    @property
    def path(self) -> Path:
        """Where the pictures lie; chunks already drawn are listed beside it."""
        return self.folder / f"renders-{self.size}-{self.seed}.u8"

    def pictures(self, mode: str = "r") -> NDArray[np.uint8]:
        """Map the pictures into memory: uint8 (count, size, size, 3)."""
        shape = (self.count, self.size, self.size, 3)
        return np.memmap(self.path, dtype=np.uint8, mode=mode, shape=shape)  # type: ignore[call-overload, no-any-return]

    def scenes(self) -> list[Scene]:
        """Describe the pictures, in their order."""
        return [scene_at(self.seed, index) for index in range(self.count)]

    def drawn(self) -> set[int]:
        """Numbers of the chunks that are complete."""
        log = self.path.with_suffix(".done")
        return {int(line) for line in log.read_text().split()} if log.exists() else set()

    def available(self) -> NDArray[np.int64]:
        """Indices of the pictures that are drawn."""
        return self.indices_of(self.drawn())

    def indices_of(self, chunks: Iterable[int]) -> NDArray[np.int64]:
        """Indices of the pictures in these chunks, in order."""
        parts = [np.arange(c * CHUNK, min((c + 1) * CHUNK, self.count)) for c in sorted(chunks)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def make_room(self) -> None:
        """Make the file of full length, if it is not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            wanted = self.count * self.size * self.size * 3
            if file.tell() < wanted:
                file.truncate(wanted)

    def draw(self, workers: int | None = None) -> Iterator[int]:
        """Draw what is missing, yielding the number of pictures there are after each chunk."""
        self.make_room()
        done = self.drawn()
        todo = [chunk for chunk in range(-(-self.count // CHUNK)) if chunk not in done]
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            for chunk in pool.map(_draw_chunk, [self] * len(todo), todo):
                with self.path.with_suffix(".done").open("a") as log:
                    log.write(f"{chunk}\n")
                done.add(chunk)
                yield min(len(done) * CHUNK, self.count)


def _draw_chunk(renders: Renders, chunk: int) -> int:
    pictures = renders.pictures("r+")
    for index in range(chunk * CHUNK, min((chunk + 1) * CHUNK, renders.count)):
        pictures[index] = np.asarray(render(scene_at(renders.seed, index), renders.size))
    return chunk


class Resident:
    """The renders where they are learnt from; they may still be being drawn.

    On a GPU the pictures lie in its memory, 200 kB each; on a CPU the file stays mapped. Waits
    until there are enough to begin with.
    """

    def __init__(self, renders: Renders, device: torch.device) -> None:
        self.renders, self.device = renders, device
        renders.make_room()
        self._mapped = torch.from_numpy(renders.pictures("r+"))
        on_gpu = device.type != "cpu"
        self._held = torch.empty_like(self._mapped, device=device) if on_gpu else None
        self._chunks: set[int] = set()
        self._calls = 0
        while len(renders.available()) < min(renders.count, ENOUGH):
            time.sleep(0.5)
        self.refresh()

    @property
    def pictures(self) -> torch.Tensor:
        """All pictures, uint8 (count, size, size, 3); only those that `choose` names are drawn."""
        return self._mapped if self._held is None else self._held

    def refresh(self) -> None:
        """Take in what has been drawn meanwhile."""
        fresh = self.renders.drawn() - self._chunks
        if not fresh:
            return
        if self._held is not None:
            for chunk in fresh:
                part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
                self._held[part] = self._mapped[part].to(self.device)
        self._chunks |= fresh
        self._indices = torch.from_numpy(self.renders.indices_of(self._chunks)).to(self.device)

    def choose(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Draw the indices of `count` pictures: int64 (count,), on the device."""
        self._calls += 1
        if self._calls % _REFRESH_CALLS == 0:
            self.refresh()
        return drawn_from(self._indices, count, generator)


def drawn_from(indices: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """Draw `count` of the indices, with repetition."""
    picks = torch.randint(len(indices), (count,), generator=generator, device=indices.device)
    return indices[picks]


def to_images(pictures: torch.Tensor) -> torch.Tensor:
    """Turn uint8 (B, H, W, 3) into float (B, 3, H, W) in [-1, 1], channels last in memory."""
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Turn a uint8 array (B, H, W, 3) into float (B, 3, H, W) in [-1, 1]."""
    return to_images(torch.from_numpy(np.ascontiguousarray(pictures)))


def to_pictures(images: torch.Tensor) -> NDArray[np.uint8]:
    """Turn float (B, 3, H, W) in [-1, 1] into uint8 (B, H, W, 3)."""
    scaled = (images.detach().float().clamp(-1, 1) + 1) * 127.5
    array: NDArray[np.uint8] = scaled.round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return array
