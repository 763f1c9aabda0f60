"""Captions of the renders, worded and tokenised once: what the encoders and the denoiser read."""

import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import CLIPTokenizer

from studio.pocket.architecture import MAX_TOKENS
from studio.pocket.data import CHUNK, Renders, scene_at
from studio.pocket.tokenizer import load_tokenizer, tokenize
from studio.pocket.world import caption

WORDINGS: Final = 16
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True)
class Captions:
    """`WORDINGS` captions of every render, English and Chinese in turn, as token ids in one file.

    Worded beforehand, because a GPU reads captions faster than Python words them.
    """

    renders: Renders

    @property
    def tokenizer_folder(self) -> Path:
        """Where the training's tokenizer lies."""
        return self.renders.folder / "tokenizer"

    @property
    def path(self) -> Path:
        """Where the ids lie once all of them are written."""
        return self.renders.folder / f"captions-{self.renders.seed}.i16"

    def tokenizer(self) -> CLIPTokenizer:
        """Load the training's tokenizer."""
        return load_tokenizer(self.tokenizer_folder)

    def write(self, workers: int | None = None) -> None:
        """Word and tokenise the captions, unless it was done before."""
        if self.path.exists():
            return
        chunks = range(-(-self.renders.count // CHUNK))
        part = self.path.with_suffix(".part")
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool, part.open("wb") as file:
            for ids in pool.map(_word_chunk, [self] * len(chunks), chunks):
                file.write(ids.tobytes())
        part.replace(self.path)

    def ids(self, device: torch.device) -> torch.Tensor:
        """Return all ids on the device: int16 (count, WORDINGS, 77), padded with the end token."""
        shape = (self.renders.count, WORDINGS, MAX_TOKENS)
        return torch.from_numpy(np.fromfile(self.path, np.int16).reshape(shape)).to(device)


def _word_chunk(captions: Captions, chunk: int) -> NDArray[np.int16]:
    renders = captions.renders
    texts = []
    for index in range(chunk * CHUNK, min((chunk + 1) * CHUNK, renders.count)):
        rng, scene = random.Random(f"words {renders.seed} {index}"), scene_at(renders.seed, index)
        texts += [caption(scene, "zh" if k % 2 else "en", rng) for k in range(WORDINGS)]
    return tokenize(captions.tokenizer(), texts).numpy().astype(np.int16)


def shortened(ids: torch.Tensor) -> torch.Tensor:
    """Cut ids (B, 77) behind the longest text's end token, to a length that 8 divides, as int64.

    The text tower is causal and pools at the first end token, so nothing is lost.
    """
    end = ids[0, -1]
    longest = int((ids != end).sum(1).max()) + 1
    return ids[:, : min(MAX_TOKENS, -(-longest // 8) * 8)].long()
