"""Trained stages -> a folder that diffusers and transformers load."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTokenizer

from studio.pocket.architecture import (
    NATIVE_SIZE,
    VAE_SCALE_FACTOR,
    make_autoencoder,
    make_scheduler,
    make_unet,
)
from studio.pocket.autoencoder import Autoencoding
from studio.pocket.clip import ContrastivePair
from studio.pocket.diffusion import stage_name
from studio.pocket.loop import Progress, checkpoint_path, load_averaged
from studio.pocket.tokenizer import load_tokenizer

LIMIT_BYTES = 32 * 2**20


def load_tokenizer_of(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer of the training folder."""
    return load_tokenizer(folder / "tokenizer")


def _load_if_there(folder: Path, name: str, module: nn.Module) -> Progress:
    if checkpoint_path(folder, name).exists():
        return load_averaged(folder, name, module)
    return Progress()


def load_autoencoder(folder: Path) -> tuple[AutoencoderKL, dict[str, Progress]]:
    """Load the averaged autoencoder, its scaling and later decoder training included."""
    learner = Autoencoding(make_autoencoder())
    progress = {name: _load_if_there(folder, name, learner) for name in ("autoencoder", "decoder")}
    scaling = folder / "scaling.json"
    if scaling.exists():
        factor = float(json.loads(scaling.read_text())["scaling_factor"])
        learner.autoencoder.register_to_config(scaling_factor=factor)
    return learner.autoencoder.eval(), progress


def load_pair(folder: Path) -> tuple[ContrastivePair, Progress]:
    """Load the averaged contrastive pair."""
    pair = ContrastivePair(len(load_tokenizer_of(folder)))
    progress = _load_if_there(folder, "clip", pair)
    return pair.eval(), progress


def load_unet(folder: Path) -> tuple[UNet2DConditionModel, dict[str, Progress]]:
    """Load the averaged denoiser of the largest size trained, and how far each size came."""
    sizes = (NATIVE_SIZE // 2, NATIVE_SIZE)
    trained = [size for size in sizes if checkpoint_path(folder, stage_name(size)).exists()]
    unet = make_unet(trained[-1] if trained else NATIVE_SIZE)
    seen = {stage_name(size): load_averaged(folder, stage_name(size), unet) for size in trained}
    return unet.eval(), seen


def assemble(folder: Path) -> tuple[StableDiffusionPipeline, ContrastivePair, dict[str, Progress]]:
    """Join what the training folder holds into a float32 pipeline and the pair for scoring.

    A stage that is not trained yet has random weights and zero samples.
    """
    torch.manual_seed(0)
    autoencoder, seen_autoencoder = load_autoencoder(folder)
    pair, seen_pair = load_pair(folder)
    unet, seen_unet = load_unet(folder)
    pipeline: Any = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=pair.text_encoder,
        tokenizer=load_tokenizer_of(folder),
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    progress = {**seen_autoencoder, "clip": seen_pair, **seen_unet}
    return pipeline, pair, progress


def export(folder: Path, target: Path) -> tuple[int, dict[str, Progress]]:
    """Write the folder's model to `target` in fp16, return its native size and its progress.

    Beside the pipeline's parts: `image_encoder/`, and `text_projection.safetensors` with
    `text_projection.weight` (128, 192) and `logit_scale` (log of the temperature's inverse).

    Raises:
        ValueError: the folder would be over 32 MiB.
    """
    pipeline, pair, progress = assemble(folder)
    pipeline.to(torch.float16)
    pair.half()
    pipeline.save_pretrained(target, safe_serialization=True)
    pair.image_encoder.save_pretrained(target / "image_encoder")
    scoring = {
        "text_projection.weight": pair.text_projection.weight.detach().contiguous(),
        "logit_scale": pair.logit_scale.detach(),
    }
    save_file(scoring, target / "text_projection.safetensors")
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    if size > LIMIT_BYTES:
        raise ValueError(f"{target} has {size} bytes, more than {LIMIT_BYTES}")
    return pipeline.unet.config.sample_size * VAE_SCALE_FACTOR, progress
