"""The Create tab: the desk (Gradio controls) and the stage (assets/js/stage.js) side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from studio.bootstrap import Studio
from studio.ui.desk import build_desk
from studio.ui.html import mount_point


def build(studio: Studio, words: Any) -> None:
    """Desk and stage."""
    examples = load_examples(studio.settings.presets, studio.settings.assets)
    with gr.Row(elem_id="create"):
        build_desk(studio, words)
        with gr.Column(elem_id="stage-column"):
            mount_point("stage", examples=examples)


def load_examples(presets: Path, assets: Path) -> list[dict[str, Any]]:
    """The example prompts; ``picture`` says whether its picture lies in assets/examples."""
    entries: list[dict[str, Any]] = json.loads((presets / "examples.json").read_text("utf-8"))
    return [
        {**entry, "picture": (assets / "examples" / f"{entry['id']}.webp").is_file()}
        for entry in entries
    ]
