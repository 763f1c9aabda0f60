"""The models in memory, in the order of their use, and who makes room for whom."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator

import torch

from studio.models.budget import to_let_go
from studio.models.freeing import free_memory
from studio.models.holding import Held
from studio.models.plan import Plan, Weights
from studio.models.residency import ResidentModel
from studio.models.room import Room


class Shelf:
    """Models under the budgets of a `Room`. For one thread; ``published`` is for all.

    On a GPU a model that has to give way is parked in RAM, from where it comes back by a copy; on a
    CPU there is only RAM, and it goes.
    """

    def __init__(self, room: Room, device: torch.device) -> None:
        self._room, self._device = room, device
        self._held: OrderedDict[str, Held] = OrderedDict()  # the longest unused first
        self.published: tuple[ResidentModel, ...] = ()

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        """The names, the longest unused first, as they are now."""
        return iter((*self._held,))

    def get(self, name: str) -> Held | None:
        """The model of that name, if it is in memory."""
        return self._held.get(name)

    def put(self, name: str, held: Held) -> None:
        """A model that has been loaded; room was made for it before."""
        self._held[name] = held

    def used(self, name: str) -> Held:
        """The model of that name, which is now the last used."""
        self._held.move_to_end(name)
        return self._held[name]

    def idle_since(self, moment: float) -> tuple[str, ...]:
        """The models that were last used before ``moment``, in seconds of the monotonic clock."""
        return tuple(name for name, held in self._held.items() if held.used <= moment)

    def drop(self, name: str) -> None:
        """Forget a model; its memory goes with the last one who holds it."""
        self._held.pop(name).undo()
        self.publish()

    def make_room(self, name: str, weights: Weights, wanted: Plan) -> None:
        """Park or let go of the longest unused of the others until this one fits."""
        others = [(n, self._taken(one)) for n, one in self._held.items() if n != name]
        others = [(other, size) for other, size in others if size]
        needed = weights.total if self._only_ram else wanted.needed
        leaving = to_let_go(others, needed, self._room.for_models(self._all_taken()))
        for other in leaving:
            if self._only_ram:
                self.drop(other)
            else:
                self._park(other, name)
        if leaving:
            free_memory(self._device)

    def for_one(self) -> int:
        """Bytes that one model and its picture could have, were all the others gone."""
        return self._room.for_one(self._all_taken())

    def publish(self) -> None:
        """Tell every thread what is here now, the last used first."""
        self.published = tuple(one.seen() for one in reversed(self._held.values()))

    @property
    def _only_ram(self) -> bool:
        return self._room.budgets.device is None

    def _taken(self, held: Held) -> int:
        """Bytes of a model where models run."""
        return held.weights.total if self._only_ram else held.on_device

    def _all_taken(self) -> int:
        return sum(self._taken(one) for one in self._held.values())

    def make_room_in_ram(self, size: int, keeping: Collection[str] = ()) -> bool:
        """Let the longest unused of the parked models go until ``size`` bytes fit into RAM beside
        a GPU; whether they do. ``keeping``: those that are not to go."""
        in_ram = sum(one.in_ram for one in self._held.values())
        parked = [(n, one.in_ram) for n, one in self._held.items() if one.where == "ram"]
        going = [(n, bytes_) for n, bytes_ in parked if n not in keeping]
        fixed = in_ram - sum(bytes_ for _, bytes_ in going)
        budget = self._room.in_ram(in_ram) - fixed
        for other in to_let_go(going, size, budget):
            self.drop(other)
        return size <= budget

    def _park(self, name: str, arriving: str) -> None:
        """From the device to RAM, where the longest unused make room; or out, if too large.

        ``arriving``: what room is made for, which may come from RAM itself and must not go.
        """
        held = self._held[name]
        if not self.make_room_in_ram(held.on_device, (name, arriving)):
            self.drop(name)
            return
        held.park()
        self.publish()
