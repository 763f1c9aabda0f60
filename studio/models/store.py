"""What is loaded: several models under budgets, the longest unused gives way first."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch

from studio.errors import ModelError, NotFound
from studio.models.attention import AttentionChoice, choose_attention, use_attention
from studio.models.base import Family, LoadedModel, ModelInfo
from studio.models.budget import Budgets, budgets, host_memory, to_let_go
from studio.models.catalog import Catalog
from studio.models.freeing import free_memory
from studio.models.offload import Arrangement, held_bytes, park
from studio.models.placement import Placement, Precision, choose
from studio.models.plan import Plan, Weights, Work, fallback, plan, tighter
from studio.models.quiet import quiet_libraries
from studio.models.residency import (
    AttentionWish,
    ResidentModel,
    Rules,
    Signature,
    Where,
    signature,
)
from studio.models.sizes import expected_weights
from studio.models.speed import slow_down, speed_up

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


@dataclass
class _Held:
    """A model in memory, and all that must be undone before it can go."""

    model: LoadedModel
    files: Signature
    weights: Weights
    arrangement: Arrangement | None = None
    floor: tuple[Plan, int] | None = None  # the plan and the pixels under which memory ran out
    used: float = 0.0

    @property
    def bytes(self) -> int:
        return self.weights.total

    @property
    def where(self) -> Where:
        return "ram" if self.arrangement is None else "device"

    @property
    def on_device(self) -> int:
        return 0 if self.arrangement is None else self.arrangement.on_device


class ModelStore:
    """Keeps models in memory. For one thread, the device's worker; ``residents`` is for all.

    On a GPU a model that has to give way is parked in RAM, from where it comes back by a copy; on a
    CPU there is only RAM. ``rules`` holds the budgets and what a person decided.
    """

    def __init__(
        self,
        catalog: Catalog,
        device: str = "auto",
        precision: Precision = "auto",
        attention: AttentionWish | None = None,
        rules: Rules | None = None,
    ) -> None:
        rules = rules or Rules()
        self._rules = rules if attention is None else replace(rules, attention=attention)
        self._catalog = catalog
        self._placement = choose(device, precision)
        self._held: OrderedDict[str, _Held] = OrderedDict()  # the longest unused first
        self._published: tuple[ResidentModel, ...] = ()
        quiet_libraries(self._placement.device.type)
        self._attention = choose_attention(
            self._rules.attention, self._placement, self._rules.cache
        )
        self._budgets = budgets(
            self._device_memory()[1], host_memory(), rules.vram_gib, rules.ram_gib
        )

    # -- what every thread may ask ---------------------------------------------------------------

    @property
    def placement(self) -> Placement:
        """The device and number format that models are loaded to."""
        return self._placement

    @property
    def device_label(self) -> str:
        """Device and number format in words: "CPU · bf16", "NVIDIA H200 · fp16"."""
        return self._placement.label

    @property
    def attention(self) -> AttentionChoice:
        """The attention in use, and why."""
        return self._attention

    @property
    def budgets(self) -> Budgets:
        """How many bytes models may take."""
        return self._budgets

    @property
    def residents(self) -> tuple[ResidentModel, ...]:
        """The models in memory, the last used first, as they were after the last change."""
        return self._published

    @property
    def resident(self) -> tuple[str, ...]:
        """The names of the models in memory, the last used first."""
        return tuple(one.name for one in self._published)

    def memory(self) -> Memory:
        """What the weights take and what the device has."""
        free, total = self._device_memory()
        if total is None:
            host = host_memory()
            free, total = host.available, host.total
        return Memory(sum(one.bytes for one in self._published), free, total)

    # -- what the worker does --------------------------------------------------------------------

    def acquire(self, name: str, work: Work | None = None) -> LoadedModel:
        """The model called ``name`` on its device, with room for ``work`` (its native size if not
        said); loaded, or copied from RAM, if need be.

        A model whose files have changed on the disk is loaded anew. Raises InvalidRequest when the
        catalog has no such usable model, ModelError when its files cannot be read.
        """
        held = self._held.get(name)
        if held is not None and signature(held.model.info) != held.files:
            self.release(name)
            held = None
        if held is None:
            info = self._catalog.find(name)
            if info.family not in FAMILIES:
                raise ModelError(f"The model “{name}” is of a family this studio cannot run.")
            held = self._load(info, work or _native(info))
            self._held[name] = held
        try:
            self._arrange(held, work or _native(held.model.info))
        except BaseException:
            self._drop(name)
            raise
        held.used = time.monotonic()
        self._held.move_to_end(name)
        self._publish()
        return held.model

    def tighten(self, name: str, work: Work) -> Plan | None:
        """After memory ran out: keep a model in a way that needs less; None when there is none.

        That way is kept for this model and work of this size or more until it is loaded again.
        """
        held = self._held.get(name)
        if held is None or held.arrangement is None:
            return None
        device = self._placement.device
        lower = tighter(held.arrangement.plan, held.weights, work, device.type)
        if lower is None:
            return None
        held.floor = (lower, work.pixels)
        self._rearrange(held, lower)
        self._publish()
        return lower

    def rest(self, name: str) -> None:
        """A job is over: parts that only visit the device go home."""
        held = self._held.get(name)
        if held is not None and held.arrangement is not None:
            held.arrangement.rest()

    def release(self, name: str | None = None) -> None:
        """Let a model go (all of them by default) and give its memory back.

        Raises NotFound when a model of that name is not in memory.
        """
        if name is not None and name not in self._held:
            raise NotFound(f"The model “{name}” is not loaded.")
        for one in (*self._held,) if name is None else (name,):
            self._drop(one)
        free_memory(self._placement.device)

    def release_idle(self, seconds: float) -> tuple[str, ...]:
        """Let every model go that was not used for so long; their names."""
        limit = time.monotonic() - seconds
        idle = tuple(name for name, held in self._held.items() if held.used <= limit)
        for name in idle:
            self._drop(name)
        if idle:
            free_memory(self._placement.device)
        return idle

    # -- inside ----------------------------------------------------------------------------------

    def _load(self, info: ModelInfo, work: Work) -> _Held:
        placement = self._placement
        itemsize = placement.dtype.itemsize
        text_itemsize = 4 if placement.device.type == "cpu" else itemsize
        expected = expected_weights(info, itemsize, text_itemsize)
        wanted = self._plan(None, expected, work)
        self._make_room(info.name, expected, wanted)
        files = signature(info)
        model = self._read(info, wanted)
        use_attention(model.parts.get("unet"), self._attention)
        return _Held(model, files, _weights_of(model, expected))

    def _read(self, info: ModelInfo, wanted: Plan) -> LoadedModel:
        """The model from its files: straight to the device, or to RAM when it will not lie there
        as a whole."""
        family, placement = FAMILIES[info.family](), self._placement
        if wanted.mode == "full" or placement.device.type == "cpu":
            return family.load(info, placement)
        model = family.load(info, replace(placement, device=torch.device("cpu")))
        for name, part in model.parts.items():
            if name.startswith("text_encoder"):  # which on a CPU would stay in fp32
                part.to(placement.dtype)
        model.placement = placement
        return model

    def _arrange(self, held: _Held, work: Work) -> None:
        """Bring a model's parts to where the work wants them."""
        wanted = self._plan(held, held.weights, work)
        present = held.arrangement
        if present is not None and present.plan.rung == wanted.rung:
            present.plan = wanted
            return
        self._make_room(held.model.info.name, held.weights, wanted)
        self._rearrange(held, wanted)

    def _rearrange(self, held: _Held, wanted: Plan) -> None:
        """Fused and compiled blocks stay when a model is parked; layer by layer they cannot be."""
        unet, whole = held.model.parts.get("unet"), wanted.mode in ("full", "text_encoder_off")
        self._undo(held)
        if unet is not None and not whole:
            slow_down(unet)
        held.arrangement = Arrangement(held.model.parts, wanted, self._placement.device)
        if unet is not None and whole:
            speed_up(unet, self._placement, self._attention.name, self._rules.compiling)

    def _undo(self, held: _Held) -> None:
        if held.arrangement is None:
            return
        held.arrangement.undo()
        held.arrangement = None

    def _plan(self, held: _Held | None, weights: Weights, work: Work) -> Plan:
        """With all the others out of the way: they can be parked or let go."""
        device, free = self._placement.device.type, self._device_budget()
        if device == "cpu":
            free = host_memory().available + sum(one.bytes for one in self._held.values())
        wanted = plan(free, weights, work, device, self._rules.memory)
        if held is not None and held.floor is not None and work.pixels >= held.floor[1]:
            return fallback(wanted, held.floor[0], weights, work, device)
        return wanted

    def _make_room(self, name: str, weights: Weights, wanted: Plan) -> None:
        """Park or let go of the longest unused models until this one fits."""
        others = [(n, one.bytes, one.on_device) for n, one in self._held.items() if n != name]
        if self._budgets.device is None:
            held = [(other, size) for other, size, _ in others]
            leaving = to_let_go(held, weights.total, self._ram_budget(held))
        else:
            on_device = [(other, size) for other, _, size in others if size]
            leaving = to_let_go(on_device, wanted.needed, self._device_budget())
        for other in leaving:
            if self._budgets.device is None:
                self._drop(other)
            else:
                self._park(other)
        if leaving:
            free_memory(self._placement.device)

    def _device_budget(self) -> int:
        """The budget, or what the device really has where other programs take their part."""
        free, _ = self._device_memory()
        mine = sum(one.on_device for one in self._held.values())
        return min(self._budgets.device or 0, mine + (free or 0))

    def _ram_budget(self, held: list[tuple[str, int]]) -> int:
        """The budget, or what is really there where other programs leave less."""
        there = host_memory().available + sum(size for _, size in held)
        return min(self._budgets.ram, there)

    def _park(self, name: str) -> None:
        """From the device to RAM, where the longest unused make room; or out, if it is too large."""
        held = self._held[name]
        parked = [(n, one.bytes) for n, one in self._held.items() if one.where == "ram"]
        budget = self._ram_budget(parked)
        for other in to_let_go(parked, held.bytes, budget):
            self._drop(other)
        if held.bytes > budget:
            self._drop(name)
            return
        self._undo(held)
        park(held.model.parts)
        self._publish()

    def _drop(self, name: str) -> None:
        """Forget a model; its memory goes with the last one who holds it."""
        held = self._held.pop(name)
        self._undo(held)
        self._publish()

    def _publish(self) -> None:
        self._published = tuple(
            ResidentModel(
                name, one.bytes, one.where, one.arrangement.plan if one.arrangement else None
            )
            for name, one in reversed(self._held.items())
        )

    def _device_memory(self) -> tuple[int | None, int | None]:
        """Free and whole memory of the GPU in bytes; None for what cannot be told, or on a CPU."""
        kind = self._placement.device.type
        if kind == "cuda":
            return torch.cuda.mem_get_info()
        if kind == "mps":  # it is the host's memory, of which Metal may take a part
            total = int(torch.mps.recommended_max_memory())
            return max(0, total - int(torch.mps.driver_allocated_memory())), total
        return None, None


def _native(info: ModelInfo) -> Work:
    return Work(info.native_size, info.native_size)


def _weights_of(model: LoadedModel, expected: Weights) -> Weights:
    """What the loaded parts really hold."""
    sizes = {name: held_bytes(part) for name, part in model.parts.items()}
    return Weights(sizes, expected.largest_layer, expected.itemsize)
