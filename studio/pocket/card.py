"""The model's report card: how it was made, what it can do, which settings suit it."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from studio.pocket.architecture import VISION_SIZE
from studio.pocket.loop import Progress

COMMAND = "python -m studio.pocket.train --out training"
DEFAULTS: Mapping[str, Any] = {
    "sampler": "dpmpp_2m",
    "sigma_schedule": "karras",
    "num_inference_steps": 20,
    "guidance_scale": 2.5,
}


def hardware() -> str:
    """Name what is trained on, without naming the machine."""
    if torch.cuda.is_available():
        return f"1 x {torch.cuda.get_device_name()}, bf16"
    return f"{os.cpu_count()} CPU cores, AVX512/AMX bf16"


def code_version() -> str:
    """Return the commit that is checked out, or "unknown"."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def write_card(folder: Path, size: int, progress: Mapping[str, Progress], seed: int) -> None:
    """Write `card.json` beside the weights; metrics of an older card are dropped."""
    card = {
        "name": "pocket",
        "command": COMMAND,
        "seed": seed,
        "samples_seen": {stage: p.samples for stage, p in progress.items()},
        "hours": {stage: round(p.seconds / 3600, 2) for stage, p in progress.items()},
        "hardware": hardware(),
        "code_version": code_version(),
        "native_size": size,
        "image_encoder": {"size": VISION_SIZE, "mean": [0.5] * 3, "std": [0.5] * 3},
        "languages": ["en", "zh"],
        "metrics": {},
        "defaults": {"width": size, "height": size, **DEFAULTS},
    }
    save_card(folder, card)


def load_card(folder: Path) -> dict[str, Any]:
    """Read `card.json` of a model folder."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    return card


def save_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write `card.json` of a model folder."""
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (folder / "card.json").write_text(text, "utf-8")
