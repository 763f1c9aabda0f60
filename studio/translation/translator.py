"""Who translates: one thread that holds the network while it is used, and what it has said before.

torch is imported in that thread only, and not before somebody asks.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Protocol, TypeVar

from studio.errors import NotFound
from studio.jobs.errands import Errands
from studio.models.base import Kind, ModelInfo
from studio.sentences import say
from studio.translation.marks import translated

Result = TypeVar("Result")
KEPT: Final = 4_000
"""Clauses that are remembered."""


class Network(Protocol):
    """What translates clauses."""

    def __call__(self, clauses: Sequence[str]) -> Sequence[str]:
        """Each clause in the other language."""


class Catalog(Protocol):
    """What is needed of the catalog."""

    def of_kind(self, kind: Kind) -> Sequence[ModelInfo]:
        """The models of one kind that can be used."""


def load_marian(info: ModelInfo) -> Network:
    """The real network. Raises ModelError."""
    from studio.translation.marian import Marian

    return Marian(info.path, info.name)


class Translator:
    """Chinese prompts into English ones. Any thread may call it."""

    def __init__(
        self, catalog: Catalog, load: Callable[[ModelInfo], Network] = load_marian
    ) -> None:
        self._catalog, self._load = catalog, load
        self._errands, self._asked = Errands(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="studio-translator", daemon=True)
        self._lock, self._closed = threading.Lock(), False
        self._held: tuple[tuple[Path, int], Network] | None = None
        self._said: OrderedDict[str, str] = OrderedDict()
        self._used = 0.0

    @property
    def installed(self) -> ModelInfo | None:
        """The translator that is used; None when there is none."""
        return next(iter(self._catalog.of_kind("translator")), None)

    def translate(self, prompt: str) -> Future[str]:
        """The prompt with its Chinese words in English and its marks as they are.

        Raises NotFound when no translator is installed; the future may hold a ModelError.
        """
        info = self.installed
        if info is None:
            raise NotFound(
                say(
                    "Chinese words are translated by a model that is not installed: install "
                    "“Chinese to English” on the Models tab."
                )
            )
        return self._ask(lambda: self._prompt(prompt, info))

    def rest(self, seconds: float) -> None:
        """Let the network go when it was not used for so long."""
        if self._held is not None:
            self._ask(lambda: self._let_go(time.monotonic() - seconds))

    def close(self) -> None:
        """End the thread; what waits is not translated any more."""
        self._closed = True
        self._errands.close()
        self._asked.set()

    def _ask(self, do: Callable[[], Result]) -> Future[Result]:
        future = self._errands.add(do)
        with self._lock:
            if not self._thread.is_alive() and not self._closed:
                self._thread.start()
        self._asked.set()
        return future

    def _run(self) -> None:
        while not self._closed:
            self._asked.wait()
            self._asked.clear()
            self._errands.run()

    def _prompt(self, prompt: str, info: ModelInfo) -> str:
        return translated(prompt, lambda clauses: self._clauses(clauses, info))

    def _clauses(self, clauses: Sequence[str], info: ModelInfo) -> list[str]:
        """What was said before is not asked for again."""
        new = [clause for clause in clauses if clause not in self._said]
        network = self._network(info)
        if new:
            self._said.update(zip(new, network(new), strict=True))
        english = [self._said[clause] for clause in clauses]
        for clause in clauses:
            self._said.move_to_end(clause)
        while len(self._said) > KEPT:
            self._said.popitem(last=False)
        self._used = time.monotonic()
        return english

    def _network(self, info: ModelInfo) -> Network:
        key = (info.path, info.size)
        if self._held is None or self._held[0] != key:
            self._held = None
            self._said.clear()
            self._held = (key, self._load(info))
        return self._held[1]

    def _let_go(self, before: float) -> None:
        if self._used < before:
            self._held = None
