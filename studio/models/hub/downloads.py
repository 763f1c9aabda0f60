"""Installs in the background: one at a time, in one thread; each can be stopped and resumed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from studio.errors import HubError, NotFound, QueueFull, StudioError
from studio.models.hub.address import Address
from studio.models.hub.download import ACTIVE, Download, DownloadState, Entry, Run
from studio.models.hub.plan import Plan
from studio.models.hub.staging import Place, own_place, unfinished
from studio.models.hub.talk import Conversation
from studio.sentences import Sentence, say

MAX_WAITING = 20


class Downloads:
    """What is being installed, was, or was left half done.

    ``look`` makes the plan for an address; it may take seconds and raise StudioError.
    """

    def __init__(
        self, models: Path, look: Callable[[Address], Plan], environment: Mapping[str, str]
    ) -> None:
        self._models = models
        self._look = look
        self._environment = environment
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._entries = {entry.id: entry for entry in map(Entry.left, unfinished(models))}

    def list(self) -> list[Download]:
        """Every install of this run, and those left from an earlier one; oldest first."""
        with self._changed:
            return [entry.snapshot() for entry in self._entries.values()]

    def start(self, address: Address) -> Download:
        """Queue an install, or go on with the one of this address that was stopped.

        Raises QueueFull.
        """
        with self._changed:
            entry = self._same(address)
            if sum(each.state in ACTIVE for each in self._entries.values()) >= MAX_WAITING:
                raise QueueFull(
                    say(
                        "{most} installs wait already; let some of them finish.",
                        most=MAX_WAITING,
                    )
                )
            if entry is None:
                entry = Entry(address)
                self._entries[entry.id] = entry
            elif entry.state not in ACTIVE:
                entry.state, entry.error, entry.run = "queued", None, Run()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="hub", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return entry.snapshot()

    def cancel(self, identifier: str) -> None:
        """Stop an install, keeping what came; one that is stopped already is forgotten instead.

        Raises NotFound when there is none.
        """
        with self._changed:
            entry = self._entries.get(identifier)
            if entry is None:
                raise NotFound(say("There is no download “{download}”.", download=identifier))
            if entry.state in ACTIVE:
                self._stop(entry)
                return
            del self._entries[identifier]
        if entry.plan is not None and entry.state != "done":
            Place(self._models, entry.plan).discard()

    def close(self) -> None:
        """Stop everything; what came is kept for the next run."""
        with self._changed:
            self._closed = True
            for entry in self._entries.values():
                if entry.state in ACTIVE:
                    self._stop(entry)
            self._changed.notify_all()

    def _stop(self, entry: Entry) -> None:
        entry.run.stopped = True
        entry.state = "cancelled"
        if entry.run.talk is not None:
            entry.run.talk.stop()

    def _same(self, address: Address) -> Entry | None:
        """The unfinished entry for this repository, and for this file of it."""
        for entry in self._entries.values():
            file = entry.plan.origin if entry.plan else entry.address.file
            fits = entry.address.repo_id == address.repo_id and address.file in (None, file)
            if fits and entry.state != "done":
                return entry
        return None

    def _work(self) -> None:
        """The thread: one entry after another, oldest first."""
        while True:
            with self._changed:
                while not (queued := self._first_queued()) and not self._closed:
                    self._changed.wait()
                if queued is None:
                    return
                run = queued.run
                queued.state = "asking"
            try:
                where = self._install(queued, run)
                self._set(queued, run, "done", where=where)
            except StudioError as error:
                self._set(queued, run, "failed", error=error.sentence)
            except Exception as error:  # the thread lives on, whatever one install met
                sentence = say(
                    "The install broke off ({kind}: {error}).",
                    kind=type(error).__name__,
                    error=str(error),
                )
                self._set(queued, run, "failed", error=sentence)

    def _first_queued(self) -> Entry | None:
        if self._closed:
            return None
        return next((each for each in self._entries.values() if each.state == "queued"), None)

    def _install(self, entry: Entry, run: Run) -> str:
        """Plan, fetch, move into place; where it is then."""
        plan = entry.plan or self._look(entry.address)
        if plan.problem or not plan.files:
            raise HubError(plan.problem or say("There is nothing to install."))
        place = own_place(self._models, plan)
        if place.goal.exists():
            raise HubError(say("It is installed already: {where}.", where=place.goal))
        if self._stopped(run):
            return ""
        entry.plan = plan
        place.open()
        command = {"do": "fetch", "plan": plan.as_values(), "folder": str(place.content)}
        self._set(entry, run, "downloading", done=place.kept())
        with Conversation(command, self._environment) as talk:
            run.talk = talk
            if self._stopped(run):
                return ""
            for answer in talk:
                if "checking" in answer:
                    self._set(entry, run, "checking")
                elif "done" in answer:
                    self._set(entry, run, "downloading", done=int(answer["done"]))
        with self._changed:  # from here on it cannot be stopped any more
            if not run.stopped:
                place = own_place(self._models, plan)  # another may have taken the name meanwhile
                place.finish()
        return str(place.goal)

    def _stopped(self, run: Run) -> bool:
        with self._changed:
            return run.stopped

    def _set(
        self, entry: Entry, run: Run, state: DownloadState, *,
        done: int | None = None, error: Sentence | None = None, where: str | None = None,
    ) -> None:  # fmt: skip
        """Note a change, unless this run was stopped meanwhile."""
        with self._changed:
            if run.stopped:
                return
            entry.state, entry.error, entry.where = state, error, where
            if done is not None:
                entry.came(done)
            if state != "downloading":
                entry.pace.clear()
