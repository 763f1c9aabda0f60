"""Text to CLIP's token ids: by a model's own tokenizer, or by CLIP's, from a package or a folder.

A file of the original layout has no vocabulary in it. It comes from the small package
instant-clip-tokenizer; where that cannot be installed, from a diffusers folder near the file or in
the hub's cache on this machine. Nothing is fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from studio.errors import ModelError
from studio.sentences import say

BEGIN, END = 49406, 49407
VOCABULARY = 49408
_MARKS = re.compile(r"(<\|startoftext\|>|<\|endoftext\|>)", re.IGNORECASE)
_LEVELS = 4  # so many folders above a file are searched for another model's tokenizer


class _Reader(Protocol):
    def __call__(self, text: str) -> list[int]:
        """The ids of a text, without marks."""


@dataclass(frozen=True)
class ClipTokens:
    """A tokenizer as the text encoders need it: ids, the two marks, and what fills a prompt up.

    ``length``: how many ids one pass takes, without the marks. ``size``: how many there are in all.
    """

    read: _Reader
    bos: int
    eos: int
    pad: int
    length: int
    size: int

    def rows(self, chunks: list[list[int]]) -> list[list[int]]:
        """Each chunk between its marks, filled up to ``length`` + 2."""
        return [
            [self.bos, *chunk, self.eos, *[self.pad] * (self.length - len(chunk))]
            for chunk in chunks
        ]

    def padded_with(self, pad: int | None) -> ClipTokens:
        """The same, filling up with ``pad``; with the end mark for None."""
        return replace(self, pad=self.eos if pad is None else pad)


def folder_tokens(folder: Path) -> ClipTokens:
    """The tokenizer in a folder of diffusers' format. Raises OSError, ValueError."""
    from transformers import CLIPTokenizer

    tokenizer: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)

    def read(text: str) -> list[int]:
        return [int(i) for i in tokenizer(text, add_special_tokens=False, verbose=False).input_ids]

    bos, eos, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    length = min(int(tokenizer.model_max_length), 77) - 2
    return ClipTokens(read, bos, eos, eos if pad is None else pad, length, len(tokenizer))


def clip_tokens(name: str, near: Path) -> ClipTokens:
    """CLIP's own vocabulary for the model ``name``, whose weights lie at ``near``.

    Raises ModelError in one sentence when there is none on this machine.
    """
    try:
        from instant_clip_tokenizer import Tokenizer
    except ImportError:
        return _from_a_folder(name, near)
    return ClipTokens(_with_marks(Tokenizer()), BEGIN, END, END, 75, VOCABULARY)


def _with_marks(tokenizer: Any) -> _Reader:
    """The package reads the marks as ordinary letters; CLIP's tokenizer knows them in a text."""

    def read(text: str) -> list[int]:
        ids: list[int] = []
        for piece in _MARKS.split(text):
            if _MARKS.fullmatch(piece):
                ids.append(BEGIN if "start" in piece.lower() else END)
            else:
                ids.extend(int(token) for token in tokenizer.encode(piece))
        return ids

    return read


def _from_a_folder(name: str, near: Path) -> ClipTokens:
    for folder in _tokenizer_folders(near):
        try:
            tokens = folder_tokens(folder)
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if tokens.size == VOCABULARY and (tokens.bos, tokens.eos) == (BEGIN, END):
            return tokens.padded_with(None)
    raise ModelError(
        say(
            "The model “{name}” needs CLIP's vocabulary, and there is none here: install the "
            "package instant-clip-tokenizer (Python 3.11 or 3.12), or put any Stable Diffusion in "
            "diffusers' format beside it.",
            name=name,
        )
    )


def _tokenizer_folders(near: Path) -> Iterator[Path]:
    """Tokenizers in the folders above ``near``, two levels down each, and in the hub's cache."""
    for above in list(near.parents)[:_LEVELS]:
        yield from sorted(above.glob("*/tokenizer"))
        yield from sorted(above.glob("*/*/tokenizer"))
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache/huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    yield from sorted(cache.glob("models--*/snapshots/*/tokenizer"))
