"""What a request's fields share: bounds, kinds of text, and how they stand in a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

MAX_PROMPT = 10_000
MAX_SIDE = 2048
MAX_SEED = 2**32 - 1
MAX_NAME = 100
MAX_MODEL = 500
MAX_PICTURES = 64
MAX_STYLES = 20
MAX_OUTPAINT = 1024
MAX_RESULT = 8192
"""The longest side, in pixels, of what is made larger."""
MAX_SCALE = 8
LEAST_TILE = 64


def infotext(
    key: str, unless: str | int | tuple[()] | None = None, only_with: str | None = None
) -> dict[str, Any]:
    """The key under which the field stands in a picture's parameters, as A1111 writes it.

    ``unless``: the usual value, which is not written. ``only_with``: another field, without which
    this one means nothing and is not written.
    """
    return {"infotext": key, "unless": unless, "only_with": only_with}


def _writable(text: str) -> str:
    """``text``, when every file and database can hold it."""
    if "\0" in text:
        raise ValueError("null")
    return text


Text = Annotated[str, AfterValidator(_writable)]
Texts = Annotated[tuple[Text, ...], Field(max_length=MAX_PICTURES)]
Names = Annotated[
    tuple[Annotated[Text, Field(min_length=1, max_length=MAX_NAME)], ...],
    Field(max_length=MAX_STYLES),
]

Kept = Annotated[Text, Field(pattern=r"^([0-9a-f]{64})?$")]
"""The SHA-256 of a picture that is kept beside the recipes (`studio.sources`); empty for none."""

ResizeMode = Literal["keep", "stretch", "crop", "fill", "latent"]
Tiling = Literal["none", "x", "y", "both"]
InpaintArea = Literal["whole", "masked"]
MaskedContent = Literal["original", "fill", "noise", "nothing"]

RESOLVED: dict[str, Any] = {"resolved": True}
"""Marks what the studio finds out when a request is handed in; nobody gives it."""
