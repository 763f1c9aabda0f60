"""How much arithmetic a UNet call is, and how much the machine can do: both counted, not quoted."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from studio.bench.meters import now
from studio.models.networks import empty_unet
from studio.models.placement import Placement

_TOKENS = 77
_SIDE = {"cpu": 2048, "mps": 4096, "cuda": 8192}
_ROUNDS = 5


def unet_flops(config: Any, rows: int, height: int, width: int) -> int:
    """Floating-point operations of one UNet call, a multiplication and an addition being two.

    ``config``: the UNet's own; ``rows``: the batch; ``height``, ``width``: of the latents. Counted
    by PyTorch on a network without weights: matrix products, convolutions, and
    attention's own two products.
    """
    unet = empty_unet(config)
    with torch.device("meta"):
        latents = torch.empty(rows, int(config["in_channels"]), height, width)
        text = torch.empty(rows, _TOKENS, int(config["cross_attention_dim"]))
        added = None
        if config.get("addition_embed_type") == "text_time":
            ids = 6
            size = int(config["addition_time_embed_dim"])
            pooled = int(config["projection_class_embeddings_input_dim"]) - ids * size
            added = {"text_embeds": torch.empty(rows, pooled), "time_ids": torch.empty(rows, ids)}
        timestep = torch.empty(())
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        unet(latents, timestep, encoder_hidden_states=text, added_cond_kwargs=added)
    return int(counter.get_total_flops())


def matmul_rate(placement: Placement) -> float:
    """Operations a second of a large matrix product in a placement's numbers, at its best.

    The best of several rounds: it is what the machine can do when nobody disturbs it.
    """
    device, side = placement.device, _SIDE[placement.device.type]
    left = torch.randn(side, side, device=device).to(placement.dtype)
    right = torch.randn(side, side, device=device).to(placement.dtype)
    torch.mm(left, right)
    seconds = []
    for _ in range(_ROUNDS):
        began = now(device)
        torch.mm(left, right)
        seconds.append(now(device) - began)
    return 2 * side**3 / min(seconds)
