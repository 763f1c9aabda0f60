"""The Animate tab: keyframes in a row and the film of them (assets/js/animate), beside the desk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.animation.request import MAX_KEYFRAMES
from studio.bootstrap import Studio
from studio.ui.animation_fields import keyframe_fields, leg_fields, shared_fields
from studio.ui.html import mount_point


def build(studio: Studio, words: Any) -> None:
    """The timeline and the player; what holds for all frames stands on the desk."""
    mount_point(
        "animate",
        leg=leg_fields(),
        own=keyframe_fields(),
        shared=shared_fields(),
        most=MAX_KEYFRAMES,
        examples=load_animations(studio.settings.presets, studio.settings.assets),
    )


def load_animations(presets: Path, assets: Path) -> list[dict[str, Any]]:
    """The example animations; ``poster`` says whether its picture lies in assets/examples."""
    entries: list[dict[str, Any]] = json.loads((presets / "animations.json").read_text("utf-8"))
    return [
        {**entry, "poster": (assets / "examples" / f"{entry['id']}.webp").is_file()}
        for entry in entries
    ]
