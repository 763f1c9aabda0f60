"""Pictures to learn from: scenes drawn once, by worker processes, into one memory-mapped file."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from studio.pocket.world import Language, Scene, caption, render, sample_scene

CHUNK = 250
HELD_OUT = 1_000_000_000


def scene_at(seed: int, index: int) -> Scene:
    """Scene number `index` of the endless, seeded sequence `seed`.

    Indices from `HELD_OUT` on are never trained on.
    """
    return sample_scene(random.Random(f"pocket {seed} {index}"))


def draw_caption(scene: Scene, rng: random.Random) -> str:
    """Word the scene anew, in English or Chinese with equal chance."""
    language: Language = "en" if rng.random() < 0.5 else "zh"
    return caption(scene, language, rng)


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
        chunks = [np.arange(c * CHUNK, min((c + 1) * CHUNK, self.count)) for c in self.drawn()]
        return np.sort(np.concatenate(chunks)) if chunks else np.zeros(0, np.int64)

    def draw(self, workers: int | None = None) -> Iterator[int]:
        """Draw what is missing, yielding the number of pictures there are after each chunk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            wanted = self.count * self.size * self.size * 3
            if file.tell() < wanted:
                file.truncate(wanted)
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


def to_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Turn uint8 (B, H, W, 3) into float (B, 3, H, W) in [-1, 1], channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pictures(images: torch.Tensor) -> NDArray[np.uint8]:
    """Turn float (B, 3, H, W) in [-1, 1] into uint8 (B, H, W, 3)."""
    scaled = (images.detach().float().clamp(-1, 1) + 1) * 127.5
    array: NDArray[np.uint8] = scaled.round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return array
