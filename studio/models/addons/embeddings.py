"""Textual inversion: names in a prompt that stand for learnt vectors instead of words.

Source: Gal et al. 2022, arXiv:2208.01618. The tokenizer and its vocabulary are left alone: a
vector is a negative token id, -1 for the first, and while a job lasts the text encoder looks
those up beside its own. (Ids above the vocabulary would move the place from which CLIP takes its
pooled output: the highest id of the text.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

from studio.errors import ModelError
from studio.models.addons.layers import replaced
from studio.models.addons.reading import read_tensors
from studio.models.base import LoadedModel, ModelInfo
from studio.sentences import say

ENCODERS: Mapping[str, str] = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}


@dataclass(frozen=True)
class Embedding:
    """What one name stands for: text encoder -> vectors (n, D), n the same for all."""

    info: ModelInfo
    vectors: Mapping[str, torch.Tensor]

    def __len__(self) -> int:
        """How many tokens it takes up."""
        return len(next(iter(self.vectors.values())))


def pattern_of(names: Sequence[str]) -> re.Pattern[str]:
    """Finds the names as whole words, the longest first, in small or capital letters."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(
        rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE
    )


def read_embedding(info: ModelInfo, model: LoadedModel) -> Embedding:
    """The vectors of a file, for the text encoders of ``model``.

    Takes A1111's ``emb_params``, diffusers' one tensor under the token's name, and SDXL's
    ``clip_l`` and ``clip_g``. Raises ModelError when they do not fit the model.
    """
    tensors, _ = read_tensors(info.path)
    encoders = [name for name in ENCODERS if name in model.parts]
    if len(encoders) > 1 or set(tensors) & set(ENCODERS.values()):
        given = {name: tensors.get(ENCODERS[name]) for name in encoders}
    else:
        given = {encoders[0]: next(iter(tensors.values())) if len(tensors) == 1 else None}
    vectors: dict[str, torch.Tensor] = {}
    for name, tensor in given.items():
        width = _words_of(model.parts[name]).weight.shape[1]
        if tensor is None or tensor.dim() > 2 or tensor.shape[-1] != width or not len(tensor):
            raise ModelError(
                say(
                    "The embedding “{name}” is made for another kind of model than "
                    "“{model}”: use one that was trained for it.",
                    name=info.name,
                    model=model.info.name,
                )
            )
        vectors[name] = tensor.reshape(-1, width).float()
    if len({len(each) for each in vectors.values()}) != 1:
        raise ModelError(
            say("The embedding “{name}” is damaged: its two parts do not match.", name=info.name)
        )
    return Embedding(info, vectors)


class Vocabulary:
    """A model's own tokens, and the embeddings of one job."""

    def __init__(self, model: LoadedModel, embeddings: Mapping[str, Embedding]) -> None:
        self._model = model
        self._embeddings = embeddings
        self._ids: dict[str, list[int]] = {}
        taken = 0
        for name, embedding in embeddings.items():
            self._ids[name.casefold()] = [-1 - taken - row for row in range(len(embedding))]
            taken += len(embedding)
        self._pattern = pattern_of(list(embeddings)) if embeddings else None

    def tokenize(self, text: str) -> list[int]:
        """The ids of ``text``; each embedding's name in it gives its ids, which are negative."""
        if self._pattern is None:
            return self._model.tokenize(text)
        ids: list[int] = []
        at = 0
        for match in self._pattern.finditer(text):
            ids += self._model.tokenize(text[at : match.start()])
            ids += self._ids[match[0].casefold()]
            at = match.end()
        return ids + self._model.tokenize(text[at:])

    @contextmanager
    def known(self) -> Iterator[None]:
        """The text encoders know the negative ids until the end of the block."""
        with ExitStack() as stack:
            for part in ENCODERS if self._embeddings else ():
                if part in self._model.parts:
                    module = self._model.parts[part]
                    words = _words_of(module)
                    rows = [each.vectors[part] for each in self._embeddings.values()]
                    new = _Spliced(words, torch.cat(rows).to(words.weight))
                    stack.enter_context(replaced(module, {_path_of(module, words): new}))
            yield


class _Spliced(torch.nn.Module):
    """A text encoder's table of words, and more vectors for negative ids."""

    def __init__(self, words: torch.nn.Embedding, vectors: torch.Tensor) -> None:
        super().__init__()
        self.words = words
        self.register_buffer("vectors", vectors, persistent=False)

    @property
    def weight(self) -> torch.Tensor:
        """The words' own table."""
        return self.words.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors (B, T, D) of ids (B, T)."""
        vectors = self.get_buffer("vectors")
        own: torch.Tensor = self.words(ids.clamp(min=0))
        more = torch.nn.functional.embedding((-1 - ids).clamp(0, len(vectors) - 1), vectors)
        return torch.where((ids < 0)[..., None], more.to(own.dtype), own)


def _words_of(encoder: torch.nn.Module) -> torch.nn.Embedding:
    """The table of words: the embedding that is not the positions'."""
    table: Callable[[], torch.nn.Embedding] = encoder.get_input_embeddings  # type: ignore[assignment]
    return table()


def _path_of(part: torch.nn.Module, wanted: torch.nn.Module) -> str:
    paths: dict[int, str] = {id(module): path for path, module in part.named_modules()}
    return paths[id(wanted)]
