"""``outpaint``: the four sides as one object, as programs give them, beside the fields for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.complete import PartialRequest
from studio.errors import InvalidRequest
from studio.request import MAX_OUTPAINT
from studio.sentences import say

SIDES = ("left", "top", "right", "bottom")


def spread(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with ``outpaint`` as the four fields it stands for.

    A side that is left out, or None, is left as it was. Raises InvalidRequest when it is no object
    or names another side.
    """
    taken = dict(values)
    given = taken.pop("outpaint", None)
    if given is None:
        return taken
    if not isinstance(given, Mapping) or not given.keys() <= {*SIDES}:
        sentence = say("Outpaint must be an object with some of: {known}.", known=SIDES)
        raise InvalidRequest.of("outpaint", sentence)
    named = {side: pixels for side, pixels in given.items() if pixels is not None}
    return taken | {f"outpaint_{side}": pixels for side, pixels in named.items()}


def request_schema() -> dict[str, Any]:
    """The description of a request in which everything may be left out, ``outpaint`` with it."""
    schema = PartialRequest.model_json_schema()
    side = {"type": "integer", "minimum": 0, "maximum": MAX_OUTPAINT}
    schema["properties"]["outpaint"] = {
        "type": "object",
        "title": "Outpaint",
        "description": "Pixels that are drawn on each side; the same as the four fields alone.",
        "properties": dict.fromkeys(SIDES, side),
        "additionalProperties": False,
    }
    return schema
