"""Train pocket on one accelerator, the stages side by side, within a number of minutes.

    python -m studio.pocket.lanes --out training --warm-start assets/pocket --minutes 9

Small networks leave most of a GPU idle, drawing pictures needs only the host, and compiling needs
neither: every stage is a process of its own that compiles at once and then waits for what it needs.
What is trained is written with `python -m studio.pocket.train --stage export`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Lane:
    """What a stage waits for, and its share of the minutes (0: as long as it takes)."""

    after: tuple[str, ...] = ()
    share: float = 0.0


PLAN: Final[Mapping[str, Lane]] = MappingProxyType(
    {
        "captions": Lane(),
        "renders": Lane(("captions",)),
        "autoencoder": Lane(share=0.25),
        "clip": Lane(("captions",), 0.2),
        "classifier": Lane(share=0.14),
        "latents": Lane(("renders", "autoencoder")),
        "diffusion": Lane(("latents", "clip"), 0.48),
        "few-steps": Lane(("diffusion",), 0.08),
    }
)


def _command(stage: str, options: argparse.Namespace) -> list[str]:
    lane = PLAN[stage]
    words = [sys.executable, "-m", "studio.pocket.train", "--stage", stage]
    words += ["--out", str(options.out), "--pictures", str(options.pictures)]
    words += ["--after", ",".join(lane.after)]
    if lane.share:
        words += ["--minutes", str(lane.share * options.minutes)]
    if options.warm_start:
        words += ["--warm-start", str(options.warm_start)]
    if stage == "renders":
        words += ["--workers", str(max(1, (os.cpu_count() or 1) - 3))]
    return words


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train pocket with its stages side by side.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and data")
    parser.add_argument("--warm-start", type=Path, help="model folder whose weights to start from")
    parser.add_argument("--pictures", type=int, default=40_000, help="renders to learn from")
    parser.add_argument("--minutes", type=float, default=9.0, help="for the training stages in all")
    return parser.parse_args()


def main() -> int:
    """Start every lane; 1 if one failed, and what waits for it is stopped then."""
    options = _parse()
    options.out.mkdir(parents=True, exist_ok=True)
    first = [*_command("captions", options)]
    first[first.index("captions")] = "tokenizer"
    subprocess.run(first, check=True)
    began, failed = time.monotonic(), set[str]()
    running = {stage: _start(stage, options) for stage in PLAN}
    while running:
        time.sleep(0.2)
        for stage, process in list(running.items()):
            if failed.intersection(PLAN[stage].after):
                process.terminate()
            if (code := process.poll()) is None:
                continue
            del running[stage]
            if code:
                failed.add(stage)
            print(f"{time.monotonic() - began:6.1f} s  {stage} ended with {code}", flush=True)
    return 1 if failed else 0


def _start(stage: str, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    modest = {"TORCHINDUCTOR_COMPILE_THREADS": "4", "OMP_NUM_THREADS": "2"}
    with (options.out / f"{stage}.log").open("w") as log:
        return subprocess.Popen(
            _command(stage, options), env={**os.environ, **modest}, stdout=log, stderr=log
        )


if __name__ == "__main__":
    raise SystemExit(main())
