"""A stranger's file -> a picture of 8 bits in RGB or RGBA, or one sentence why not."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from studio.errors import InvalidRequest
from studio.sentences import Sentence, say

MAX_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def read_picture(content: bytes, field: str) -> Image.Image:
    """The picture in a file, upright as its EXIF says, in RGB, or RGBA where it is transparent.

    Of an animation it is the first frame; 16 bits and CMYK become 8 bits and RGB; a colour profile
    is in ``info``. Raises InvalidRequest for ``field``; nothing is decoded before the size is known
    to be bearable.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InvalidRequest.of(field, _too_large(image.width, image.height))
            image.load()
            return _plain(ImageOps.exif_transpose(image))
    except InvalidRequest:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidRequest.of(field, _far_too_large()) from None
    except UnidentifiedImageError:
        raise InvalidRequest.of(field, _no_picture()) from None
    except Exception:  # Pillow's decoders raise whatever a damaged file leads them to
        raise InvalidRequest.of(
            field, say("The picture's file is damaged or incomplete.")
        ) from None


def not_a_picture(field: str) -> InvalidRequest:
    """The refusal of what is neither a picture's file nor the id of one."""
    sentence = say("Give a picture's file in base64, or the id of a picture here.")
    return InvalidRequest.of(field, sentence)


def from_base64(
    text: str, field: str, refused: Callable[[str], InvalidRequest] = not_a_picture
) -> bytes:
    """The file that base64 stands for, with or without ``data:image/…;base64,`` before it.

    Raises what ``refused`` makes of ``field``.
    """
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refused(field) from None


def as_mask(picture: Image.Image) -> Image.Image:
    """A mask (mode L, 255 = repaint) from a picture: its brightness, 0 where it is transparent."""
    if picture.mode == "RGBA":
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture)
    return picture.convert("L")


def flattened(picture: Image.Image) -> Image.Image:
    """The picture in RGB as a model sees it: what is transparent lies on white."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, picture).convert("RGB")


def _plain(image: Image.Image) -> Image.Image:
    """8 bits in RGB or RGBA. The colours' profile stays with numbers that stay what they were."""
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64).clip(0, 65_535)
        image = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    elif image.mode == "F":
        numbers = np.nan_to_num(np.asarray(image, dtype=np.float64))
        whole = numbers * 255 if numbers.max(initial=0.0) <= 1 else numbers
        image = Image.fromarray(whole.clip(0, 255).round().astype(np.uint8))
    plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    plain.info = {"icc_profile": profile} if profile else {}  # a recipe of its own stays behind
    return plain


def _too_large(width: int, height: int) -> Sentence:
    return say(
        "The picture has {width} × {height} pixels; at most {most} million can be used.",
        width=width, height=height, most=MAX_PIXELS // 1_000_000,
    )  # fmt: skip


def _far_too_large() -> Sentence:
    most = MAX_PIXELS // 1_000_000
    return say(
        "The picture is far too large; at most {most} million pixels can be used.", most=most
    )


def _no_picture() -> Sentence:
    return say("This is no picture in one of the formats {known}.", known=FORMATS)
