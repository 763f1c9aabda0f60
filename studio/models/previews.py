"""A picture of what a model paints: one that lies with it, as A1111 and its like keep them."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from studio.images import thumbnail
from studio.models.base import ModelInfo

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_FORMATS = ("PNG", "JPEG", "WEBP")
_LARGEST = 40_000_000  # bytes
SIDE = 384


def preview_file(info: ModelInfo) -> Path | None:
    """``preview.png`` in a model's folder; ``name.preview.png`` or ``name.png`` beside a file."""
    if info.path.is_dir():
        candidates = [info.path / f"preview{ending}" for ending in _ENDINGS]
    else:
        stem = info.path.with_suffix("").name
        names = [f"{stem}{middle}{ending}" for middle in (".preview", "") for ending in _ENDINGS]
        candidates = [info.path.with_name(name) for name in names]
    try:
        return next((path for path in candidates if path.is_file()), None)
    except OSError:
        return None


def preview_version(info: ModelInfo) -> int | None:
    """A number that changes with the picture; None without one."""
    path = preview_file(info)
    try:
        return path.stat().st_mtime_ns // 1_000_000 if path else None
    except OSError:  # it went away this moment
        return None


def preview(info: ModelInfo) -> bytes | None:
    """The picture as a small WebP, drawn anew: no other content can come out; None without one."""
    path = preview_file(info)
    if path is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if path.stat().st_size > _LARGEST:
                return None
            with Image.open(path, formats=_FORMATS):
                return thumbnail(path, SIDE)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Warning):
        return None
    except Image.DecompressionBombError:
        return None
