"""What is loaded: one resident model on one device, and what that costs."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from studio.errors import ModelError
from studio.models.base import Family, LoadedModel
from studio.models.catalog import Catalog
from studio.models.placement import Placement, Precision, choose
from studio.models.quiet import quiet_libraries

Attention = Literal["sdpa", "xformers"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Memory:
    """In bytes: what the resident weights take, and the device's free and whole memory if known."""

    weights: int
    free: int | None = None
    total: int | None = None


# The families' modules are imported when they are called for: they import diffusers.


def _sd1() -> Family:
    from studio.models.sd1 import StableDiffusion1

    return StableDiffusion1()


def _sd2() -> Family:
    from studio.models.sd2 import StableDiffusion2

    return StableDiffusion2()


def _sdxl() -> Family:
    from studio.models.sdxl import StableDiffusionXL

    return StableDiffusionXL()


def _sdxl_refiner() -> Family:
    from studio.models.sdxl_refiner import StableDiffusionXLRefiner

    return StableDiffusionXLRefiner()


FAMILIES: Mapping[str, Callable[[], Family]] = {
    "sd1": _sd1,
    "sd2": _sd2,
    "sdxl": _sdxl,
    "sdxl_refiner": _sdxl_refiner,
}


class ModelStore:
    """Keeps the last model in memory. For one thread: the device's worker.

    ``precision`` other than "auto" and ``attention`` "xformers" (CUDA only) are for those who know.
    """

    def __init__(
        self,
        catalog: Catalog,
        device: str = "auto",
        precision: Precision = "auto",
        attention: Attention = "sdpa",
    ) -> None:
        self._catalog = catalog
        self._attention = attention
        self._placement = choose(device, precision)
        self._resident: LoadedModel | None = None
        quiet_libraries(self._placement.device.type)

    @property
    def placement(self) -> Placement:
        """The device and number format that models are loaded to."""
        return self._placement

    @property
    def device_label(self) -> str:
        """Device and number format in words: "CPU · bf16", "NVIDIA H200 · fp16"."""
        return self._placement.label

    @property
    def resident(self) -> tuple[str, ...]:
        """The names of the models in memory."""
        return () if self._resident is None else (self._resident.info.name,)

    def acquire(self, name: str) -> LoadedModel:
        """The model called ``name``, loaded if need be; the one before it is let go first.

        Raises InvalidRequest when the catalog has no such usable model, ModelError when its files
        cannot be read.
        """
        if self._resident is not None and self._resident.info.name == name:
            return self._resident
        info = self._catalog.find(name)
        if info.family not in FAMILIES:
            raise ModelError(f"The model “{name}” is of a family this studio cannot run.")
        self.release()
        model = FAMILIES[info.family]().load(info, self._placement)
        if self._attention == "xformers" and self._placement.device.type == "cuda":
            _use_xformers(model)
        self._resident = model
        return model

    def release(self) -> None:
        """Let the resident model go and give its memory back to the device."""
        self._resident = None
        free_memory(self._placement.device)

    def memory(self) -> Memory:
        """What the weights take and what the device has."""
        weights = 0 if self._resident is None else self._resident.memory()
        if self._placement.device.type == "cuda":
            free, total = torch.cuda.mem_get_info()
            return Memory(weights, free, total)
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" not in names:
            return Memory(weights)
        page = os.sysconf("SC_PAGE_SIZE")
        available = os.sysconf("SC_AVPHYS_PAGES") * page if "SC_AVPHYS_PAGES" in names else None
        return Memory(weights, available, os.sysconf("SC_PHYS_PAGES") * page)


def free_memory(device: torch.device) -> None:
    """Drop what nobody holds any more, in Python and in the device's allocator."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _use_xformers(model: LoadedModel) -> None:
    """xformers' attention in the UNet; where its kernels do not load, SDPA stays, with one line."""
    unet = getattr(model, "unet", None)
    try:
        if unet is not None:
            unet.enable_xformers_memory_efficient_attention()
    except (ImportError, ModuleNotFoundError, NotImplementedError, ValueError, RuntimeError) as e:
        logger.warning("xformers does not work here (%s); using PyTorch's attention.", e)
