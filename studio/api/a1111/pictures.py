"""Pictures in A1111's bodies: in base64, or as a data address; a mask as A1111 reads one."""

from __future__ import annotations

import base64

from PIL import Image, ImageOps

from studio import images
from studio.api.foreign import Refused
from studio.images.reading import as_mask, from_base64, read_picture
from studio.sentences import say


def given(text: str, field: str) -> Image.Image:
    """The picture. Raises InvalidRequest for ``field``; Refused for an address elsewhere."""
    return read_picture(from_base64(at_hand(text), field), field)


def at_hand(text: str) -> str:
    """The text, when it is no address of another host: the studio asks none."""
    if text[:8].lower().startswith(("http://", "https://")):
        raise Refused(500, say("This studio fetches no picture from elsewhere: send it in base64."))
    return text


def mask(text: str, invert: bool, size: tuple[int, int]) -> str:
    """The mask as ours, in base64: white is drawn anew, at the start picture's ``size``.

    As in A1111 the transparency of a mask that has any is the mask, and not its colours.
    """
    picture = given(text, "mask_image")
    see_through = picture.mode == "RGBA" and picture.getextrema()[-1] != (255, 255)
    plain = picture.getchannel("A") if see_through else as_mask(picture)
    if invert:
        plain = ImageOps.invert(plain)
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.LANCZOS)
    return sent(images.encode_png(plain))


def sent(content: bytes) -> str:
    """A file in base64, without anything before it."""
    return base64.b64encode(content).decode()
