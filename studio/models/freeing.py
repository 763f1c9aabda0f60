"""Giving memory back: to Python, to the device's allocator, and to the operating system."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

import torch


def free_memory(device: torch.device) -> None:
    """Drop what nobody holds any more, on the device and on the host.

    glibc keeps freed memory in its arenas: large blocks go back by themselves, the many small ones
    around a model do not. ``malloc_trim`` hands those back too.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def _malloc_trim() -> Any:
    """glibc's function; None on every other system."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # musl has none
        return None
