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
Chapter = Literal["startup", "words", "painting", "loading", "swapping"]
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
    which.add_argument("--model", default="pocket", help="which model paints (default: pocket)")
    which.add_argument(
        "--random",
        choices=RANDOM,
        help="a model of full size with random weights",
    )
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument("--size", type=_size, help="width and height (default: the model's)")
    parser.add_argument(
        "--steps", type=_steps, nargs="+", help="steps; on a CPU a model of full size takes 4"
    )
    parser.add_argument("--batch", type=_count, nargs="+", help="pictures at once (default: 1)")
    parser.add_argument("--rounds", type=_count, help="times each way paints (default: 7, or 2)")
    parser.add_argument(
        "--against", nargs="+", choices=AGAINST, default=AGAINST,
        help="what the studio is compared with: its bare parts, plain diffusers in fp32, in half",
    )  # fmt: skip
    parser.add_argument(
        "--only", nargs="+", choices=CHAPTERS,
        help="some chapters alone; start-up belongs to the bundled model",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, help="where a random model is written meanwhile")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
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
