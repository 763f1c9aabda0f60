"""What people may do with models in memory: load, let go, choose the one a new page starts with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studio.errors import InvalidRequest, StudioError
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.residency import ResidentModel
from studio.sentences import say
from studio.settings import Settings
from studio.storage import write_whole

if TYPE_CHECKING:
    from studio.models.store import ModelStore


class AsksTheWorker(Protocol):
    """Has something done in the worker's thread, as soon as no job is running."""

    def __call__(self, do: Callable[[], Any]) -> Future[Any]:
        """The result, or the error, comes with the future."""


@dataclass(frozen=True)
class MemoryReport:
    """In bytes: what the device has and uses, what models may take, and what is resident.

    ``device`` is None until torch is there to tell. ``plan`` says in a sentence how the model that
    was used last is kept; ``attention`` which attention runs, and why.
    """

    device: str | None = None
    total: int | None = None
    free: int | None = None
    used: int | None = None
    budget: int | None = None
    ram_budget: int | None = None
    plan: str | None = None
    attention: str | None = None
    resident: tuple[ResidentModel, ...] = field(default=())


class ModelKeeper:
    """Any thread may call it. ``store`` is there once the worker has made it."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings, self._catalog = settings, catalog
        self._path = settings.data_dir / "default-model.json"
        self._lock = threading.Lock()
        self._chosen = _read(self._path)
        self.store: ModelStore | None = None

    @property
    def default(self) -> str:
        """The model a new page starts with: the command line's, else the chosen one if it is there.

        Else the one that ships.
        """
        if "model" in self._settings.model_fields_set or not self._chosen:
            return self._settings.model
        with suppress(InvalidRequest):
            return self._catalog.find(self._chosen).name
        return self._settings.model

    def make_default(self, name: str) -> str:
        """Start new pages with a model from now on, after a restart too. Raises InvalidRequest."""
        info = self._usable(name)
        with self._lock:
            write_whole(self._path, json.dumps({"model": info.name}).encode())
            self._chosen = info.name
        return info.name

    def load(self, name: str, ask: AsksTheWorker) -> Future[None]:
        """Bring a model to its device. Raises InvalidRequest; the future may hold a StudioError."""
        info = self._usable(name)

        def do() -> None:
            if self.store is None:
                raise StudioError(say("PyTorch could not be started; the log has the details."))
            from studio.engine.memory import acquire  # torch is there when the store is

            acquire(self.store, info.name)

        return ask(do)

    def unload(self, name: str | None, ask: AsksTheWorker) -> Future[None]:
        """Let a model go, or all of them for None. The future has NotFound when it is not there."""

        def do() -> None:
            if self.store is not None:
                self.store.release(name)

        return ask(do)

    def rest(self) -> None:
        """Let go of what was not used for ``keep_alive`` minutes. In the worker's thread."""
        if self.store is not None and self._settings.keep_alive:
            self.store.release_idle(self._settings.keep_alive * 60)

    @property
    def resident(self) -> tuple[str, ...]:
        """The models in memory, the last used first."""
        return self.store.resident if self.store else ()

    def report(self) -> MemoryReport:
        """How full the memory is, and with what."""
        store = self.store
        if store is None:
            return MemoryReport()
        seen, budgets, resident = store.memory(), store.budgets, store.residents
        used = None if seen.total is None or seen.free is None else seen.total - seen.free
        plan = next((one.plan.reason for one in resident if one.plan), None)
        return MemoryReport(
            store.device_label, seen.total, seen.free, used, budgets.device, budgets.ram, plan,
            store.attention.reason, resident,
        )  # fmt: skip

    def _usable(self, name: str) -> ModelInfo:
        return self._catalog.find(name)


def _read(path: Path) -> str | None:
    """The model that was chosen; None when none was, or the file is not ours."""
    try:
        chosen = json.loads(path.read_text("utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return chosen if isinstance(chosen, str) else None
