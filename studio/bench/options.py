"""The bench's command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from studio.bench.subject import RANDOM

Against = Literal["parts", "fp32", "half"]
AGAINST: tuple[Against, ...] = get_args(Against)
Chapter = Literal[
    "startup",
    "gallery",
    "words",
    "loading",
    "swapping",
    "merging",
    "painting",
    "inpainting",
    "enlarging",
    "animation",
]
CHAPTERS: tuple[Chapter, ...] = get_args(Chapter)


@dataclass(frozen=True)
class Options:
    """What is to be measured. None for what the model and the device decide."""

    model: str
    random: str | None
    device: str
    size: int | None
    steps: tuple[int, ...] | None
    batch: tuple[int, ...] | None
    rounds: int | None
    against: tuple[Against, ...]
    chapters: tuple[Chapter, ...]
    folder: Path | None
    json: Path | None


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """The options of a run. Leaves with a sentence when they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.bench",
        description="Measure this machine: the studio against plain diffusers, in one run.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--model", metavar="NAME", default="pocket", help="an installed model (default: pocket)"
    )
    which.add_argument(
        "--random", choices=RANDOM, help="a model of full size with random weights, made for it"
    )
    parser.add_argument(
        "--device", default="auto", choices=["auto", "cpu", "cuda", "mps"],
        help="where it runs (default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--only", nargs="+", choices=CHAPTERS, metavar="CHAPTER",
        help=f"some chapters alone: {', '.join(CHAPTERS)} (default: all; startup is measured "
        "with pocket alone)",
    )  # fmt: skip
    parser.add_argument(
        "--against", nargs="+", choices=AGAINST, default=AGAINST, metavar="WAY",
        help="what painting is compared with: parts (the studio's own, called bare), fp32, half "
        "(plain diffusers in these numbers; default: all three)",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=_size, metavar="PIXELS", help="width and height (default: the model's)"
    )
    parser.add_argument(
        "--steps", type=_steps, nargs="+", metavar="N",
        help="steps a picture (default: 20; with --random 4 on a CPU)",
    )  # fmt: skip
    parser.add_argument(
        "--batch", type=_count, nargs="+", metavar="N", help="pictures at once (default: 1)"
    )
    parser.add_argument(
        "--rounds", type=_count, metavar="N",
        help="how often each is measured (default: 7; with --random 2 on a CPU)",
    )  # fmt: skip
    parser.add_argument(
        "--folder", type=Path, help="where what is only needed meanwhile is written"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures to this file"
    )
    return _options(parser.parse_args(arguments))


def _options(given: argparse.Namespace) -> Options:
    bundled = given.random is None and given.model == "pocket"
    chapters = given.only or (CHAPTERS if bundled else CHAPTERS[1:])
    several: dict[str, Any] = {
        name: tuple(getattr(given, name)) if getattr(given, name) else None
        for name in ("steps", "batch")
    }
    return Options(
        model=given.model, random=given.random, device=given.device, size=given.size,
        rounds=given.rounds, against=cast("tuple[Against, ...]", tuple(given.against)),
        chapters=cast("tuple[Chapter, ...]", tuple(chapters)),
        folder=given.folder, json=given.json, **several,
    )  # fmt: skip


def _count(text: str) -> int:
    return _number(text, 1, 16)


def _steps(text: str) -> int:
    return _number(text, 2, 150)


def _size(text: str) -> int:
    size = _number(text, 64, 2048)
    if size % 8:
        raise argparse.ArgumentTypeError(f"{text} is no multiple of 8")
    return size


def _number(text: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no whole number") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{value} is not from {least} to {most}")
    return value
