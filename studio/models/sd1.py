"""Stable Diffusion 1.x and all of its make: fine-tunes, LCM, inpainting, riffusion, pocket."""

from __future__ import annotations

from studio.models.architectures import SD1, Architecture
from studio.models.base import ModelInfo
from studio.models.placement import Placement
from studio.models.sd import LoadedStableDiffusion, load_stable_diffusion


class StableDiffusion1:
    """CLIP ViT-L/14's last layer; nothing else is told. ``architecture``: the sizes of a file."""

    name = "sd1"

    def __init__(self, architecture: Architecture = SD1) -> None:
        self._architecture = architecture

    def load(self, info: ModelInfo, placement: Placement) -> LoadedStableDiffusion:
        """The model on its device. Raises ModelError when a part cannot be read."""
        return load_stable_diffusion(LoadedStableDiffusion, self._architecture, info, placement)
