"""What models there are on disk, told by what is in them. No torch here."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import InvalidRequest
from studio.models import describe
from studio.models.base import Kind, ModelInfo
from studio.models.folders import Found, find_models
from studio.models.hashes import Hashes, Wanted
from studio.models.header import DamagedFile
from studio.models.ledger import Ledger, Stamp, stamp_of
from studio.models.names import kind_in_words, with_unique_names
from studio.models.pipelines import fingerprint, hashed_files
from studio.models.recognise import Recognised
from studio.sentences import Sentence, say

Models = list[ModelInfo]
_MOST_TOLD = 20


@dataclass(frozen=True)
class _Seen:
    """A description, and the state of the file or folder that it was made of."""

    state: object
    info: ModelInfo


class Catalog:
    """The models under some folders, each a model itself, or an installation, or a plain folder.

    Any thread may call it. ``list`` walks the folders each time, so that it is always right, but
    opens only what is new or changed.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._ledger = Ledger()
        self._hashes = Hashes(self._ledger)
        self._lock = threading.Lock()
        self._seen: dict[Path, _Seen] = {}
        self._models: tuple[ModelInfo, ...] = ()

    def remember(self, path: Path) -> None:
        """Keep what is found out in the file ``path`` from now on, for the next run.

        Raises StorageError when it cannot be used.
        """
        self._ledger = Ledger(path, describe.reader_version())
        self._hashes = Hashes(self._ledger)

    def start(self) -> None:
        """Begin to hash in the background."""
        self._hashes.start()

    def stop(self) -> None:
        """End hashing."""
        self._hashes.stop()

    def settled(self, timeout: float) -> bool:
        """Wait until every model that was listed is hashed; whether that came in time."""
        return self._hashes.settled(timeout)

    def close(self) -> None:
        """Close what ``remember`` opened."""
        self._ledger.close()

    def list(self) -> Models:
        """Every model of every kind, in the order of the folders; broken ones carry a ``problem``.

        Names are unique within a kind; see `studio.models.names`.
        """
        with self._lock:
            found = find_models(self._folders)
            fresh: dict[Stamp, dict[str, Any]] = {}
            seen = {each.path: self._look(each, fresh) for each in found}
            self._seen = seen
            if fresh:
                self._ledger.keep_kinds(fresh)
            models = with_unique_names([(each, seen[each.path].info) for each in found])
            self._models = self._with_hashes(models)
            return [*self._models]

    def of_kind(self, kind: Kind) -> Models:
        """The models of one kind that can be used."""
        return [info for info in self.list() if info.kind == kind and not info.problem]

    def find(self, name: str, kind: Kind = "checkpoint", field: str = "model") -> ModelInfo:
        """The usable model of a kind called ``name``.

        Raises InvalidRequest naming the field ``field`` when there is none, or when it is broken.
        """
        models = self.list()
        for info in models:
            if info.name == name and info.kind == kind:
                if info.problem:
                    raise InvalidRequest.of(
                        field,
                        say("“{name}” cannot be used: {problem}", name=name, problem=info.problem),
                    )
                return info
        for info in models:
            if info.name == name:
                what = say(
                    "“{name}” is no {kind} but of another kind: {other}.",
                    name=name,
                    kind=kind_in_words(kind),
                    other=kind_in_words(info.kind),
                )
                raise InvalidRequest.of(field, what)
        usable = [info.name for info in models if info.kind == kind and not info.problem]
        raise InvalidRequest.of(field, _no_such(kind, name, usable))

    def match(self, name: str | None, short_hash: str | None) -> ModelInfo | None:
        """The usable checkpoint that a picture's parameters mean: by hash, then by name.

        A1111 writes the name without its folders. None when there is no such checkpoint.
        """
        models = self.of_kind("checkpoint")
        wanted = (short_hash or "").strip().lower()
        if len(wanted) >= 8:
            for info in models:
                if info.sha256 and info.sha256.startswith(wanted):
                    return info
        plain = (name or "").replace("\\", "/")
        for info in models:
            if info.name == plain:
                return info
        last = plain.rpartition("/")[2].casefold()
        for info in models:
            if last and info.name.rpartition("/")[2].casefold() == last:
                return info
        return None

    def short_hash(self, name: str) -> str | None:
        """A1111's short hash of the checkpoint called ``name``; None while it is not known.

        Looks at no folder: it is asked between two pictures.
        """
        for info in self._models:
            if info.name == name and info.kind == "checkpoint":
                stamp = stamp_of(hashed_files(info))
                known = self._hashes.known(stamp) if stamp else None
                return known[:10] if known else None
        return None

    def hash_soon(self, info: ModelInfo) -> None:
        """Hash this model before the others."""
        self._hashes.first(hashed_files(info))

    def rescan(self) -> Models:
        """Every model, each looked at anew. Hashes are kept."""
        with self._lock:
            self._seen = {}
            self._ledger.forget_kinds()
        return self.list()

    def _look(self, found: Found, fresh: dict[Stamp, dict[str, Any]]) -> _Seen:
        """The description of one thing, made anew only when it changed."""
        state: object = None
        if found.is_folder:
            state = fingerprint(found.path)
        elif found.stat:  # the time of the last change of permissions counts too
            state = found.stat.st_size, found.stat.st_mtime_ns, found.stat.st_ctime_ns
        known = self._seen.get(found.path)
        if known is not None and state is not None and known.state == state:
            return known
        if found.is_folder:
            return _Seen(state, describe.tidy(describe.describe_folder(found)))
        return _Seen(state, describe.tidy(self._describe_file(found, fresh)))

    def _describe_file(self, found: Found, fresh: dict[Stamp, dict[str, Any]]) -> ModelInfo:
        if problem := describe.quick_problem(found):
            return describe.broken(found, problem)
        stamp = _stamp(found)
        known = self._ledger.kind(stamp) if stamp else None
        what: Recognised | None = describe.from_json(known) if known else None
        if what is None:
            try:
                what = describe.recognise_file(found.path)
            except DamagedFile as error:
                return describe.broken(found, error.sentence)
            if stamp:  # else it was not there a moment ago
                fresh[stamp] = describe.to_json(what)
        return describe.describe_file(found, what)

    def _with_hashes(self, models: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
        """The models with the hashes that are known; the others are handed in to be hashed."""
        wanted: list[Wanted] = []
        complete = []
        for info in models:
            files = () if info.problem else hashed_files(info)
            stamp = stamp_of(files)
            if stamp:
                wanted.append((stamp, files))
                info = replace(info, sha256=self._hashes.known(stamp))
            complete.append(info)
        self._hashes.offer(wanted)
        return tuple(complete)


def _no_such(kind: Kind, name: str, usable: Sequence[str]) -> Sentence:
    """There is no model by that name, but these; not more than can be read."""
    word = kind_in_words(kind)
    if not usable:
        return say("There is no {kind} called “{name}”, nor another.", kind=word, name=name)
    if len(usable) <= _MOST_TOLD:
        return say(
            "There is no {kind} called “{name}”; there are: {known}.",
            kind=word, name=name, known=tuple(usable),
        )  # fmt: skip
    return say(
        "There is no {kind} called “{name}”; there are: {known} and {n} more.",
        kind=word, name=name, known=tuple(usable[:_MOST_TOLD]), n=len(usable) - _MOST_TOLD,
    )  # fmt: skip


def _stamp(found: Found) -> Stamp | None:
    """The file as it was when the folder was walked, before it was opened."""
    if found.stat is None:
        return None
    return Stamp(os.fsencode(found.path), found.stat.st_size, found.stat.st_mtime_ns)
