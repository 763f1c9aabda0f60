"""What is loaded: several models under budgets, the longest unused gives way first."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch

from studio.errors import ModelError, NotFound
from studio.models.attention import AttentionChoice, choose_attention, use_attention
from studio.models.base import LoadedModel, ModelInfo
from studio.models.budget import Budgets
from studio.models.catalog import Catalog
from studio.models.families import FAMILIES
from studio.models.freeing import free_memory
from studio.models.holding import Held, native, weights_of
from studio.models.offload import Arrangement
from studio.models.placement import Placement, Precision, choose
from studio.models.plan import Plan, Weights, Work, fallback, plan, tighter
from studio.models.quiet import quiet_libraries
from studio.models.residency import ResidentModel, Rules, signature
from studio.models.room import Room
from studio.models.shelf import Shelf
from studio.models.sizes import expected_weights
from studio.models.speed import keep_compiled_in, slow_down, speed_up
from studio.sentences import say


@dataclass(frozen=True)
class Memory:
    """In bytes: what the resident weights take, and the device's free and whole memory if known."""

    weights: int
    free: int | None = None
    total: int | None = None


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
        rules: Rules | None = None,
    ) -> None:
        self._rules = rules = rules or Rules()
        self._catalog = catalog
        self._placement = choose(device, precision)
        quiet_libraries(self._placement.device.type)
        if rules.cache is not None:
            keep_compiled_in(rules.cache)
        self._attention = choose_attention(
            self._rules.attention, self._placement, self._rules.cache
        )
        self._room = Room(self._placement.device, rules.vram_gib, rules.ram_gib)
        self._shelf = Shelf(self._room, self._placement.device)

    # -- what every thread may ask ---------------------------------------------------------------

    @property
    def catalog(self) -> Catalog:
        """What there is to load."""
        return self._catalog

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
        return self._room.budgets

    @property
    def residents(self) -> tuple[ResidentModel, ...]:
        """The models in memory, the last used first, as they were after the last change."""
        return self._shelf.published

    @property
    def resident(self) -> tuple[str, ...]:
        """The names of the models in memory, the last used first."""
        return tuple(one.name for one in self._shelf.published)

    def memory(self) -> Memory:
        """What the weights take and what the device has."""
        return Memory(sum(one.bytes for one in self._shelf.published), *self._room.visible())

    # -- what the worker does --------------------------------------------------------------------

    def acquire(self, name: str, work: Work | None = None, squeeze: bool = False) -> LoadedModel:
        """The model called ``name`` on its device, with room for ``work`` (its native size if not
        said); loaded, or copied from RAM, if need be.

        ``squeeze``: after memory ran out, keep it part by part whatever seems free. A model whose
        files have changed on the disk is loaded anew. Raises InvalidRequest when the catalog has no
        such usable model, ModelError when its files cannot be read.
        """
        held = self._shelf.get(name)
        if held is not None and held.changed:
            self.release(name)
        if name not in self._shelf:
            info = self._catalog.find(name)
            if info.family not in FAMILIES:
                raise ModelError(
                    say("The model “{name}” is of a family this studio cannot run.", name=name)
                )
            self._shelf.put(name, self._load(info, work or native(info), squeeze))
        held = self._shelf.used(name)
        try:
            self._arrange(held, work or native(held.model.info), squeeze)
        except BaseException:
            self._shelf.drop(name)
            raise
        held.used = time.monotonic()
        self._shelf.publish()
        return held.model

    def tighten(self, name: str, work: Work) -> Plan | None:
        """After memory ran out: keep a model in a way that needs less; None when there is none.

        That way is kept for this model and work of this size or more until it is loaded again.
        """
        held = self._shelf.get(name)
        if held is None or held.arrangement is None:
            return None
        device = self._placement.device
        lower = tighter(held.arrangement.plan, held.weights, work, device.type)
        if lower is None:
            return None
        held.floor = (lower, work.pixels)
        self._rearrange(held, lower)
        self._shelf.publish()
        return lower

    def tile(self, name: str, work: Work) -> bool:
        """After memory ran out while decoding: decode in tiles from now on; False if it did."""
        held = self._shelf.get(name)
        if held is None or held.arrangement is None or held.arrangement.plan.tile_vae:
            return False
        held.arrangement.tile()
        held.floor = (held.arrangement.plan, work.pixels)
        self._shelf.publish()
        return True

    def relax(self, name: str) -> None:
        """Forget that memory ran out with this model: the next work is planned by the numbers."""
        held = self._shelf.get(name)
        if held is not None:
            held.floor = None

    def release(self, name: str | None = None) -> None:
        """Let a model go (all of them by default) and give its memory back.

        Raises NotFound when a model of that name is not in memory.
        """
        if name is not None and name not in self._shelf:
            raise NotFound(say("The model “{name}” is not loaded.", name=name))
        for one in self._shelf if name is None else (name,):
            self._shelf.drop(one)
        free_memory(self._placement.device)

    def release_idle(self, seconds: float) -> tuple[str, ...]:
        """Let every model go that was not used for so long; their names."""
        limit = time.monotonic() - seconds
        idle = self._shelf.idle_since(limit)
        for name in idle:
            self._shelf.drop(name)
        if idle:
            free_memory(self._placement.device)
        return idle

    # -- inside ----------------------------------------------------------------------------------

    def _load(self, info: ModelInfo, work: Work, squeeze: bool) -> Held:
        placement = self._placement
        itemsize = placement.dtype.itemsize
        text_itemsize = 4 if placement.device.type == "cpu" else itemsize
        expected = expected_weights(info, itemsize, text_itemsize)
        wanted = self._plan(None, expected, work, squeeze)
        self._shelf.make_room(info.name, expected, wanted)
        files = signature(info)
        model = self._read(info, wanted)
        use_attention(model.parts.get("unet"), self._attention)
        return Held(model, files, weights_of(model, expected))

    def _read(self, info: ModelInfo, wanted: Plan) -> LoadedModel:
        """The model from its files: straight to the device, or to RAM when it will not lie there
        as a whole."""
        family, placement = FAMILIES[info.family](), self._placement
        if wanted.mode == "full" or placement.device.type == "cpu":
            return family.load(info, placement)
        self._shelf.make_room_in_ram(info.size)
        model = family.load(info, replace(placement, device=torch.device("cpu")))
        for name, part in model.parts.items():
            if name.startswith("text_encoder"):  # which on a CPU would stay in fp32
                part.to(placement.dtype)
        model.placement = placement
        return model

    def _arrange(self, held: Held, work: Work, squeeze: bool) -> None:
        """Bring a model's parts to where the work wants them."""
        wanted = self._plan(held, held.weights, work, squeeze)
        if squeeze:
            held.floor = (wanted, work.pixels)
        present = held.arrangement
        if present is not None and present.plan.rung == wanted.rung:
            present.plan = wanted
            return
        self._shelf.make_room(held.model.info.name, held.weights, wanted)
        self._rearrange(held, wanted)

    def _rearrange(self, held: Held, wanted: Plan) -> None:
        """Fused and compiled blocks stay when a model is parked; layer by layer they cannot be."""
        unet, whole = held.model.parts.get("unet"), wanted.mode in ("full", "text_encoder_off")
        held.undo()
        if unet is not None and not whole:
            slow_down(unet)
        held.arrangement = Arrangement(held.model.parts, wanted, self._placement.device)
        if unet is not None and whole:
            speed_up(unet, self._placement, self._attention.name, self._rules.compiling)

    def _plan(self, held: Held | None, weights: Weights, work: Work, squeeze: bool) -> Plan:
        """With all the others out of the way: they can be parked or let go."""
        device = self._placement.device.type
        free = self._shelf.for_one()
        wanted = plan(free, weights, work, device, self._rules.memory)
        if squeeze and wanted.mode in ("full", "text_encoder_off"):
            wanted = plan(free, weights, work, device, "low")
        if held is not None and held.floor is not None and work.pixels >= held.floor[1]:
            return fallback(wanted, held.floor[0], weights, work, device)
        return wanted
