"""Names that people give to styles and presets, and the ids that are made of them."""

from __future__ import annotations

from studio.errors import InvalidRequest
from studio.request import MAX_NAME
from studio.sentences import say

MAX_ID = MAX_NAME


def checked_name(name: object) -> str:
    """A name without spaces around it. Raises InvalidRequest when it is empty or too long."""
    plain = " ".join(name.split()) if isinstance(name, str) else ""
    if not plain or len(plain) > MAX_NAME or not _writable(plain):
        raise InvalidRequest.of(
            "name", say("A name has between 1 and {most} characters.", most=MAX_NAME)
        )
    return plain


def checked_id(identifier: str) -> str:
    """The id itself. Raises InvalidRequest when an address could not hold it."""
    allowed = all(letter.isalnum() or letter in "-_" for letter in identifier)
    if not identifier or len(identifier) > MAX_ID or not allowed:
        raise InvalidRequest.of("id", say("An id is made of letters, digits and hyphens."))
    return identifier


def _writable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
