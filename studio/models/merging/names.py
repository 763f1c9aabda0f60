"""What a merged model may be called: its name becomes a file's on any system. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from studio.errors import InvalidRequest
from studio.sentences import Sentence, say

SUFFIX = ".safetensors"
HIDDEN = ".merges"
"""The folder beside the models in which a merge grows until it is whole."""
LONGEST = 100
_LONGEST_FILE_NAME = 255  # bytes, on most systems
_FORBIDDEN = frozenset('/\\:*?"<>|')
_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10)))
)


def check_name(given: Any) -> str:
    """The name without spaces around it. Raises InvalidRequest when no file could have it."""
    name = given.strip() if isinstance(given, str) else ""
    if problem := _problem(name):
        raise InvalidRequest.of("name", problem)
    return name


def _problem(name: str) -> Sentence | None:
    if not name:
        return say("Give the result a name.")
    try:
        size = len(f"{name}{SUFFIX}".encode())
    except UnicodeEncodeError:
        return say("The name has half of a character in it (a lone surrogate).")
    if len(name) > LONGEST or size > _LONGEST_FILE_NAME:
        return say("The name is too long: at most {most} characters.", most=LONGEST)
    if not name.isprintable():
        return say("The name becomes that of a file and cannot have invisible characters in it.")
    if found := next((each for each in name if each in _FORBIDDEN), None):
        return say("The name becomes that of a file and cannot have “{sign}” in it.", sign=found)
    if name.startswith(".") or name.endswith("."):
        return say("The name becomes that of a file and cannot begin or end with a full stop.")
    if name.partition(".")[0].casefold() in _DEVICES or name.casefold().endswith(SUFFIX):
        return say("“{name}” cannot be a model's name: choose another.", name=name)
    return None


def check_free(name: str, taken: Iterable[str], folder: Path) -> None:
    """Raise InvalidRequest when a model has this name, or a file or folder of models."""
    wanted = name.casefold()
    lying = any((folder / each).exists() for each in (name, f"{name}{SUFFIX}"))
    if lying or wanted in {each.casefold() for each in taken}:
        what = say("There is a model called “{name}” already: choose another name.", name=name)
        raise InvalidRequest.of("name", what)
