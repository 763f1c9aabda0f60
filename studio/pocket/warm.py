"""A training that starts from a model folder's weights instead of from noise."""

import shutil
from pathlib import Path
from typing import Final

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file
from torch import nn

from studio.pocket.autoencoder import Autoencoding
from studio.pocket.clip import ContrastivePair

STARTABLE: Final = ("autoencoder", "clip", "diffusion")


def _load(module: nn.Module, path: Path) -> None:
    module.load_state_dict({key: value.float() for key, value in load_file(path).items()})


def warm_start(learner: nn.Module, model: Path) -> None:
    """Fill a stage's networks from an exported model folder; what is not exported stays fresh.

    Raises:
        RuntimeError: the folder's networks have other shapes.
    """
    if isinstance(learner, Autoencoding):
        _load(learner.autoencoder, model / "vae/diffusion_pytorch_model.safetensors")
    elif isinstance(learner, ContrastivePair):
        _load(learner.text_encoder, model / "text_encoder/model.safetensors")
        _load(learner.image_encoder, model / "image_encoder/model.safetensors")
        scoring = load_file(model / "text_projection.safetensors")
        with torch.no_grad():
            learner.text_projection.weight.copy_(scoring["text_projection.weight"].float())
            learner.logit_scale.copy_(scoring["logit_scale"].float())
    elif isinstance(learner, UNet2DConditionModel):
        _load(learner, model / "unet/diffusion_pytorch_model.safetensors")


def copy_tokenizer(model: Path, folder: Path) -> None:
    """Take an exported model's tokenizer into the training folder."""
    shutil.copytree(model / "tokenizer", folder / "tokenizer", dirs_exist_ok=True)
