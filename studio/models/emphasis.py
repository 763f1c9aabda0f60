"""Emphasis: how much each token counts, put onto what a text encoder made of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from studio.prompt.chunks import Chunk


def emphasised(
    hidden: torch.Tensor, chunks: Sequence[Chunk], keep_mean: bool = True
) -> torch.Tensor:
    """Hidden states (chunks, T, D), each token's multiplied with its weight; marks count 1.

    ``keep_mean``: each chunk is scaled so that the mean of its states is what it was, as A1111
    does by default ("Original"); without, it is A1111's "No norm". Chunks whose tokens all count 1
    come back to the last bit.
    """
    if all(chunk.plain for chunk in chunks):
        return hidden
    weights = torch.ones(hidden.shape[:2])
    for row, chunk in enumerate(chunks):
        weights[row, 1 : 1 + len(chunk.weights)] = torch.tensor(chunk.weights)
    weighed = hidden * weights[..., None].to(hidden)
    if not keep_mean:
        return weighed
    before, after = (each.mean(dim=(1, 2), keepdim=True) for each in (hidden, weighed))
    changed = torch.tensor([not chunk.plain for chunk in chunks], device=hidden.device)
    usable = changed[:, None, None] & (after != 0)
    return weighed * torch.where(usable, before / after, torch.ones_like(before))
