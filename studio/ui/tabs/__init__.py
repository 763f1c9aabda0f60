"""One room of the page per file. To add one: a file with ``build`` and a line in TABS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from studio.bootstrap import Studio
from studio.ui.tabs import animate, canvas, create, gallery, models

TABS: Mapping[str, Callable[[Studio, Any], None]] = MappingProxyType(
    {
        "create": create.build,
        "canvas": canvas.build,
        "animate": animate.build,
        "gallery": gallery.build,
        "models": models.build,
    }
)
