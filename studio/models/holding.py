"""One model in memory, with all that is known of it and all that must be undone before it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from studio.models.base import LoadedModel, ModelInfo
from studio.models.offload import Arrangement, held_bytes, park
from studio.models.plan import Plan, Weights, Work
from studio.models.residency import ResidentModel, Signature, Where, signature


@dataclass
class Held:
    """A model in memory. ``arrangement`` is None while it is parked in RAM beside a GPU.

    ``floor``: the plan and the pixels under which memory ran out. ``used``: when, monotonic.
    """

    model: LoadedModel
    files: Signature
    weights: Weights
    arrangement: Arrangement | None = None
    floor: tuple[Plan, int] | None = None
    used: float = field(default_factory=time.monotonic)

    @property
    def where(self) -> Where:
        """Where it lies."""
        return "ram" if self.arrangement is None else "device"

    @property
    def on_device(self) -> int:
        """Bytes of it that lie on the device."""
        return 0 if self.arrangement is None else self.arrangement.on_device

    @property
    def in_ram(self) -> int:
        """Bytes of it that lie in RAM beside a device: all of it when parked, or what is offloaded.

        Without meaning on a CPU, where the device's memory is RAM.
        """
        return self.weights.total - self.on_device

    @property
    def changed(self) -> bool:
        """Whether the files on the disk are others than those that were loaded."""
        return signature(self.model.info) != self.files

    def undo(self) -> None:
        """Take off whatever keeps it where it is."""
        if self.arrangement is not None:
            self.arrangement.undo()
            self.arrangement = None

    def park(self) -> None:
        """To RAM, ready to come back."""
        self.undo()
        park(self.model.parts)

    def seen(self) -> ResidentModel:
        """What others are told of it."""
        plan = self.arrangement.plan if self.arrangement else None
        return ResidentModel(self.model.info.name, self.weights.total, self.where, plan)


def native(info: ModelInfo) -> Work:
    """One picture of the size that a model was trained at."""
    return Work(info.native_size, info.native_size)


def weights_of(model: LoadedModel, expected: Weights) -> Weights:
    """What the loaded parts really hold."""
    sizes = {name: held_bytes(part) for name, part in model.parts.items()}
    return Weights(sizes, expected.largest_layer, expected.itemsize)
