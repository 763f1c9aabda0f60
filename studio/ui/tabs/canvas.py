"""The Canvas tab: the easel of assets/js/canvas beside the desk, which it shares with Create."""

from __future__ import annotations

from typing import Any

from studio.bootstrap import Studio
from studio.ui.html import mount_point


def build(studio: Studio, words: Any) -> None:
    """A picture to paint on; what is set for it stands on the desk (`studio.ui.desk`)."""
    mount_point("canvas")
