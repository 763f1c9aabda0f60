"""Stable Diffusion 2.0, 2.1 and SD-Turbo: OpenCLIP ViT-H/14 without its last layer.

Some predict the noise (epsilon), some v. A folder's scheduler says which; a file does not, and
the two have the same weights' names and shapes, so the UNet itself is asked.
"""

from __future__ import annotations

import torch

from studio.models.architectures import SD2, Architecture
from studio.models.base import Conditions, ModelInfo
from studio.models.placement import Placement
from studio.models.sd import LoadedStableDiffusion, load_stable_diffusion

PROBE, NOISIEST, LEAST = 0.5, 999, -1.0


class StableDiffusion2:
    """The second family; ``architecture``: the sizes of a file."""

    name = "sd2"

    def __init__(self, architecture: Architecture = SD2) -> None:
        self._architecture = architecture

    def load(self, info: ModelInfo, placement: Placement) -> LoadedStableDiffusion:
        """The model on its device. Raises ModelError when a part cannot be read."""
        model = load_stable_diffusion(LoadedStableDiffusion, self._architecture, info, placement)
        if info.layout == "file" and not info.prediction_type:
            kind = "v_prediction" if predicts_v(model) else "epsilon"
            model.scheduler_config = {**model.scheduler_config, "prediction_type": kind}
        return model


def predicts_v(model: LoadedStableDiffusion) -> bool:
    """Whether a UNet of this family answers with v, seen from one pass over a constant input.

    At the last timestep there is nearly nothing but noise, so a UNet that predicts the noise
    answers with about what it was given: the mean difference is near 0. v is there almost minus
    the picture, far from the input: it is below -1. The input, the timestep and the bound are
    AUTOMATIC1111's (is_using_v_parameterization_for_sd2), found on the published models.
    An inpainting UNet of this family predicts the noise: there is no other.
    """
    config = model.unet.config
    if int(config.in_channels) != model.latent_channels:
        return False
    device, dtype = model.placement.device, model.placement.dtype
    side = 2 ** (len(config.block_out_channels) - 1)
    latents = torch.full((1, model.latent_channels, side, side), PROBE, device=device)
    width = int(config.cross_attention_dim)
    sequence = torch.full((1, 2, width), PROBE, device=device, dtype=dtype)
    timestep = torch.tensor(NOISIEST, device=device)
    output = model.predict(latents, timestep, Conditions(sequence))
    return float((output - latents).mean()) < LEAST
