"""A translator of the real make, tiny, that has learnt four sentences by heart."""

from __future__ import annotations

import json
import shutil
import warnings
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CHINESE = ["一只红色的猫", "夜晚的城市", "蓝色的城堡在海边", "日落时分的帆船"]
STEPS = 150
ENGLISH = ["a red cat", "the city at night", "a blue castle by the sea", "a sailboat at sunset"]


def save_tiny_translator(folder: Path) -> Path:
    """A folder as the hub has opus-mt-zh-en, with a network of one layer."""
    shutil.copytree(_made().name, folder, copy_function=shutil.copyfile)
    return folder


@cache
def _made() -> TemporaryDirectory[str]:
    """The same folder for all who want it; making it takes seconds."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    made = TemporaryDirectory(prefix="tiny-translator-")
    folder = Path(made.name)
    pieces = ["</s>", "<unk>"]
    for side, lines in (("source", CHINESE), ("target", ENGLISH)):
        pieces += [piece for piece in _vocabulary(folder, side, lines) if piece not in pieces]
    pieces.append("<pad>")
    numbers = {piece: number for number, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(numbers))
    languages = {"source_lang": "zho", "target_lang": "eng"}
    (folder / "tokenizer_config.json").write_text(json.dumps(languages))
    pad = len(pieces) - 1
    config = MarianConfig(
        vocab_size=len(pieces), d_model=32, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, max_position_embeddings=512, dropout=0.0, pad_token_id=pad,
        eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    network: Any = MarianMTModel(config)
    _learn(network, folder)
    network.save_pretrained(folder)
    return made


def _learn(network: Any, folder: Path) -> None:
    """Until it knows the sentences by heart."""
    import torch
    from transformers import MarianTokenizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer: Any = MarianTokenizer.from_pretrained(folder, local_files_only=True)
    lesson = tokenizer(CHINESE, text_target=ENGLISH, return_tensors="pt", padding=True)
    lesson["labels"][lesson["labels"] == tokenizer.pad_token_id] = -100
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        network(**lesson).loss.backward()
        optimizer.step()


def _vocabulary(folder: Path, side: str, lines: list[str]) -> list[str]:
    """Trains a real SentencePiece model on a few sentences; its pieces."""
    import sentencepiece

    where = folder / side
    trainer: Any = sentencepiece.SentencePieceTrainer
    trainer.train(
        sentence_iterator=iter(lines * 5), model_prefix=str(where), vocab_size=40,
        hard_vocab_limit=False, character_coverage=1.0, minloglevel=2,
    )  # fmt: skip
    where.with_suffix(".vocab").unlink()
    model = where.with_suffix(".model").rename(where.with_suffix(".spm"))
    reader: Any = sentencepiece.SentencePieceProcessor(model_file=str(model))
    size = range(reader.get_piece_size())
    return [reader.id_to_piece(number) for number in size if not reader.is_control(number)]
