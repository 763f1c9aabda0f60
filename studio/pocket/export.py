"""Trained stages -> a folder that diffusers and transformers load."""

from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

from studio.pocket.architecture import VAE_SCALE_FACTOR, make_scheduler
from studio.pocket.clip import ContrastivePair
from studio.pocket.fewsteps import export_few_steps
from studio.pocket.loop import Progress
from studio.pocket.parts import load_autoencoder, load_pair, load_unet
from studio.pocket.tokenizer import load_tokenizer

LIMIT_BYTES = 32 * 2**20


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
        tokenizer=load_tokenizer(folder / "tokenizer"),
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    progress = {"autoencoder": seen_autoencoder, "clip": seen_pair, "diffusion": seen_unet}
    return pipeline, pair, progress


def export(folder: Path, target: Path) -> tuple[int, dict[str, Progress]]:
    """Write the folder's model to `target` in fp16, return its native size and its progress.

    Beside the pipeline's parts: `image_encoder/`, and `text_projection.safetensors` with
    `text_projection.weight` (128, 192) and `logit_scale` (log of the temperature's inverse), and
    the few-step LoRA if it is trained.

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
    progress |= export_few_steps(folder, target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    if size > LIMIT_BYTES:
        raise ValueError(f"{target} has {size} bytes, more than {LIMIT_BYTES}")
    return pipeline.unet.config.sample_size * VAE_SCALE_FACTOR, progress
