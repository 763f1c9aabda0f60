"""OpenAI's fields of an image <-> ours: the one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from studio.api.foreign import Refused
from studio.api.table import Field, body_model, taken_by
from studio.sentences import say

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
_THEIR_MODELS = ("dall-e", "gpt-image", "chatgpt-image")

COMMON = (
    Field("prompt", str, "", "prompt"),
    Field("n", int, 1, "num_images"),
    Field("model", str, None, "model"),
)
_SHAPE = (
    Field("size", str, "auto", about="Such as 512x512; auto is the model's own size."),
    Field("response_format", Literal["url", "b64_json"], about="The address, or the file itself."),
    Field("output_format", Literal["png", "jpeg", "webp"], "png", about="Of the file."),
    Field("output_compression", int, about="The quality of JPEG and WebP, 1 to 100."),
    Field("stream", bool, False, about="Not part of this studio: leave it out."),
)
_TOLERATED = (
    "quality", "style", "background", "moderation", "user", "input_fidelity", "partial_images",
    "safety_identifier",
)  # fmt: skip

Generation = body_model(
    "Generation", COMMON, _SHAPE, [Field(name, Any, about="Ignored.") for name in _TOLERATED]
)
"""A body, of words alone or, as a form, beside pictures; what the studio has no use for is let
pass."""


def taken(body: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a request. "auto" is the model's own size; OpenAI's models are the default one.

    Raises Refused with one sentence.
    """
    if body["stream"]:
        sentence = say("“{name}” is not part of this studio: leave it out.", name="stream")
        raise Refused(400, sentence, "stream")
    values = taken_by(COMMON, body)
    if not str(values["prompt"]).strip():
        raise Refused(400, say("Give a prompt: what the picture shows."), "prompt")
    if str(values.get("model", "")).startswith(_THEIR_MODELS):
        del values["model"]
    return values | _sides(body["size"])


def _sides(size: str | None) -> dict[str, int]:
    if size in (None, "", "auto"):
        return {}
    if sides := _SIZE.fullmatch(size):
        return {"width": int(sides[1]), "height": int(sides[2])}
    raise Refused(
        400, say("“size” is “auto” or two sides in pixels, such as 512x512."), "size"
    )  # fmt: skip


def name_of(ours: str) -> str:
    """OpenAI's name of one of our fields."""
    other = {"width": "size", "height": "size", "init_image": "image", "mask_image": "mask"}
    names = {field.ours: field.name for field in COMMON} | other
    return names.get(ours, ours)
