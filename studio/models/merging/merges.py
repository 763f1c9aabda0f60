"""Merges in the background: one at a time, in one thread; each can be stopped. No torch here."""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from studio.errors import NotFound, QueueFull, StudioError
from studio.models.catalog import Catalog
from studio.models.merging.names import HIDDEN, check_free
from studio.models.merging.order import Order, find_all
from studio.models.merging.recipe import Recipe, read_recipe
from studio.sentences import Sentence, say

MergeState = Literal["queued", "running", "done", "failed", "cancelled"]
ACTIVE = ("queued", "running")
MAX_WAITING = 20
_STOP_SECONDS = 0.5

log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Nobody wants this merge any more."""


@dataclass(frozen=True)
class Merge:
    """A merge at one moment; ``progress`` from 0 to 1, ``where`` the result's path once done."""

    id: str
    recipe: Recipe
    state: MergeState = "queued"
    progress: float = 0.0
    error: Sentence | None = None
    where: str | None = None


@dataclass
class _Entry:
    """A merge as the thread keeps it."""

    order: Order
    now: Merge = field(init=False)

    def __post_init__(self) -> None:
        self.now = Merge(secrets.token_hex(6), self.order.recipe)


class Merges:
    """What is being merged into ``folder``, and was since the studio started.

    Merges wait until `begin` was called.
    """

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self._folder, self._catalog = folder, catalog
        self._changed = threading.Condition()
        self._entries: dict[str, _Entry] = {}
        self._thread: threading.Thread | None = None
        self._ready = self._closed = False
        shutil.rmtree(folder / HIDDEN, ignore_errors=True)  # what a killed studio left behind

    def begin(self) -> None:
        """Let merges run from now on. Call it in the thread that imports torch, once it has.

        Libraries that load their parts when they are needed do not bear two threads at that.
        """
        from studio.models.merging import merge  # noqa: F401 - so that nothing is left to import

        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def list(self) -> list[Merge]:
        """Every merge of this run; oldest first."""
        with self._changed:
            return [entry.now for entry in self._entries.values()]

    def get(self, identifier: str) -> Merge:
        """One of them. Raises NotFound."""
        with self._changed:
            return self._find(identifier).now

    def start(self, values: Mapping[str, Any]) -> Merge:
        """Queue a merge. Raises InvalidRequest, one problem for each wrong field, and QueueFull."""
        recipe = read_recipe(values)
        order = find_all(self._catalog, recipe)
        taken = [info.name for info in self._catalog.list() if info.kind == "checkpoint"]
        with self._changed:
            coming = [each.now for each in self._entries.values() if each.now.state in ACTIVE]
            check_free(recipe.name, [*taken, *(each.recipe.name for each in coming)], self._folder)
            if len(coming) >= MAX_WAITING:
                what = say("{n} merges wait already; let some of them finish.", n=MAX_WAITING)
                raise QueueFull(what)
            entry = _Entry(order)
            self._entries[entry.now.id] = entry
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="merging", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return entry.now

    def cancel(self, identifier: str) -> None:
        """Stop a merge, of which nothing stays; one that has ended is forgotten instead.

        Raises NotFound.
        """
        with self._changed:
            entry = self._find(identifier)
            if entry.now.state in ACTIVE:
                entry.now = replace(entry.now, state="cancelled")
            else:
                del self._entries[identifier]

    def close(self) -> None:
        """Stop everything; what is half done is removed now, or at the next start."""
        with self._changed:
            self._closed = True
            for entry in self._entries.values():
                if entry.now.state in ACTIVE:
                    entry.now = replace(entry.now, state="cancelled")
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _find(self, identifier: str) -> _Entry:
        if identifier not in self._entries:
            raise NotFound(say("There is no merge “{merge}”.", merge=identifier))
        return self._entries[identifier]

    def _work(self) -> None:
        """The thread: one merge after another, oldest first."""
        while entry := self._next():
            try:
                where = self._merge(entry)
                self._set(entry, state="done", progress=1.0, where=str(where))
            except _Stopped:
                continue
            except StudioError as error:
                self._set(entry, state="failed", error=error.sentence)
            except MemoryError:
                what = say("There is not enough memory for this merge.")
                self._set(entry, state="failed", error=what)
            except Exception as error:  # the thread lives on, whatever one merge met
                log.exception("A merge failed")
                reason = f"{type(error).__name__}: {error}"
                what = say("The merge broke off ({reason}).", reason=reason)
                self._set(entry, state="failed", error=what)

    def _next(self) -> _Entry | None:
        """Wait for the next one; None when the studio stops."""
        with self._changed:
            while not self._closed:
                queued = [e for e in self._entries.values() if e.now.state == "queued"]
                if queued and self._ready:
                    queued[0].now = replace(queued[0].now, state="running")
                    return queued[0]
                self._changed.wait()
            return None

    def _merge(self, entry: _Entry) -> Path:
        from studio.models.merging.merge import merge  # `begin` has imported it, and torch

        return merge(entry.order, self._folder, lambda done, all_: self._came(entry, done / all_))

    def _came(self, entry: _Entry, progress: float) -> None:
        """Note how far it is. Raises _Stopped when nobody wants it any more."""
        with self._changed:
            if entry.now.state != "running":
                raise _Stopped
            entry.now = replace(entry.now, progress=progress)

    def _set(self, entry: _Entry, **changes: Any) -> None:
        """Note the end, unless it was stopped meanwhile."""
        with self._changed:
            if entry.now.state == "running":
                entry.now = replace(entry.now, **changes)
