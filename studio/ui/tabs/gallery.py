"""The Gallery tab: an empty room; assets/js/gallery.js hangs the pictures."""

from __future__ import annotations

from typing import Any

from studio.bootstrap import Studio
from studio.ui.html import mount_point


def build(studio: Studio, words: Any) -> None:
    """Everything ever made, newest first."""
    mount_point("gallery")
