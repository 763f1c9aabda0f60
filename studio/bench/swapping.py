"""What it costs to go from one model to another and back: a copy at most, against a load."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from studio.bench.meters import now
from studio.bench.subject import Subject
from studio.models.budget import GIB
from studio.models.residency import Rules
from studio.models.store import ModelStore

_ROOM_FOR_ONE = 1.6  # times one model's weights: that one with its work, and no second one


@dataclass(frozen=True)
class SwappingCost:
    """Median seconds until the other model can paint: kept in memory, and read from its files.

    ``kept`` is None when the machine has no room for two models.
    """

    kept: float | None
    loaded: float


def measure_swapping(subject: Subject, device: str, rounds: int) -> SwappingCost:
    """Go to and fro between a model and its twin, under two budgets.

    On a GPU the model that is kept lies in RAM and comes by a copy; on a CPU it is there.
    """
    store = ModelStore(subject.catalog, device)
    store.acquire(subject.info.name)
    weights = store.memory().weights / GIB
    on_cpu = store.placement.device.type == "cpu"
    store.release()
    room = _ROOM_FOR_ONE * weights + 1  # GiB; what a picture needs is within the one more
    keeping = Rules(vram_gib=room) if not on_cpu else Rules(ram_gib=2.5 * weights)
    loading = Rules(vram_gib=room, ram_gib=0.1 * weights) if not on_cpu else Rules(ram_gib=weights)
    kept = _to_and_fro(ModelStore(subject.catalog, device, rules=keeping), subject, rounds, 2)
    loaded = _to_and_fro(ModelStore(subject.catalog, device, rules=loading), subject, rounds, 1)
    if loaded is None:
        raise AssertionError("a budget for one model held two")
    return SwappingCost(kept, loaded)


def _to_and_fro(store: ModelStore, subject: Subject, rounds: int, held: int) -> float | None:
    """Median seconds of a change; None when other than ``held`` models stayed in memory."""
    names, device = (subject.info.name, subject.twin), store.placement.device
    for name in names:
        store.acquire(name)
    seconds: list[float] = []
    for turn in range(max(2, rounds)):
        began = now(device)
        store.acquire(names[turn % 2])
        seconds.append(now(device) - began)
    stayed = len(store.resident)
    store.release()
    return statistics.median(seconds) if stayed == held else None
