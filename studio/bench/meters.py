"""What the ways are measured with: a clock that waits for the device, and its peak of memory."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import torch

_STATUS, _MARK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_LOWER_THE_MARK = "5"  # proc(5): the peak of the resident memory starts anew


def now(device: torch.device) -> float:
    """Seconds of a clock, once the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


class Peak:
    """How far memory rises above where it stands now: the GPU's, or the process's own.

    ``device`` None: the process's, whatever the device.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._kind = "cpu" if device is None else device.type
        self._start: int | None = None
        if self._kind == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self._start = torch.cuda.memory_allocated()
        elif self._kind == "cpu":
            with suppress(OSError):
                _MARK.write_text(_LOWER_THE_MARK)
                self._start = host_bytes("VmRSS")

    def rise(self) -> int | None:
        """Bytes above the start at the highest point since; None where that cannot be told."""
        if self._start is None:
            return None
        top = torch.cuda.max_memory_allocated() if self._kind == "cuda" else host_bytes("VmHWM")
        return None if top is None else max(0, top - self._start)


def host_bytes(line: str) -> int | None:
    """A line of the kernel's report on this process, such as VmHWM; None where there is none."""
    with suppress(OSError, ValueError, IndexError):
        for each in _STATUS.read_text().splitlines():
            if each.startswith(f"{line}:"):
                return int(each.split()[1]) * 1024
    return None
