"""The bench's output: one table for people, the same figures as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``aim`` says in words what the studio promises, "" when nothing."""

    name: str
    value: float
    unit: str
    aim: str = ""


def machine() -> str:
    """The processor, its number of usable cores and the system, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def as_table(figures: Sequence[Figure]) -> str:
    """Aligned lines: name, value with unit, aim."""
    rows = [(one.name, f"{one.value:.3g} {one.unit}".strip(), one.aim) for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {aim}".rstrip() for name, value, aim in rows
    )


def as_json(figures: Sequence[Figure], where: str) -> str:
    """``{"machine": …, "figures": [{name, value, unit, aim}, …]}``."""
    return json.dumps(
        {"machine": where, "figures": [asdict(one) for one in figures]},
        indent=2,
        ensure_ascii=False,
    )
