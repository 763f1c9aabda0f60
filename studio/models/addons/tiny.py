"""Tiny decoders: what latents look like, in a hundredth of the autoencoder's time; for previews.

Source: taesd and taesdxl by Ollin Boer Bohan, https://github.com/madebyollin/taesd.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch.nn import functional

from studio.errors import ModelError
from studio.models.addons.listing import Catalog
from studio.models.addons.reading import read_tensors
from studio.models.base import LoadedModel, ModelInfo
from studio.models.colours import SD_COLOURS, SDXL_COLOURS
from studio.models.weights import weight_files
from studio.sentences import say

LARGEST_SIDE = 64
"""Cells of the longer side of what is decoded; larger latents are shrunk first."""

# How a decoder's tensors are called by its author, in one file with the encoder, and by diffusers;
# the author counts the clamp at the entrance as a layer.
_NAMES: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"(\d+)\.(.+)"), -1),
    (re.compile(r"taesd_decoder\.(\d+)\.(.+)"), -1),
    (re.compile(r"decoder\.layers\.(\d+)\.(.+)"), 0),
)

log = logging.getLogger(__name__)


class TinyDecoder:
    """Latents to pictures. Raises ModelError when the file holds something else."""

    def __init__(self, path: Path, model: LoadedModel) -> None:
        from diffusers.models.autoencoders.vae import DecoderTiny

        self._place = model.placement
        with torch.device("meta"):
            self._network = DecoderTiny(4, 3, (3, 3, 3, 1), (64,) * 4, 2, "relu", "nearest")
        try:
            self._network.load_state_dict(_tensors(path), assign=True)
        except RuntimeError as error:
            raise ModelError(
                say("{file} is no tiny decoder of taesd's make", file=path.name)
            ) from error
        self._network.requires_grad_(False).to(
            self._place.device, self._place.dtype, memory_format=self._place.memory_format
        )

    @torch.no_grad()
    def __call__(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, H, W) in about -1…1 in fp32 of latents (B, 4, h, w), × scaling_factor.

        Eight pixels a cell, at most 512 pixels wide and high.
        """
        shrink = -(-max(latents.shape[-2:]) // LARGEST_SIDE)
        if shrink > 1:
            latents = functional.avg_pool2d(latents, shrink, ceil_mode=True)
        given = latents.to(self._place.dtype, memory_format=self._place.memory_format)
        pictures: torch.Tensor = self._network(given)
        return pictures.float()


class TinyDecoders:
    """The tiny decoders that are installed; keeps the one of each model that lives."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept: WeakKeyDictionary[LoadedModel, tuple[object, TinyDecoder | None]] = (
            WeakKeyDictionary()
        )

    def of(self, model: LoadedModel) -> TinyDecoder | None:
        """A decoder for the latents of ``model``; None when none is installed that reads them."""
        info = _fitting(self._catalog.list(), model)
        if info is None:
            return None
        path = info.path if info.layout == "file" else (weight_files(info.path) or [info.path])[0]
        key = (path, info.size)
        if model not in self._kept or self._kept[model][0] != key:
            self._kept[model] = (key, _read(path, model))
        return self._kept[model][1]

    def forget(self) -> None:
        """Let everything go, to make room."""
        self._kept.clear()


def _fitting(infos: Iterable[ModelInfo], model: LoadedModel) -> ModelInfo | None:
    """The decoder for the published autoencoder that ``model`` has; others' latents look foreign.

    The two makes have the same shapes, so that their usual names must tell: taesd and taesdxl.
    """
    for info in infos:
        if info.kind == "vae" and info.variety == "tiny" and not info.problem:
            name = f"{info.name}/{info.path.name}".casefold()
            if model.preview_colours == (SDXL_COLOURS if "xl" in name else SD_COLOURS):
                return info
    return None


def _read(path: Path, model: LoadedModel) -> TinyDecoder | None:
    """The decoder; a broken one costs the preview's sharpness, but no picture."""
    try:
        return TinyDecoder(path, model)
    except ModelError as error:
        log.warning("Previews do without their tiny decoder: %s.", error)
        return None


def _tensors(path: Path) -> Mapping[str, torch.Tensor]:
    """The decoder's tensors by diffusers' names."""
    tensors, _ = read_tensors(path)
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        for pattern, offset in _NAMES:
            if match := pattern.fullmatch(name):
                found[f"layers.{int(match[1]) + offset}.{match[2]}"] = tensor
    return found
