"""What the store tells the other threads: values that never change once they are published."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from studio.models.base import ModelInfo
from studio.models.plan import MemoryChoice, Plan

Where = Literal["device", "ram"]
AttentionWish = Literal["auto", "sdpa", "xformers"]
CompileWish = Literal["auto", "off", "on", "graphs"]
Signature = tuple[tuple[str, int, int], ...]

_WATCHED = (".safetensors", ".json", ".txt", ".yaml")


@dataclass(frozen=True)
class ResidentModel:
    """A model in memory: its bytes of weights, where they lie, and how it is kept while painting.

    ``plan`` is None for a model that is parked in RAM beside a GPU.
    """

    name: str
    bytes: int
    where: Where
    plan: Plan | None


@dataclass(frozen=True)
class Rules:
    """What a person decided about memory and speed; the defaults let the studio decide.

    Budgets are in GiB, 0 takes what the machine has. ``cache``: the folder for what is found out
    once a machine (compiled kernels, which attention is faster); None keeps nothing.
    """

    memory: MemoryChoice = "auto"
    vram_gib: float = 0.0
    ram_gib: float = 0.0
    attention: AttentionWish = "auto"
    compiling: CompileWish = "auto"
    cache: Path | None = field(default=None)


def signature(info: ModelInfo) -> Signature:
    """Path, size and time of every file that a model is read from; () when it is gone."""
    path = info.path
    try:
        if path.is_file():
            files = [path]
        else:
            files = sorted(one for one in path.rglob("*") if one.suffix in _WATCHED)
        seen = [(one, one.stat()) for one in files]
    except OSError:
        return ()
    return tuple((str(one), stat.st_size, stat.st_mtime_ns) for one, stat in seen)
