"""CLIP's tokens for files that bring no vocabulary."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from studio.errors import ModelError
from studio.models.clip_tokens import BEGIN, END, clip_tokens, folder_tokens
from tests.tiny import tiny_tokenizer


def test_known_words_have_their_known_numbers(tmp_path: Path) -> None:
    """As published for "a photo of a cat" in CLIP's own tests of ViT-L/14."""
    tokens = clip_tokens("m", tmp_path / "m.safetensors")
    assert tokens.read("a photo of a cat") == [320, 1125, 539, 320, 2368]
    assert tokens.read("A  Photo\nof a CAT") == [320, 1125, 539, 320, 2368]
    assert (tokens.bos, tokens.eos, tokens.length) == (BEGIN, END, 75)


def test_the_marks_are_known_within_a_text(tmp_path: Path) -> None:
    tokens = clip_tokens("m", tmp_path / "m.safetensors")
    assert tokens.read("a<|endoftext|> cat<|startoftext|>") == [320, END, 2368, BEGIN]
    assert tokens.read("") == []


def test_prompts_are_filled_up_as_the_encoder_was_taught(tmp_path: Path) -> None:
    tokens = clip_tokens("m", tmp_path / "m.safetensors")
    (row,) = tokens.rows([[320]])
    assert row == [BEGIN, 320, END, *[END] * 74]
    (row,) = tokens.padded_with(0).rows([[320]])
    assert row == [BEGIN, 320, END, *[0] * 74]
    assert tokens.rows([list(range(75))])[0][-1] == END


def test_without_the_package_it_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "instant_clip_tokenizer", None)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    tiny_tokenizer().save_pretrained(tmp_path / "other/tokenizer")  # not CLIP's
    file = tmp_path / "checkpoints/m.safetensors"
    with pytest.raises(ModelError, match=r"“m” needs CLIP's vocabulary.*instant-clip-tokenizer"):
        clip_tokens("m", file)


def test_without_the_package_a_folder_near_by_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "instant_clip_tokenizer", None)
    monkeypatch.setattr("studio.models.clip_tokens.VOCABULARY", len(tiny_tokenizer()))
    monkeypatch.setattr("studio.models.clip_tokens.BEGIN", len(tiny_tokenizer()) - 2)
    monkeypatch.setattr("studio.models.clip_tokens.END", len(tiny_tokenizer()) - 1)
    tiny_tokenizer().save_pretrained(tmp_path / "models/one/tokenizer")
    found = clip_tokens("m", tmp_path / "models/checkpoints/m.safetensors")
    assert found.read("a red boat") == folder_tokens(tmp_path / "models/one/tokenizer").read(
        "a red boat"
    )


def test_a_tokenizers_own_filling_is_kept(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = "!"
    tokenizer.save_pretrained(tmp_path)
    assert folder_tokens(tmp_path).pad == tokenizer.get_vocab()["!"] == 0
