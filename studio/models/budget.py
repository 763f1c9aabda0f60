"""How much memory the machine has, and how much of it models may keep. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 2**30
DEVICE_SHARE = 0.92  # of a GPU's memory; the rest is the driver's, the desktop's, the allocator's
RAM_SHARE = 0.5  # of the machine's memory: other programs want to live as well
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class HostMemory:
    """The machine's memory in bytes, or the container's where that is less."""

    total: int
    available: int


@dataclass(frozen=True)
class Budgets:
    """Bytes that models may take: on the device (None on a CPU, which has only RAM), and in RAM."""

    device: int | None
    ram: int


def host_memory(cgroup: Path = _CGROUP) -> HostMemory:
    """What the machine has and what can still be had, within a container's limit."""
    seen = psutil.virtual_memory()
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is None or limit >= seen.total:
        return HostMemory(seen.total, seen.available)
    return HostMemory(limit, min(seen.available, max(0, limit - (used or 0))))


def _number(path: Path) -> int | None:
    """A cgroup file's number; None when there is none ("max", or no such file)."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def budgets(
    device_total: int | None, host: HostMemory, vram_gib: float = 0, ram_gib: float = 0
) -> Budgets:
    """The budgets for a device of ``device_total`` bytes (None on a CPU); 0 GiB: by itself."""
    device = None
    if device_total is not None:
        device = int(vram_gib * GIB) if vram_gib else int(device_total * DEVICE_SHARE)
    return Budgets(device, int(ram_gib * GIB) if ram_gib else int(host.total * RAM_SHARE))


def to_let_go(held: Sequence[tuple[str, int]], needed: int, budget: int) -> list[str]:
    """Which models must leave so that ``needed`` bytes fit beside the others.

    ``held``: names and bytes, the longest unused first. All of them when even that is too little:
    one model may be larger than the budget, two may not.
    """
    taken, leaving = sum(size for _, size in held), []
    for name, size in held:
        if taken + needed <= budget:
            break
        leaving.append(name)
        taken -= size
    return leaving
