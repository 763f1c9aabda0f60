"""What a person types or pastes as the address of a model -> repository, revision, file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from studio.errors import InvalidRequest
from studio.sentences import say

_PART = re.compile(r"[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_LONGEST = 500


@dataclass(frozen=True)
class Address:
    """A repository of the hub; ``file`` when one file of it is meant."""

    repo_id: str
    revision: str | None = None
    file: str | None = None

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.repo_id.split("/")[-1]


def read_address(text: object, file: object = None) -> Address:
    """``owner/name``, ``owner/name/file.safetensors``, or the address of a page of the hub.

    Raises InvalidRequest naming the field ``repo_id``.
    """
    if not isinstance(text, str) or len(text) > _LONGEST or not text.strip():
        raise InvalidRequest.of("repo_id", say("Name a repository of the hub as owner/name."))
    given = text.strip()
    if "://" in given:
        given = unquote(urlsplit(given).path)
    owner, name, *rest = [*given.strip("/").split("/"), "", ""]
    if not _PART.fullmatch(owner) or not _PART.fullmatch(name) or ".." in f"{owner}{name}":
        sentence = say(
            "“{given}” is not a repository of the hub; those look like owner/name.",
            given=text.strip(),
        )
        raise InvalidRequest.of("repo_id", sentence)
    revision, inside = _rest([part for part in rest if part])
    chosen = file if isinstance(file, str) and file else inside
    return Address(f"{owner}/{name}", revision, chosen or None)


def _rest(parts: list[str]) -> tuple[str | None, str]:
    """Revision and file after owner and name: ``blob/main/a/b.safetensors``, or a bare path."""
    if parts and parts[0] in ("tree", "blob", "resolve"):
        revision = parts[1] if len(parts) > 1 else None
        return revision, "/".join(parts[2:]) if parts[0] != "tree" else ""
    return None, "/".join(parts)
