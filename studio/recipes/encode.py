"""A picture as a file of any format that browsers know, with its recipe in it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from PIL import Image

from studio import images, infotext
from studio.recipes import exif, files
from studio.request import GenerationRequest

Format = Literal["png", "jpeg", "webp"]
MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
)
QUALITY: Final = 92
_LONGEST_EXIF: Final = 65_533  # in bytes: what one segment of a JPEG takes


def encode(
    image: Image.Image,
    kind: Format,
    quality: int,
    request: GenerationRequest,
    model_hash: str | None = None,
) -> bytes:
    """The file. In a PNG the recipe is a text chunk, in the others EXIF, as A1111 writes it.

    ``quality``: 1 to 100, for JPEG and WebP. EXIF that is too long for a JPEG is not written; then
    segments of our own carry the recipe.
    """
    if kind == "png":
        return images.encode_png(image, infotext.png_info(request, model_hash))
    comment = exif.with_comment(infotext.write(request, model_hash))
    plain = image.convert("RGB")
    buffer = io.BytesIO()
    if kind == "webp":
        plain.save(buffer, "WEBP", quality=quality, method=4, exif=comment)
    else:
        carried: dict[str, Any] = (
            {"exif": comment}
            if len(comment) <= _LONGEST_EXIF
            else {"extra": files.packed(infotext.recipe(request, model_hash))}
        )
        plain.save(
            buffer, "JPEG", quality=quality, subsampling=0, optimize=True,
            icc_profile=image.info.get("icc_profile"), **carried,
        )  # fmt: skip
    return buffer.getvalue()
