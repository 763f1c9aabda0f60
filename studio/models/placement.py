"""Where a model runs and in which number format: decided by what the device can do.

Never by a timing: that could differ from one start to the next, and with it the pictures.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Literal

import torch

from studio.errors import StartupError
from studio.sentences import say

Precision = Literal["auto", "fp32", "bf16", "fp16"]

DTYPES: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
_NATIVE_BF16 = ("amx_bf16", "avx512_bf16", "bf16")  # the last is what Arm calls it


@dataclass(frozen=True)
class Placement:
    """A device and the format of the UNet's and autoencoder's weights on it.

    Latents and the scheduler's arithmetic are fp32 everywhere. Decoding in bf16 was measured on
    pocket's autoencoder: at most 2 of 255 levels away from fp32 (56 dB), in a third of the time.
    """

    device: torch.device
    dtype: torch.dtype
    label: str

    @property
    def memory_format(self) -> torch.memory_format:
        """Convolutions run on channels-last tensors: faster on CPUs and on tensor cores.

        Measured on two cores with pocket's shapes: the decoder takes 42 ms instead of 112 in bf16
        and 143 instead of 680 in fp32; the UNet is no slower.
        """
        return torch.contiguous_format if self.device.type == "mps" else torch.channels_last

    @property
    def pictures_together(self) -> bool:
        """Whether drawing several pictures in one batch is worth it here.

        Not on a CPU: it gains a quarter at best, while matrix products of another size round
        differently. One by one, a picture is bit-equal whatever the batch size.
        """
        return self.device.type != "cpu"


def choose(device: str = "auto", precision: Precision = "auto") -> Placement:
    """The placement for a device ("auto" takes CUDA, then MPS, then the CPU) and a precision.

    Raises StartupError when the device that was asked for is not there.
    """
    kind = _available(device)
    chosen = precision if precision != "auto" else _best_precision(kind)
    return Placement(torch.device(kind), DTYPES[chosen], f"{_device_name(kind)} · {chosen}")


def _available(device: str) -> str:
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if not there.get(device, False):
        usable = tuple(kind for kind, present in there.items() if present)
        raise StartupError(
            say(
                "There is no device “{device}” on this machine; there is: {usable}.",
                device=device,
                usable=usable,
            )
        )
    return device


def _best_precision(kind: str) -> Literal["fp32", "bf16", "fp16"]:
    if kind == "cuda":  # half precision pays from compute capability 7 (Volta) on
        return "fp16" if torch.cuda.get_device_capability()[0] >= 7 else "fp32"
    if kind == "mps":
        return "fp16"
    return "bf16" if cpu_has_bf16() else "fp32"


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 natively (without, bf16 is slower than fp32)."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _NATIVE_BF16)


def _device_name(kind: str) -> str:
    if kind == "cuda":
        return torch.cuda.get_device_name()
    return "Apple GPU" if kind == "mps" and platform.system() == "Darwin" else kind.upper()
