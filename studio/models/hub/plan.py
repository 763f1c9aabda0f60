"""What an install would fetch: a few files of known size, decided before anything is downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studio.models.base import Kind, Layout
from studio.sentences import Sentence, from_json

FOLDER_OF_KIND: Mapping[Kind, str] = {
    "checkpoint": "checkpoints",
    "vae": "vae",
    "lora": "loras",
    "embedding": "embeddings",
    "upscaler": "upscalers",
    "translator": "translators",
}
"""Kind -> the folder under ``models/`` that such a model is put in."""


@dataclass(frozen=True)
class RepoFile:
    """A file of a repository: its ``path`` there, its size in bytes, its hash as the hub says it.

    ``sha256`` is known for large files (LFS), ``blob`` (git's own hash) for small ones.
    ``target`` is where it goes, relative to the folder that is installed.
    """

    path: str
    size: int
    sha256: str | None = None
    blob: str | None = None
    target: str = ""


@dataclass(frozen=True)
class Plan:
    """An install before it happens.

    ``name`` is the folder or file stem it gets; ``page`` the repository's page for people;
    ``allowed`` is False when its licence must be accepted on that page first; ``problem`` is one
    sentence why it cannot be installed (None when it can); ``choices`` are the single files to
    choose from when the repository holds several models.
    """

    repo_id: str
    revision: str
    page: str
    name: str
    kind: Kind
    layout: Layout
    files: tuple[RepoFile, ...]
    licence: str | None = None
    gated: bool = False
    allowed: bool = True
    problem: Sentence | None = None
    choices: tuple[RepoFile, ...] = ()

    @property
    def total(self) -> int:
        """Bytes to fetch in all."""
        return sum(file.size for file in self.files)

    @property
    def origin(self) -> str | None:
        """The one file of the repository that is meant; None for a folder."""
        return self.files[0].path if self.layout == "file" and self.files else None

    def as_values(self) -> dict[str, Any]:
        """The plan as JSON values; `read_plan` reads them."""
        problem = self.problem.as_json() if self.problem else None
        return {**asdict(self), "problem": problem}


def read_plan(values: Mapping[str, Any]) -> Plan:
    """A plan from its JSON values. Raises KeyError, TypeError or ValueError when they are not."""
    files = {
        name: tuple(RepoFile(**each) for each in values[name]) for name in ("files", "choices")
    }
    problem = from_json(values["problem"]) if values.get("problem") else None
    plan = Plan(**{**values, **files, "problem": problem})
    for file in plan.files:  # the text may have come from a disk or a wire: nothing leads elsewhere
        parts = file.target.split("/")
        if file.size < 0 or not all(parts) or ".." in parts or "\\" in file.target:
            raise ValueError(file.target)
    return plan
