"""The translating network: a Marian model of the OPUS-MT project, run with transformers.

Source: Junczys-Dowmunt et al. 2018, arXiv:1804.00344; Tiedemann & Thottingal 2020 (OPUS-MT).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from studio.errors import ModelError
from studio.sentences import say

LONGEST = 160
"""Tokens of one clause that are read, and written, at most."""
TOGETHER = 16


class Marian:
    """A translator on the CPU. For one thread. Raises ModelError when its files cannot be read."""

    def __init__(self, folder: Path, name: str) -> None:
        from transformers import MarianMTModel, MarianTokenizer

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it does without a punctuation normaliser
                self._tokenizer: Any = MarianTokenizer.from_pretrained(
                    folder, local_files_only=True
                )
            network: Any = MarianMTModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise ModelError(
                say("The translator “{name}” cannot be loaded: {reason}", name=name, reason=reason)
            ) from error
        self._network = network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, clauses: Sequence[str]) -> list[str]:
        """Each clause in the other language, in the same order."""
        english: list[str] = []
        for start in range(0, len(clauses), TOGETHER):
            given = self._tokenizer(
                list(clauses[start : start + TOGETHER]),
                return_tensors="pt", padding=True, truncation=True, max_length=LONGEST,
            )  # fmt: skip
            written = self._network.generate(**given, max_new_tokens=LONGEST, max_length=None)
            english += self._tokenizer.batch_decode(written, skip_special_tokens=True)
        return english
