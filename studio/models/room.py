"""How much room there is on the device and beside it, now and within the budgets."""

from __future__ import annotations

import torch

from studio.models.budget import Budgets, budgets, host_memory


class Room:
    """The memory of one device and of its host. ``vram_gib``, ``ram_gib``: 0 decides by itself."""

    def __init__(self, device: torch.device, vram_gib: float, ram_gib: float) -> None:
        self._kind = device.type
        self.budgets: Budgets = budgets(self.device()[1], host_memory(), vram_gib, ram_gib)

    def device(self) -> tuple[int | None, int | None]:
        """Free and whole memory of the GPU in bytes; None for what cannot be told, or on a CPU."""
        if self._kind == "cuda":
            return torch.cuda.mem_get_info()
        if self._kind == "mps":  # it is the host's memory, of which Metal may take a part
            total = int(torch.mps.recommended_max_memory())
            return max(0, total - int(torch.mps.driver_allocated_memory())), total
        return None, None

    def visible(self) -> tuple[int, int]:
        """Free and whole memory in bytes of what models run in: the GPU's, or the host's."""
        free, total = self.device()
        if free is not None and total is not None:
            return free, total
        host = host_memory()
        return host.available, host.total

    def for_models(self, held: int) -> int:
        """What models may take where they run, of which they hold ``held`` bytes already.

        The budget, or what is really there where other programs take their part.
        """
        free, _ = self.device()
        if self.budgets.device is None or free is None:
            return self.in_ram(held)
        return min(self.budgets.device, held + free)

    def in_ram(self, held: int) -> int:
        """What models may take in RAM, of which they hold ``held`` bytes already."""
        return min(self.budgets.ram, host_memory().available + held)

    def for_one(self, held: int) -> int:
        """What one model and its picture could have, were all the others gone.

        On a CPU the budget does not bind here: it says how many models may stay.
        """
        if self.budgets.device is None:
            return host_memory().available + held
        return self.for_models(held)
