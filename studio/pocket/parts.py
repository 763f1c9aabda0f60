"""What a training folder holds so far, loaded: networks with their averaged weights."""

import json
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from studio.pocket.architecture import make_autoencoder, make_unet
from studio.pocket.autoencoder import Autoencoding
from studio.pocket.clip import ContrastivePair
from studio.pocket.loop import Progress, checkpoint_path, load_averaged
from studio.pocket.tokenizer import load_tokenizer


def load_autoencoder(folder: Path) -> tuple[AutoencoderKL, Progress]:
    """Load the autoencoder with its scaling."""
    learner = Autoencoding(make_autoencoder())
    progress = _load_if_there(folder, "autoencoder", learner)
    scaling = folder / "scaling.json"
    if scaling.exists():
        factor = float(json.loads(scaling.read_text())["scaling_factor"])
        learner.autoencoder.register_to_config(scaling_factor=factor)
    return learner.autoencoder.eval(), progress


def load_pair(folder: Path) -> tuple[ContrastivePair, Progress]:
    """Load the contrastive pair."""
    pair = ContrastivePair(len(load_tokenizer(folder / "tokenizer")))
    progress = _load_if_there(folder, "clip", pair)
    return pair.eval(), progress


def load_unet(folder: Path) -> tuple[UNet2DConditionModel, Progress]:
    """Load the denoiser."""
    unet = make_unet()
    progress = _load_if_there(folder, "diffusion", unet)
    return unet.eval(), progress


def _load_if_there(folder: Path, name: str, module: nn.Module) -> Progress:
    if checkpoint_path(folder, name).exists():
        return load_averaged(folder, name, module)
    return Progress()
