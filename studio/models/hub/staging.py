"""Where a download grows: a hidden folder beside its goal, which nothing lists, moved when whole.

models/checkpoints/.downloads/<name>-<key>/plan.json    what it will be, so that it can go on
models/checkpoints/.downloads/<name>-<key>/content/…    its files
models/.installed.json                                  what came from the hub, by its place
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import HubError, StorageError
from studio.models.hub.fetch import PART
from studio.models.hub.plan import FOLDER_OF_KIND, Plan, read_plan
from studio.models.sizes import size_words
from studio.models.weights import read_object
from studio.sentences import say
from studio.storage import storage_errors, write_whole

_HIDDEN = ".downloads"
_KEPT_FREE = 256 * 1024 * 1024  # bytes that an install leaves on the disk


@dataclass(frozen=True)
class Place:
    """The folders of one install. ``models`` is the studio's models folder."""

    models: Path
    plan: Plan

    @property
    def goal(self) -> Path:
        """Where the model will be: a folder, or a file."""
        suffix = ".safetensors" if self.plan.layout == "file" else ""
        return self.models / FOLDER_OF_KIND[self.plan.kind] / f"{self.plan.name}{suffix}"

    @property
    def staging(self) -> Path:
        """The hidden folder: one for each repository, revision and file, whatever they are called.

        So two models of one name never continue each other's files.
        """
        meant = f"{self.plan.repo_id}@{self.plan.revision}:{self.plan.origin or ''}"
        key = hashlib.sha256(meant.encode()).hexdigest()[:12]
        name = self.plan.repo_id.rpartition("/")[2][:60]
        return self.goal.parent / _HIDDEN / f"{name}-{key}"

    @property
    def content(self) -> Path:
        """The hidden folder's part that becomes the model."""
        return self.staging / "content"

    def open(self) -> None:
        """Make the hidden folder and note the plan there. Raises StorageError, HubError."""
        with storage_errors(self.content):
            self.content.mkdir(parents=True, exist_ok=True)
            needed = self.plan.total - self.kept() + _KEPT_FREE
            free = shutil.disk_usage(self.content).free
        if free < needed:
            raise HubError(
                say(
                    "{size} are still to come, but the disk of {folder} has "
                    "{free} free: make room, then resume.",
                    size=size_words(self.plan.total - self.kept()),
                    folder=self.goal.parent,
                    free=size_words(free),
                )
            )
        plan = json.dumps(self.plan.as_values(), indent=1)
        write_whole(self.staging / "plan.json", plan.encode())

    def kept(self) -> int:
        """Bytes that are there already."""
        there = 0
        for file in self.plan.files:
            for path in (self.content / file.target, self.content / f"{file.target}{PART}"):
                with suppress(OSError):
                    there += min(file.size, path.stat().st_size)
                    break
        return there

    def finish(self) -> None:
        """Move the whole model to its goal in one step, and note where it came from."""
        whole = self.plan.layout == "folder"
        source = self.content if whole else self.content / self.plan.files[0].target
        with storage_errors(self.goal.parent):
            if self.goal.exists():
                raise HubError(
                    say("{where} is there already; move it away, then resume.", where=self.goal)
                )
            source.rename(self.goal)
        remember(self.models, self)
        self.discard()

    def discard(self) -> None:
        """Delete what was fetched so far."""
        shutil.rmtree(self.staging, ignore_errors=True)
        with suppress(OSError):
            self.staging.parent.rmdir()  # when nothing else is on its way there


def unfinished(models: Path) -> list[Place]:
    """The downloads that an earlier run left behind."""
    places = []
    for folder in FOLDER_OF_KIND.values():
        for note in sorted((models / folder / _HIDDEN).glob("*/plan.json")):
            try:
                place = Place(models, read_plan(read_object(note)))
            except (KeyError, TypeError, ValueError):
                continue
            if place.staging == note.parent:
                places.append(place)
    return places


def remember(models: Path, place: Place) -> None:
    """Note that a model came from the hub."""
    entries = read_object(models / ".installed.json")
    where = place.goal.relative_to(models).as_posix()
    plan = place.plan
    entries[where] = {"repo_id": plan.repo_id, "revision": plan.revision, "file": plan.origin}
    with suppress(StorageError):  # the model is there; only the note would be missing
        write_whole(models / ".installed.json", json.dumps(entries, indent=1).encode())


def installed(models: Path) -> dict[tuple[str, str | None], str]:
    """Repository and file (None for a whole one) -> where its model lies, relative to ``models``.

    Only of those that still do.
    """
    entries: dict[str, Any] = read_object(models / ".installed.json")
    return {
        (str(entry["repo_id"]), entry.get("file")): where
        for where, entry in entries.items()
        if isinstance(entry, dict) and "repo_id" in entry and (models / where).exists()
    }


def own_place(models: Path, plan: Plan) -> Place:
    """Where this model is, or would go: never where another one is, even of the same name."""
    where = installed(models).get((plan.repo_id, plan.origin))
    for name in _names(plan):
        place = Place(models, replace(plan, name=name))
        if not place.goal.exists() or place.goal.relative_to(models).as_posix() == where:
            return place
    raise AssertionError("there is always another name")


def _names(plan: Plan) -> Iterator[str]:
    """Its own name, then with its owner's, then with numbers."""
    yield plan.name
    longer = f"{plan.name}-{plan.repo_id.partition('/')[0]}"
    yield longer
    for number in itertools.count(2):
        yield f"{longer}-{number}"
