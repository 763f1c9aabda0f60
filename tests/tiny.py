"""A real Stable Diffusion pipeline at tiny size, saved as diffusers saves any other."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tokenizers import pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WORDS = ["a", "red", "blue", "boat", "house", "sea", "at", "night", "the", "on"]


def tiny_tokenizer() -> CLIPTokenizer:
    """Bytes, bytes at a word's end, whole words for WORDS, then the two marks."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        left = word[0]
        for position, letter in enumerate(word[1:], 1):
            right = f"{letter}</w>" if position == len(word) - 1 else letter
            if (left, right) not in merges:
                merges.append((left, right))
            if left + right not in tokens:
                tokens.append(left + right)
            left += right
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def tiny_pipeline(
    scheduler: dict[str, Any] | None = None, seed: int = 0
) -> StableDiffusionPipeline:
    """An untrained pipeline that paints 64 × 64 in milliseconds; the same weights for a seed."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
            vocab_size=len(tokenizer), bos_token_id=len(tokenizer) - 2,
            eos_token_id=len(tokenizer) - 1, pad_token_id=len(tokenizer) - 1,
        )
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, layers_per_block=1, block_out_channels=(32, 64), norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32, attention_head_dim=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(16, 16, 32, 32), layers_per_block=1, norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    config = {
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
        "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1,
    }  # fmt: skip
    return StableDiffusionPipeline(
        vae=vae.eval(), text_encoder=text_encoder.eval(), tokenizer=tokenizer, unet=unet.eval(),
        scheduler=DDIMScheduler(**{**config, **(scheduler or {})}), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def save_tiny_model(folder: Path, scheduler: dict[str, Any] | None = None, seed: int = 0) -> Path:
    """The tiny pipeline in a folder, with a card that gives it defaults of its size."""
    made = _made(json.dumps(scheduler or {}), seed)
    shutil.copytree(made.name, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
    return folder


@cache
def _made(scheduler: str, seed: int) -> TemporaryDirectory[str]:
    """The same folder for all who want it; making one takes half a second, copying it nothing."""
    made = TemporaryDirectory(prefix="tiny-model-")
    tiny_pipeline(json.loads(scheduler), seed).save_pretrained(made.name)
    card = {"defaults": {"width": 64, "height": 64, "num_inference_steps": 4}, "known_words": True}
    (Path(made.name) / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return made
