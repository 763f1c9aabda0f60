"""Who makes room for whom beside a GPU: the shelf's decisions, with bytes that are only numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import torch

from studio.models.budget import Budgets
from studio.models.holding import Held
from studio.models.plan import Plan, Weights
from studio.models.room import Room
from studio.models.shelf import Shelf

FULL = Plan("full", False, 10, "")


class Card:
    """A GPU of ``vram`` bytes beside ``ram`` bytes for models."""

    def __init__(self, vram: int, ram: int) -> None:
        self.budgets = Budgets(vram, ram)

    def for_models(self, held: int) -> int:
        return cast("int", self.budgets.device)

    def for_one(self, held: int) -> int:
        return cast("int", self.budgets.device)

    def in_ram(self, held: int) -> int:
        return self.budgets.ram


class Shelves:
    """A shelf to put models of 10 bytes on."""

    def __init__(self, vram: int, ram: int) -> None:
        self.shelf = Shelf(cast("Room", Card(vram, ram)), torch.device("cpu"))

    def bring(self, name: str, on_device: int = 10) -> None:
        """Load a model, or copy it from RAM, as the store does."""
        if name not in self.shelf:
            self.shelf.make_room(name, Weights({"unet": 10}), FULL)
            model: Any = SimpleNamespace(info=SimpleNamespace(name=name), parts={})
            self.shelf.put(name, Held(model, (), Weights({"unet": 10})))
        held = self.shelf.used(name)
        self.shelf.make_room(name, held.weights, FULL)
        held.arrangement = cast(
            "Any", SimpleNamespace(plan=FULL, on_device=on_device, undo=lambda: None)
        )
        self.shelf.publish()

    def where(self) -> dict[str, str]:
        return {one.name: one.where for one in reversed(self.shelf.published)}


def test_what_gives_way_is_parked_and_comes_back() -> None:
    shelves = Shelves(vram=10, ram=30)
    for name in "abc":
        shelves.bring(name)
    assert shelves.where() == {"a": "ram", "b": "ram", "c": "device"}
    shelves.bring("a")
    assert shelves.where() == {"b": "ram", "c": "ram", "a": "device"}


def test_the_longest_unused_go_when_ram_is_full() -> None:
    shelves = Shelves(vram=10, ram=20)
    for name in "abcd":
        shelves.bring(name)
    assert shelves.where() == {"b": "ram", "c": "ram", "d": "device"}


def test_what_comes_back_is_not_dropped_for_what_it_drives_away() -> None:
    shelves = Shelves(vram=10, ram=10)
    shelves.bring("a")
    shelves.bring("b")
    assert shelves.where() == {"a": "ram", "b": "device"}
    shelves.bring("a")
    assert "a" in shelves.shelf
    assert shelves.where() == {"a": "device"}


def test_what_is_offloaded_counts_in_ram() -> None:
    shelves = Shelves(vram=10, ram=20)
    shelves.bring("a")
    shelves.bring("b", on_device=0)  # one layer at a time: all of it lies in RAM
    assert shelves.where() == {"a": "ram", "b": "device"}
    assert shelves.shelf.make_room_in_ram(10)
    assert list(shelves.shelf) == ["b"]
    assert not shelves.shelf.make_room_in_ram(20)


def test_without_room_in_ram_it_goes() -> None:
    shelves = Shelves(vram=10, ram=5)
    shelves.bring("a")
    shelves.bring("b")
    assert shelves.where() == {"b": "device"}
