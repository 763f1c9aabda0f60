"""Pictures and sounds that come in: from base64 or a picture's id to the hash they are kept by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from studio.animation.sound import check_sound
from studio.errors import InvalidRequest
from studio.gallery import Gallery
from studio.gallery.picture import parse_id
from studio.images.frame import best_size
from studio.images.masks import composite, is_empty
from studio.images.reading import as_mask, from_base64, not_a_picture, read_picture
from studio.models.upscalers.asked import too_large
from studio.request import MAX_OUTPAINT, MAX_RESULT, MAX_SCALE, MAX_SIDE
from studio.sentences import say
from studio.sides import SIDES, spread
from studio.sources import Sources, is_hash, not_kept
from studio.storage import storage_errors


class Incoming:
    """Reads, checks and keeps what a request starts from. Any thread but an event loop's."""

    def __init__(self, sources: Sources, gallery: Gallery) -> None:
        self._sources, self._gallery = sources, gallery

    def taken_in(self, values: Mapping[str, Any], visitor: str, native: int) -> dict[str, Any]:
        """The values with pictures as hashes, and with the size to draw at where none is given.

        ``native``: the side in pixels that the model was trained at. Raises InvalidRequest with a
        sentence for the picture that is wrong, StorageError.
        """
        taken = spread(values)
        given = {name: taken.pop(name, None) for name in ("init_image", "mask_image")}
        start, mask = (self._picture(name, given[name], visitor) for name in given)
        if start is None:
            if mask is not None:
                raise InvalidRequest.of("mask_image", say("A mask needs a start picture."))
            return taken
        keep = self._sources.keep
        taken["init_image"] = self._hash(given["init_image"], start)
        if mask is not None:
            mask = _checked(as_mask(mask), start)
            taken["mask_image"] = _again(given["mask_image"]) or keep(mask)
        size = _grown(_enlarged(start.size, taken), taken)
        if taken.get("tile_size") is None and size != start.size and _scale(taken) > 1:
            taken["tile_size"] = native
            if taken.get("tile_overlap") is None:  # an eighth: 64 for most, less for a small model
                taken["tile_overlap"] = native // 64 * 8
        if _draws_whole(taken):
            taken["width"], taken["height"] = best_size(size, native, MAX_SIDE)
        return taken

    def kept(
        self, given: object, visitor: str, field: str = "image"
    ) -> tuple[str, tuple[int, int]]:
        """The hash and the size in pixels of a picture, which is kept when this returns.

        Raises InvalidRequest for ``field``, NotFound, StorageError.
        """
        picture = self._picture(field, given, visitor)
        if picture is None:
            raise not_a_picture(field)
        return self._hash(given, picture), picture.size

    def covered(self, given: object, over: object, visitor: str) -> tuple[str, tuple[int, int]]:
        """The same for a picture with another one laid ``over`` it, of the same size.

        Where that is transparent the picture stays as it is, to the bit.
        """
        picture, upper = (
            self._picture("image", given, visitor),
            self._picture("over", over, visitor),
        )
        if picture is None or upper is None:
            raise not_a_picture("image" if picture is None else "over")
        digest = self._sources.keep(_laid(upper, picture))
        if origin := self._origin(given):
            self._gallery.note_origin(digest, origin)
        return digest, picture.size

    def with_sound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an animation with its sound as a hash, kept when this returns.

        Raises InvalidRequest when it cannot be read, is not kept, or ends before it begins.
        """
        taken = dict(values)
        given = taken.pop("sound", None)
        if given in (None, ""):
            return taken
        taken["sound"], seconds = self.kept_sound(given)
        start = taken.get("sound_start")
        if seconds and isinstance(start, int | float) and start >= seconds:
            sentence = say(
                "The sound is {seconds} s long, and the film would begin at {start} s of it.",
                seconds=f"{seconds:.1f}", start=f"{start:g}",
            )  # fmt: skip
            raise InvalidRequest.of("sound_start", sentence)
        return taken

    def kept_sound(self, given: object, field: str = "sound") -> tuple[str, float | None]:
        """The hash of a sound, which is kept when this returns, and its seconds as its file says.

        Raises InvalidRequest for ``field``, StorageError.
        """
        if not isinstance(given, str):
            raise _no_sound(field)
        if is_hash(given):
            path = self._sources.sound(given, field)
            self._sources.renew(given)
            with storage_errors(path):
                return given, check_sound(path.read_bytes(), field)
        content = from_base64(given, field, _no_sound)
        seconds = check_sound(content, field)
        return self._sources.keep_sound(content), seconds

    def _picture(self, field: str, given: object, visitor: str) -> Image.Image | None:
        if given in (None, ""):
            return None
        if not isinstance(given, str):
            raise not_a_picture(field)
        if is_hash(given):
            if not self._sources.renew(given):
                raise not_kept(given, field)
            return self._sources.get(given, field)
        if parse_id(given):
            return read_picture(self._file_of(field, given, visitor), field)
        return read_picture(from_base64(given, field), field)

    def _hash(self, given: object, picture: Image.Image) -> str:
        """The hash of a picture; one of the gallery is remembered as what is made from it."""
        if again := _again(given):
            return again
        digest = self._sources.keep(picture)
        if origin := self._origin(given):
            self._gallery.note_origin(digest, origin)
        return digest

    def _origin(self, given: object) -> str | None:
        """The id of the picture of the gallery that was given, by its own id or as a source."""
        if again := _again(given):
            return self._gallery.origin_of(again)
        return given if isinstance(given, str) and parse_id(given) else None

    def _file_of(self, field: str, identifier: str, visitor: str) -> bytes:
        """The file of a visitor's own picture."""
        picture = self._gallery.get(identifier)
        if picture.visitor != visitor:
            sentence = say("The picture “{picture}” is another visitor's.", picture=identifier)
            raise InvalidRequest.of(field, sentence)
        with storage_errors(picture.path):
            return picture.path.read_bytes()


def _scale(values: Mapping[str, Any]) -> float:
    """How much larger the start picture is to become, as far as that is a number."""
    scale = values.get("upscale_scale")
    return float(scale) if isinstance(scale, int | float) and 1 <= scale <= MAX_SCALE else 1.0


def _enlarged(size: tuple[int, int], values: Mapping[str, Any]) -> tuple[int, int]:
    """The size after enlarging. Raises InvalidRequest when that is more than can be made."""
    scale = _scale(values)
    larger = (round(size[0] * scale), round(size[1] * scale))
    if scale > 1 and max(larger) > MAX_RESULT:
        raise too_large("upscale_scale", larger)
    return larger


def _grown(size: tuple[int, int], values: Mapping[str, Any]) -> tuple[int, int]:
    """The size with what is added to it, as far as that is given in numbers that are possible."""
    added = []
    for side in SIDES:
        pixels = values.get(f"outpaint_{side}")
        possible = isinstance(pixels, int) and 0 <= pixels <= MAX_OUTPAINT
        added.append(pixels if possible and pixels else 0)
    return size[0] + added[0] + added[2], size[1] + added[1] + added[3]


def _again(given: object) -> str | None:
    """The hash, when a picture was given by its hash: it is kept already."""
    return given if isinstance(given, str) and is_hash(given) else None


def _no_sound(field: str) -> InvalidRequest:
    return InvalidRequest.of(field, say("Give a sound's file in base64, or the hash of one here."))


def _checked(mask: Image.Image, start: Image.Image) -> Image.Image:
    """The mask, when it lies on the whole picture and leaves something to be drawn."""
    if mask.size != start.size:
        raise InvalidRequest.of(
            "mask_image",
            say(
                "The mask is {width} × {height} and the start picture {across} × {down}; "
                "they must have the same size.",
                width=mask.width, height=mask.height, across=start.width, down=start.height,
            ),
        )  # fmt: skip
    if is_empty(mask):
        sentence = say("The mask is empty: make white what should be drawn anew.")
        raise InvalidRequest.of("mask_image", sentence)
    return mask


def _laid(upper: Image.Image, picture: Image.Image) -> Image.Image:
    """The picture under another one, with the profile that it had."""
    if upper.size != picture.size:
        raise InvalidRequest.of("over", say("What is laid on a picture must have its size."))
    upper = upper.convert("RGBA")
    plain = picture if picture.mode == "RGBA" else picture.convert("RGB")
    laid = composite(plain, upper.convert("RGB"), upper.getchannel("A"))
    laid.info = {**picture.info}
    return laid


def _draws_whole(values: Mapping[str, Any]) -> bool:
    """Whether a picture is drawn whole, at a size that nobody asked for."""
    sized = values.get("width") is not None or values.get("height") is not None
    kept = values.get("resize_mode") in (None, "keep")
    return not sized and kept and values.get("inpaint_area") in (None, "whole")
