"""Measure this machine: ``python -m studio.bench [--model pocket] [--size 256] [--json FILE]``.

Prints start-up times, what a picture costs and peak memory as a table; ``--json`` writes them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from studio.bench.report import Figure, as_json, as_table, machine
from studio.bench.startup import measure_startup
from studio.errors import StudioError
from studio.models.threads import share_the_cpu
from studio.request import complete
from studio.settings import Settings


def main() -> int:
    """Run the bench; 0 when every figure could be taken, 2 with a sentence otherwise."""
    parser = argparse.ArgumentParser(prog="python -m studio.bench", description=__doc__)
    parser.add_argument("--model", default="pocket", help="which model paints")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument("--size", type=int, default=256, help="width and height of the picture")
    parser.add_argument("--steps", type=int, default=20, help="denoising steps of the picture")
    parser.add_argument("--rounds", type=int, default=7, help="pictures per way of making them")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    try:
        figures = [*_startup(options.device), *_picture(options)]
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    print(machine(), as_table(figures), sep="\n\n")
    if options.json:
        options.json.write_text(as_json(figures, machine()) + "\n", encoding="utf-8")
    return 0


def _startup(device: str) -> list[Figure]:
    started = measure_startup(device)
    figures = [
        Figure("page answers after the start", started.page_seconds, "s", "at most 3"),
        Figure("first picture after the start", started.first_picture_seconds, "s", "at most 12"),
    ]
    if started.peak_memory_mib is not None:
        figures.append(Figure("peak memory of the server", started.peak_memory_mib, "MiB"))
    return figures


def _picture(options: argparse.Namespace) -> list[Figure]:
    share_the_cpu()
    from studio.models.catalog import Catalog
    from studio.models.store import ModelStore

    settings = Settings()
    store = ModelStore(Catalog([settings.assets, settings.models]), options.device)
    from studio.bench import picture  # after the store has quietened diffusers

    request = complete(
        {"prompt": picture.PROMPT, "seed": 1, "model": options.model, "width": options.size,
         "height": options.size, "num_inference_steps": options.steps},
        store.acquire(options.model).info.defaults.as_values(),
    )  # fmt: skip
    cost = picture.measure_picture(store, request, options.rounds)
    what = f"{options.model}, {cost.size}, {cost.steps} steps, {cost.device}"
    return [
        Figure(f"a picture ({what})", cost.studio_seconds, "s"),
        Figure("its UNet calls and decoding alone", cost.parts_seconds, "s"),
        Figure("studio / UNet calls and decoding", cost.over_parts, "×", "at most 1.15"),
        Figure("plain diffusers in fp32", cost.diffusers_seconds, "s"),
        Figure("studio / plain diffusers", cost.over_diffusers, "×", "below 1"),
    ]


if __name__ == "__main__":
    sys.exit(main())
