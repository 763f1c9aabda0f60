"""Masks by words: what is asked for, found by a model in the worker's thread, kept as a source."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from studio.errors import NotFound, StudioError
from studio.gallery import Gallery
from studio.gallery.picture import parse_id
from studio.incoming import Incoming
from studio.keeper import AsksTheWorker, ModelKeeper
from studio.models.catalog import Catalog
from studio.sentences import say
from studio.sources import Sources


@dataclass(frozen=True)
class Asked:
    """``picture``: a file in base64, the id of a picture here, or a kept one's hash.

    ``prompt``: what the picture shows; None is its own recipe's, where it has one. ``model``: None
    is the one that new pages start with. ``threshold``, ``grow``: see `engine.words_mask.Wanted`.
    """

    picture: str
    words: str
    prompt: str | None = None
    model: str | None = None
    threshold: float | None = None
    grow: int | None = None


@dataclass(frozen=True)
class Found:
    """The hash under which a mask is kept, and its size in pixels."""

    hash: str
    width: int
    height: int


class WordMasks:
    """Any thread may call it; what takes long happens in the worker's, between two jobs."""

    def __init__(
        self, incoming: Incoming, sources: Sources, gallery: Gallery, keeper: ModelKeeper,
        catalog: Catalog,
    ) -> None:  # fmt: skip
        self._incoming, self._sources, self._gallery = incoming, sources, gallery
        self._keeper, self._catalog = keeper, catalog

    def find(self, asked: Asked, visitor: str, ask: AsksTheWorker) -> Future[Found]:
        """The mask to come. Reads the picture, so not for an event loop.

        Raises InvalidRequest, NotFound, StorageError; the future may hold a StudioError.
        """
        model = self._catalog.find(asked.model or self._keeper.default).name
        source, _ = self._incoming.kept(asked.picture, visitor, "picture")
        prompt = self._said_of(asked.picture) if asked.prompt is None else asked.prompt
        return ask(self._errand(asked, model, source, prompt))

    def _said_of(self, picture: str) -> str:
        """The prompt that a picture here was painted from."""
        if parse_id(picture):
            with suppress(NotFound):
                return self._gallery.get(picture).request.prompt
        return ""

    def _errand(self, asked: Asked, model: str, source: str, prompt: str) -> Callable[[], Any]:
        def do() -> Found:
            store = self._keeper.store
            if store is None:
                raise StudioError(say("PyTorch could not be started; the log has the details."))
            from studio.engine.words_mask import Wanted, mask_by_words  # torch is there by now

            wanted = Wanted(asked.words, prompt, asked.threshold, asked.grow)
            mask = mask_by_words(store, model, self._sources.get(source, "picture"), wanted)
            return Found(self._sources.keep(mask), *mask.size)

        return do
