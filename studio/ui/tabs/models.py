"""The Models tab: what is installed, and where to put more; drawn by assets/js/models.js."""

from __future__ import annotations

from typing import Any

from studio.bootstrap import Studio
from studio.ui.html import mount_point


def build(studio: Studio, words: Any) -> None:
    """A list of the models there are, and the folder that more of them go to."""
    folders = [str(folder) for folder in studio.settings.models_dir]
    mount_point("models", folder=str(studio.settings.models), folders=folders)
