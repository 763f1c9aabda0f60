"""Pocket's tokenizer: CLIP's byte-level BPE, learnt from pocket's own captions in two languages."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import NFC, Lowercase
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTokenizer

from studio.pocket.architecture import MAX_TOKENS
from studio.pocket.data import scene_at
from studio.pocket.world import caption

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def caption_corpus(count: int, seed: int) -> Iterator[str]:
    """Yield captions of `count` scenes, each once in English and once in Chinese."""
    rng = random.Random(seed)
    for index in range(count):
        scene = scene_at(seed, index)
        yield caption(scene, "en", rng)
        yield caption(scene, "zh", rng)


def _han_merges(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Merges that make one token of each Han character in the texts, inside and ending a word.

    Plain BPE would swallow whole Chinese phrases, since they are written without spaces.
    """
    letters = bytes_to_letters()
    characters = sorted({char for text in texts for char in text if "\u4e00" <= char <= "\u9fff"})
    merges: dict[tuple[str, str], None] = {}
    for char in characters:
        first, second, third = (letters[byte] for byte in char.encode())
        for pair in ((first, second), (first + second, third), (first + second, third + WORD_END)):
            merges[pair] = None
    return list(merges)


def bytes_to_letters() -> dict[int, str]:
    """Return the printable letter that byte-level BPE writes for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {
        byte: chr(256 + k) for k, byte in enumerate(others)
    }


def train_tokenizer(texts: Sequence[str], vocab_size: int = 2048) -> CLIPTokenizer:
    """Learn merges from the texts and return a tokenizer of at most `vocab_size` ids.

    Ids in CLIP's order: 256 bytes, 256 bytes ending a word, merges, begin, end (the last id).
    Texts are lowercased; Chinese is read character by character, any other script byte by byte;
    padding is the end token.
    """
    letters = list(bytes_to_letters().values())
    han = _han_merges(texts)
    bare = Tokenizer(BPE(end_of_word_suffix=WORD_END, unk_token=END))
    bare.normalizer = Normalizers([NFC(), Lowercase()])
    bare.pre_tokenizer = PreTokenizers(
        [
            Split(Regex("[a-z]+"), behavior="removed", invert=True),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = BpeTrainer(
        vocab_size=vocab_size - 256 - 2 - len(han),
        initial_alphabet=letters,
        end_of_word_suffix=WORD_END,
        show_progress=False,
    )
    bare.train_from_iterator(texts, trainer)
    latin = [tuple(merge) for merge in json.loads(bare.to_str())["model"]["merges"]]
    merges = [*latin, *han]
    tokens = [*letters, *(letter + WORD_END for letter in letters)]
    tokens += [first + second for first, second in merges]
    tokens = [*dict.fromkeys(tokens), BEGIN, END]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=merges,
        model_max_length=MAX_TOKENS,
    )


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load a tokenizer saved by `save_pretrained`, from disk only."""
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer


def tokenize(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> torch.Tensor:
    """Return ids (B, 77) int64, padded with the end token and cut."""
    batch: Any = tokenizer(
        list(texts),
        padding="max_length",
        max_length=MAX_TOKENS,
        truncation=True,
        return_tensors="pt",
    )
    ids: torch.Tensor = batch.input_ids
    return ids
