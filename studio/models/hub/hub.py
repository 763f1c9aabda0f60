"""The door to the hub: the curated list, plans, installs; it is asked only by the last two."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from studio.errors import HubError, InvalidRequest
from studio.models.base import Kind
from studio.models.hub.address import Address, read_address
from studio.models.hub.download import Download
from studio.models.hub.downloads import Downloads
from studio.models.hub.plan import Plan, read_plan
from studio.models.hub.reach import DEFAULT_ENDPOINT
from studio.models.hub.staging import installed, own_place
from studio.models.hub.talk import ask
from studio.sentences import say

_PATIENCE = 40.0  # seconds for a plan, all its questions together
_BUSY_SECONDS = 5.0


@dataclass(frozen=True)
class Offer:
    """One model of the curated list: ``size`` in bytes, roughly; ``words`` by language.

    ``names``: its title by language, where that is not the same in all.

    ``page`` is the repository's page for people, with its licence. ``revision`` is the commit that
    is meant where it is not the latest: one that has safetensors.
    """

    repo_id: str
    title: str
    family: str
    size: int
    licence: str
    words: Mapping[str, str]
    page: str
    installed: bool
    kind: Kind = "checkpoint"
    revision: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A plan, and what it meets here: bytes that are there already, bytes free, where it goes."""

    plan: Plan
    installed: bool
    kept: int
    free: int
    where: Path


class Hub:
    """Installs models into ``models``; ``offers`` is the file with the curated list.

    ``environment`` is where HF_ENDPOINT and HF_TOKEN are looked up, and proxies.
    """

    def __init__(self, models: Path, offers: Path, environment: Mapping[str, str]) -> None:
        self._models = models
        self._offers = offers
        self._environment = environment
        self._one = threading.BoundedSemaphore(2)  # plans at a time: each is a process
        self._downloads = Downloads(models, self._plan, environment)

    def offers(self) -> list[Offer]:
        """The curated list; the hub is not asked."""
        entries: list[dict[str, Any]] = json.loads(self._offers.read_text("utf-8"))
        endpoint = self._environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
        here = {repo_id for repo_id, _ in installed(self._models)}
        return [
            Offer(
                **entry,
                page=f"{endpoint}/{entry['repo_id']}",
                installed=entry["repo_id"] in here,
            )
            for entry in entries
        ]

    def plan(self, repo_id: object, file: object = None) -> Look:
        """What an install would fetch, asked of the hub now.

        Raises InvalidRequest for a text that is no address, NotFound, HubError.
        """
        place = own_place(self._models, self._plan(self._meant(repo_id, file)))
        existing = next(each for each in (place.goal, *place.goal.parents) if each.exists())
        free = shutil.disk_usage(existing).free
        return Look(place.plan, place.goal.exists(), place.kept(), free, place.goal)

    def install(self, repo_id: object, file: object = None) -> Download:
        """Begin an install, or go on with one; returns at once.

        Raises InvalidRequest when the text is no address or its model is here, and QueueFull.
        """
        address = self._meant(repo_id, file)
        where = installed(self._models).get((address.repo_id, address.file))
        if where:
            sentence = say(
                "“{repo_id}” is installed already, as {where}.",
                repo_id=address.repo_id,
                where=where,
            )
            raise InvalidRequest.of("repo_id", sentence)
        return self._downloads.start(address)

    def downloads(self) -> list[Download]:
        """Installs: running, ended, and left half done by an earlier run."""
        return self._downloads.list()

    def cancel(self, identifier: str) -> None:
        """Stop an install (what came is kept), or forget one that is stopped. Raises NotFound."""
        self._downloads.cancel(identifier)

    def close(self) -> None:
        """Stop every install, keeping what came."""
        self._downloads.close()

    def _meant(self, repo_id: object, file: object) -> Address:
        """What an address means; a repository of the list is meant at the list's revision."""
        address = read_address(repo_id, file)
        if address.revision is not None:
            return address
        listed = {offer.repo_id: offer.revision for offer in self.offers()}
        return replace(address, revision=listed.get(address.repo_id))

    def _plan(self, address: Address) -> Plan:
        command = {
            "do": "look",
            "repo_id": address.repo_id,
            "revision": address.revision,
            "file": address.file,
        }
        if not self._one.acquire(timeout=_BUSY_SECONDS):
            raise HubError(say("The hub is being asked by others just now; try again in a moment."))
        try:
            return read_plan(ask(command, self._environment, _PATIENCE)["plan"])
        except (KeyError, TypeError, ValueError) as error:
            raise HubError(say("The hub named files that the studio does not take.")) from error
        finally:
            self._one.release()
