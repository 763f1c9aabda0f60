"""Presets: requests of which a part is written down under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.complete import complete
from studio.errors import NotFound
from studio.sentences import say
from studio.sides import spread
from studio.wordbook.names import checked_id, checked_name
from studio.wordbook.shelf import Shelf


@dataclass(frozen=True)
class Preset:
    """``values``: some of GenerationRequest's fields, each within its bounds."""

    id: str
    name: str
    values: Mapping[str, Any]


class Presets:
    """A person's presets. Any thread may call it."""

    def __init__(self, path: Path) -> None:
        self._shelf: Shelf[Preset] = Shelf(path, _read, _row)

    def list(self) -> list[Preset]:
        """In the order in which they were first kept."""
        return self._shelf.list()

    def put(self, identifier: str, name: object, values: Mapping[str, Any]) -> Preset:
        """Keep a preset. Raises InvalidRequest with one problem for each value that is wrong."""
        given = {field: value for field, value in spread(values).items() if value is not None}
        complete(given, {})
        preset = Preset(checked_id(identifier), checked_name(name), given)
        self._shelf.put([preset])
        return preset

    def remove(self, identifier: str) -> None:
        """Let a preset go. Raises NotFound."""
        if not self._shelf.remove(identifier):
            raise NotFound(say("There is no preset “{preset}”.", preset=identifier[:60]))


def _read(row: Mapping[str, Any]) -> Preset:
    return Preset(str(row["id"]), str(row["name"]), dict(row["values"]))


def _row(preset: Preset) -> Mapping[str, Any]:
    return {"id": preset.id, "name": preset.name, "values": dict(preset.values)}
