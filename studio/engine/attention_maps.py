"""What a UNet looks at: its attention, collected while it works and left as it was.

Cross-attention says for every place how much each token of the prompt counts there; self-attention
which places belong together. Source: Tang et al. 2022, What the DAAM, arXiv:2210.04885, sections
3.1 and 3.2; here the maps of one resolution are averaged over heads, layers and calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

MOST_PLACES = 1100
"""Self-attention is collected at resolutions of at most so many places: its size is their square"""


class AttentionMaps:
    """The mean attention of some rows of a UNet's batches, by resolution.

    ``grid``: height and width of the latents. ``rows``: which of a batch, such as those of the
    prompt and not of the negative one; their number need not be the same in every call.
    """

    def __init__(self, grid: tuple[int, int], rows: slice = slice(None)) -> None:
        self._rows, self._levels = rows, _levels(grid)
        self._cross: dict[int, _Mean] = {}
        self._self: dict[int, _Mean] = {}

    def of_tokens(self, positions: Sequence[int], size: tuple[int, int]) -> torch.Tensor:
        """How much the tokens at ``positions`` count at each place: ``size`` (rows, columns), 0…1.

        A position counts from the sequence's begin mark. Every resolution is enlarged (or reduced)
        to ``size``, and all have the same say. Raises ValueError when nothing was collected.
        """
        maps = []
        for places, mean in self._cross.items():
            tokens = mean.value[:, [*positions]].mean(1).reshape(1, 1, *self._levels[places])
            maps.append(torch.nn.functional.interpolate(tokens, size, mode="bicubic")[0, 0])
        if not maps:
            raise ValueError("this UNet has no cross-attention, or it was not called")
        return spread_out(torch.stack(maps).mean(0))

    def gathered(self, positions: Sequence[int]) -> torch.Tensor:
        """As `of_tokens`, carried to the places that belong together: the finest (rows, columns).

        Each place takes the mean of those that it looks at itself, which fills an outline and
        keeps to its edge. Source: Wang et al. 2023, arXiv:2309.02773, section 3.3, with one round.
        """
        if not self._self:
            return self.of_tokens(positions, self._levels[max(self._cross, default=0)])
        places = max(self._self)
        rough = self.of_tokens(positions, self._levels[places])
        return spread_out((self._self[places].value @ rough.flatten()).reshape(rough.shape))

    def take(self, attention: Any, hidden: torch.Tensor, told: torch.Tensor | None) -> None:
        """Note one attention's weights from its inputs: ``hidden`` (B, places, D).

        ``told``: what cross-attention looks at (B, T, D'); None for self-attention.
        """
        places = hidden.shape[1]
        if places not in self._levels or (told is None and places > MOST_PLACES):
            return
        rows = hidden[self._rows]
        seen = rows if told is None else told[self._rows]
        means = self._self if told is None else self._cross
        means.setdefault(places, _Mean()).add(_weights(attention, rows, seen))


@contextmanager
def collecting(
    unet: Any, grid: tuple[int, int], rows: slice = slice(None)
) -> Iterator[AttentionMaps]:
    """While the block runs, the attention of every call of ``unet`` is collected.

    Hooks do it, from the layers' inputs: its processors, weights and results are not touched.
    Blocks that were compiled run as they are written meanwhile, for compiled code sees no hooks.
    """
    maps, handles, compiled = AttentionMaps(grid, rows), [], []

    def note(attention: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        told = named.get("encoder_hidden_states", given[1] if len(given) > 1 else None)
        maps.take(attention, given[0] if given else named["hidden_states"], told)

    for name, module in unet.named_modules():
        if getattr(module, "_compiled_call_impl", None) is not None:
            compiled.append((module, module._compiled_call_impl))
            module._compiled_call_impl = None
        if name.rpartition(".")[2] in ("attn1", "attn2"):
            handles.append(module.register_forward_pre_hook(note, with_kwargs=True))
    try:
        yield maps
    finally:
        for handle in handles:
            handle.remove()
        for module, call in compiled:
            module._compiled_call_impl = call


class _Mean:
    """The mean of tensors of one shape, in fp32 on the CPU."""

    def __init__(self) -> None:
        self._sum: torch.Tensor | None = None
        self._count = 0

    def add(self, tensor: torch.Tensor) -> None:
        one = tensor.cpu()
        if self._sum is not None and self._sum.shape != one.shape:  # a prompt of another length
            return
        self._sum = one if self._sum is None else self._sum + one
        self._count += 1

    @property
    def value(self) -> torch.Tensor:
        if self._sum is None:
            raise ValueError("nothing was added")
        return self._sum / self._count


@torch.no_grad()
def _weights(attention: Any, hidden: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """An attention's weights (places, T), the mean over rows and heads."""
    query, key = attention.to_q(hidden), attention.to_k(told)
    heads = int(attention.heads)
    query, key = (each.unflatten(-1, (heads, -1)).transpose(1, 2).float() for each in (query, key))
    total = torch.zeros(hidden.shape[1], told.shape[1], device=hidden.device)
    for head in range(heads):  # one at a time: all of them would be gigabytes
        scores = query[:, head] @ key[:, head].transpose(-1, -2) * float(attention.scale)
        total += scores.softmax(-1).mean(0)
    return total / heads


def _levels(grid: tuple[int, int]) -> dict[int, tuple[int, int]]:
    """Number of places -> rows and columns, of the latents and of every halving of them."""
    levels, (rows, columns) = {}, grid
    while (rows * columns) not in levels:
        levels[rows * columns] = (rows, columns)
        rows, columns = -(-rows // 2), -(-columns // 2)
    return levels


def spread_out(values: torch.Tensor) -> torch.Tensor:
    """The values moved and stretched to 0…1; zeros where they are all the same."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else torch.zeros_like(values)
