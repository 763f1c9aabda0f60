"""How a model and a picture share a device's memory: one pure decision, and why. No torch here.

The figures for what a network needs beside its weights were counted on the real classes at full
size, tensor by tensor on the meta device: at most 260 bytes per pixel and row for the UNet (SDXL's
takes 160) and 1,540 bytes per pixel for the decoder, in two-byte numbers and without the score
matrix of attention, which neither SDPA nor xformers writes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from studio.sentences import Sentence, say

Mode = Literal["full", "text_encoder_off", "model_offload", "sequential_offload"]
MemoryChoice = Literal["auto", "full", "text_off", "tiled", "low", "minimal"]

UNET_BYTES = 260  # per pixel and row, in two-byte numbers
DECODER_BYTES = 1540  # per pixel, in two-byte numbers
TILE = 512  # pixels: the side of one tile of the decoder
_WORKSPACE = 1.5  # convolutions and the allocator's gaps take about half as much again
_BASE = 300 * 2**20  # the libraries' own buffers on a device

# From the fastest to the smallest: how the parts are kept, and whether the decoder works in tiles.
_LADDER: tuple[tuple[Mode, bool], ...] = (
    ("full", False),
    ("text_encoder_off", False),
    ("full", True),
    ("text_encoder_off", True),
    ("model_offload", False),
    ("model_offload", True),
    ("sequential_offload", True),
)
_CPU_LADDER: tuple[tuple[Mode, bool], ...] = (("full", False), ("full", True))
_CHOSEN: Mapping[MemoryChoice, tuple[Mode, bool]] = {
    "full": ("full", False),
    "text_off": ("text_encoder_off", False),
    "tiled": ("full", True),
    "low": ("model_offload", True),
    "minimal": ("sequential_offload", True),
}


@dataclass(frozen=True)
class Work:
    """A picture's size in pixels, and how many are drawn at once."""

    width: int = 512
    height: int = 512
    batch: int = 1

    @property
    def pixels(self) -> int:
        """Of all pictures of one batch."""
        return self.width * self.height * self.batch


@dataclass(frozen=True)
class Weights:
    """Bytes of weights by part (diffusers' names), of their largest layer, and of one number."""

    parts: Mapping[str, int]
    largest_layer: int = 0
    itemsize: int = 2

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return sum(self.parts.values())

    @property
    def text(self) -> int:
        """Bytes of the text encoders."""
        return sum(size for name, size in self.parts.items() if name.startswith("text_encoder"))


@dataclass(frozen=True)
class Plan:
    """How a model is kept while it paints; ``needed`` is the peak in bytes on its device.

    ``full``: everything stays there. ``text_encoder_off``: the text encoders leave once they have
    read the prompt. ``model_offload``: one part at a time. ``sequential_offload``: one layer at a
    time. ``tile_vae``: the decoder works in tiles. ``reason`` is a sentence for people.
    """

    mode: Mode
    tile_vae: bool
    needed: int
    reason: Sentence

    @property
    def rung(self) -> tuple[Mode, bool]:
        """What the plan does, without its numbers."""
        return self.mode, self.tile_vae


def plan(
    free: int | None,
    weights: Weights,
    work: Work,
    device: str,
    choice: MemoryChoice = "auto",
) -> Plan:
    """The fastest way to keep ``weights`` that leaves room for ``work``.

    ``free``: bytes that the device could give to this model alone, None when that is not known
    (then everything stays). ``device``: "cpu", "cuda" or "mps"; on a CPU the parts are where they
    must be already, so only the decoder's tiles can help. ``choice``: what the user wants instead.
    """
    if choice != "auto":
        mode, tiled = _CHOSEN[choice]
        rung: tuple[Mode, bool] = ("full", tiled) if device == "cpu" else (mode, tiled)
        needed = needed_bytes(rung, weights, work)
        reason = say(
            "Chosen by --memory {choice}: {does}.", choice=choice, does=_does(rung, device)
        )
        return Plan(*rung, needed, reason)
    ladder = _ladder(device)
    if free is None:
        needed = needed_bytes(ladder[0], weights, work)
        does = _does(ladder[0], device)
        reason = say("How much is free is not known: {does}.", does=does)
        return Plan(*ladder[0], needed, reason)
    for rung in ladder:
        needed = needed_bytes(rung, weights, work)
        if needed <= free:
            return Plan(*rung, needed, _why(rung, ladder[0], needed, free, weights, work, device))
    needed = needed_bytes(ladder[-1], weights, work)
    return Plan(*ladder[-1], needed, _too_little(ladder[-1], needed, free, work, device))


def tighter(present: Plan, weights: Weights, work: Work, device: str) -> Plan | None:
    """The next plan that needs less, after memory ran out under ``present``; None at the end."""
    ladder = _ladder(device)
    below = ladder[ladder.index(present.rung) + 1 :] if present.rung in ladder else ()
    for rung in below:
        needed = needed_bytes(rung, weights, work)
        if needed < present.needed or (rung[1] and not present.tile_vae):
            reason = say("Memory ran out, so {does}.", does=_does(rung, device))
            return Plan(*rung, min(needed, present.needed), reason)
    return None


def fallback(first: Plan, floor: Plan, weights: Weights, work: Work, device: str) -> Plan:
    """``first``, or ``floor`` (under which as much work fitted once) where that is tighter."""
    ladder = _ladder(device)
    rungs = (first.rung, floor.rung)
    if any(rung not in ladder for rung in rungs) or ladder.index(rungs[0]) >= ladder.index(
        rungs[1]
    ):
        return first
    return replace(floor, needed=needed_bytes(floor.rung, weights, work))


def needed_bytes(rung: tuple[Mode, bool], weights: Weights, work: Work) -> int:
    """The peak on the device in bytes: weights that are there, and what the networks write."""
    mode, tiled = rung
    painting, decoding = _unet_bytes(weights, work), _decoder_bytes(weights, work, tiled)
    parts, text, vae = weights.parts, weights.text, weights.parts.get("vae", 0)
    if mode == "full":
        peak = weights.total + max(painting, decoding)
    elif mode == "text_encoder_off":
        peak = max(weights.total, weights.total - text + max(painting, decoding))
    elif mode == "model_offload":
        others = [size for name, size in parts.items() if name != "vae"]
        peak = max(max(others, default=0), parts.get("unet", 0) + painting, vae + decoding)
    else:
        peak = weights.largest_layer + max(painting, decoding)
    return peak + _BASE


def gib(size: float) -> str:
    """Bytes in words: "6.9 GiB"."""
    return f"{size / 2**30:.1f} GiB"


def _unet_bytes(weights: Weights, work: Work) -> int:
    """Guidance doubles the rows: the prompt and the negative prompt go through together."""
    return int(UNET_BYTES * _WORKSPACE * 2 * work.pixels * weights.itemsize / 2)


def _decoder_bytes(weights: Weights, work: Work, tiled: bool) -> int:
    """Pictures are decoded one by one."""
    pixels = work.width * work.height
    if tiled:
        pixels = min(pixels, TILE * TILE)
    return int(DECODER_BYTES * _WORKSPACE * pixels * weights.itemsize / 2)


def _ladder(device: str) -> tuple[tuple[Mode, bool], ...]:
    return _CPU_LADDER if device == "cpu" else _LADDER


def _does(rung: tuple[Mode, bool], device: str) -> Sentence:
    """What a plan does, as the end of a sentence."""
    mode, tiled = rung
    what = {
        "full": say("everything stays on the GPU"),
        "text_encoder_off": say("the text encoder leaves the GPU once it has read the prompt"),
        "model_offload": say("only the part at work is on the GPU"),
        "sequential_offload": say("only the layer at work is on the GPU, which is slow"),
    }[mode]
    if device == "cpu":
        what = say("everything stays in memory")
    return say("{what}, and the picture is decoded in tiles", what=what) if tiled else what


def _why(
    rung: tuple[Mode, bool],
    first: tuple[Mode, bool],
    needed: int,
    free: int,
    weights: Weights,
    work: Work,
    device: str,
) -> Sentence:
    picture = f"{work.width} × {work.height}" + (f" × {work.batch}" if work.batch > 1 else "")
    does = _does(rung, device)
    if rung == first:
        return say(
            "{needed} for {picture} fit into the {free} that can be had, so {does}.",
            needed=gib(needed), picture=picture, free=gib(free), does=does,
        )  # fmt: skip
    return say(
        "Of the {wanted} that {picture} would take, {free} can be had, so {does} ({needed}).",
        wanted=gib(needed_bytes(first, weights, work)),
        picture=picture, free=gib(free), does=does, needed=gib(needed),
    )  # fmt: skip


def _too_little(
    rung: tuple[Mode, bool], needed: int, free: int, work: Work, device: str
) -> Sentence:
    return say(
        "Even the smallest way takes about {needed} for {width} × {height}, and {free} can be "
        "had; it is tried all the same: {does}.",
        needed=gib(needed), width=work.width, height=work.height, free=gib(free),
        does=_does(rung, device),
    )  # fmt: skip
