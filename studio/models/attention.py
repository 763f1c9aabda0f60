"""Which attention the UNet uses: PyTorch's or xformers', measured once on the user's card.

On a CPU there is no choice to make. Tried there and not kept: SD 1.5's self-attention at 512²
written out in chunks of bf16 products is a quarter faster than PyTorch's kernel at best, and its
scores lose precision; with fp32 scores it is slower.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from studio.models.placement import Placement
from studio.models.residency import AttentionWish
from studio.sentences import Sentence, read, say, write

Attention = Literal["sdpa", "xformers"]

_SHAPE = (2, 4096, 8, 40)  # rows, tokens, heads, width of a head: SD 1.5 at 512 × 512
_ROUNDS = 20
_MARGIN = 1.03  # a difference within the noise is none

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AttentionChoice:
    """The attention in use, and a sentence that says why."""

    name: Attention
    reason: Sentence


def choose_attention(
    wish: AttentionWish, placement: Placement, cache: Path | None = None
) -> AttentionChoice:
    """The attention for a device; what was measured on a card is kept in ``cache``.

    Kept, so that the pictures do not change from one start to the next.
    """
    device = placement.device
    if device.type != "cuda":
        if wish == "xformers":
            reason = say("PyTorch's attention: xformers needs an NVIDIA card.")
        else:
            reason = say("PyTorch's attention: the only one here.")
        return AttentionChoice("sdpa", reason)
    if wish == "sdpa":
        return AttentionChoice("sdpa", say("PyTorch's attention: chosen by --attention sdpa."))
    card = f"{torch.cuda.get_device_name()} · torch {torch.__version__} · {placement.dtype}"
    kept = _kept(cache, card) if wish == "auto" else None
    if kept is not None:
        return kept
    try:
        ways = _ways(device, placement.dtype)
        seconds = {name: _timed(way) for name, way in ways.items()}
    except Exception as error:  # whatever its kernels say: there is another way
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        log.warning("xformers does not work here (%s); using PyTorch's attention.", line)
        return AttentionChoice("sdpa", say("PyTorch's attention: xformers does not work here."))
    if wish == "xformers":
        return AttentionChoice("xformers", say("xformers: chosen by --attention xformers."))
    choice = faster(seconds)
    _keep(cache, card, choice)
    return choice


def faster(seconds: Mapping[Attention, float]) -> AttentionChoice:
    """The quicker of two; PyTorch's unless xformers is clearly ahead."""
    ours, theirs = seconds["sdpa"], seconds["xformers"]
    name: Attention = "xformers" if theirs * _MARGIN < ours else "sdpa"
    return AttentionChoice(
        name,
        say(
            "{attention}: measured on this card, PyTorch {ours:.2f} ms, xformers {theirs:.2f} ms.",
            attention=_label(name),
            ours=ours * 1e3,
            theirs=theirs * 1e3,
        ),
    )


def _label(name: Attention) -> str:
    return say("PyTorch's attention") if name == "sdpa" else "xformers"


def use_attention(unet: Any, choice: AttentionChoice) -> None:
    """Give a UNet the attention; where xformers refuses this UNet, PyTorch's stays."""
    if choice.name != "xformers" or unet is None:
        return
    try:
        unet.enable_xformers_memory_efficient_attention()
    except Exception as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        log.warning("xformers does not take this model (%s); using PyTorch's attention.", line)


def _ways(device: torch.device, dtype: torch.dtype) -> dict[Attention, Callable[[], Any]]:
    from xformers.ops import memory_efficient_attention

    one = torch.randn(_SHAPE, device=device, dtype=dtype)
    turned = one.transpose(1, 2)
    return {
        "sdpa": lambda: torch.nn.functional.scaled_dot_product_attention(turned, turned, turned),
        "xformers": lambda: memory_efficient_attention(one, one, one),
    }


def _timed(way: Callable[[], Any]) -> float:
    """Seconds a call on a CUDA device, after warming up."""
    for _ in range(3):
        way()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(_ROUNDS):
        way()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / _ROUNDS


def _kept(cache: Path | None, card: str) -> AttentionChoice | None:
    if cache is None:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        entry = json.loads((cache / "attention.json").read_text("utf-8"))[card]
        if entry["name"] in get_args(Attention):
            return AttentionChoice(entry["name"], read(entry["reason"]))
    return None


def _keep(cache: Path | None, card: str, choice: AttentionChoice) -> None:
    """Beside what other cards, formats and versions of PyTorch were measured to do."""
    if cache is None:
        return
    path, known = cache / "attention.json", {}
    with suppress(OSError, ValueError):
        before = json.loads(path.read_text("utf-8"))
        known = before if isinstance(before, dict) else {}
    known[card] = {"name": choice.name, "reason": write(choice.reason)}
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known, ensure_ascii=False), "utf-8")
