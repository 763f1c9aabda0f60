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
WARM_COMMAND = f"{COMMAND} --warm-start assets/pocket"
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
    able = torch.cpu.get_capabilities()
    names = {"amx_bf16": "AMX bf16", "avx512_bf16": "AVX512 bf16", "bf16": "bf16"}
    fast = next((label for key, label in names.items() if able.get(key)), "no bf16 of its own")
    return f"{os.cpu_count()} CPU cores, {fast}"


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


def write_card(
    folder: Path, size: int, progress: Mapping[str, Progress], seed: int, start: Path | None
) -> None:
    """Write `card.json` beside the weights; metrics of an older card are dropped.

    `start`: the model folder that the training began with; what it had seen is kept.
    """
    card = {
        "name": "pocket",
        "command": WARM_COMMAND if start else COMMAND,
        "seed": seed,
        **({"started_from": _ancestry(start)} if start else {}),
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


def _ancestry(start: Path) -> dict[str, Any]:
    """What the older model's card says of its training, and of the one before it."""
    kept = ("code_version", "samples_seen", "hours", "hardware", "started_from")
    return {key: value for key, value in load_card(start).items() if key in kept}


def load_card(folder: Path) -> dict[str, Any]:
    """Read `card.json` of a model folder."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    return card


def save_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write `card.json` of a model folder."""
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (folder / "card.json").write_text(text, "utf-8")
