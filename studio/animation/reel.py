"""An animation on the disk: what was asked for, its frames as they are made, and its film.

``<id>/animation.json`` the request, ``progress.json`` what was decided while it was made,
``frames/000042.png``, ``probes/…png`` (see `studio.animation.pacing`), ``film.mp4``. Every file is
there whole or not at all, so whoever comes after a kill goes on at what is missing.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from studio.animation.plan import Leaps, Moment, Plan, Shares, make_plan, uniform
from studio.animation.request import AnimationRequest
from studio.errors import NotFound, StorageError
from studio.images import encode_png
from studio.sentences import say
from studio.storage import storage_errors, write_whole

_ID = re.compile(r"[0-9a-f]{16}")
_FRAME = re.compile(r"(\d{6})\.png")
_BYTES_A_PIXEL = 2.5  # of a painted frame as a PNG, and of its part of the film
_SPARE = 64 * 2**20  # what must stay free on the disk


@dataclass(frozen=True)
class Progress:
    """What was decided while it was made, and holds for the rest of it.

    ``together``: how many frames are painted in one batch. ``shares``: how they are spaced, None
    while that has to be measured. ``along``: how far along their legs they are in time, which the
    camera goes by. ``leaps``: where frames are mixed, for nothing else lies between.
    """

    together: int
    shares: Shares | None
    along: Shares | None = None
    leaps: Leaps | None = None


class Reel:
    """One animation's folder. Frames are kept by one thread; any thread may look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        stored = _stored(folder)
        self.animation = AnimationRequest.model_validate(stored["animation"])
        self.visitor, self.created = str(stored["visitor"]), float(stored["created"])

    @property
    def id(self) -> str:
        """The id of the animation and of its job."""
        return self.folder.name

    # -- what was decided ------------------------------------------------------------------------

    @property
    def progress(self) -> Progress | None:
        """What was decided; None before anything was."""
        try:
            stored = json.loads((self.folder / "progress.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        shares, along = (stored.get(name) for name in ("shares", "along"))
        leaps = stored.get("leaps")
        return Progress(
            stored["together"],
            _tuples(shares),
            _tuples(along),
            None if leaps is None else tuple(tuple((a, b) for a, b in leg) for leg in leaps),
        )

    def decide(self, progress: Progress) -> None:
        """Write down what holds from now on. Raises StorageError."""
        stored = dataclasses.asdict(progress)
        write_whole(self.folder / "progress.json", json.dumps(stored).encode())

    @property
    def plan(self) -> Plan:
        """The plan as far as it is known: spaced as asked for until more is measured."""
        progress = self.progress
        if progress is None:
            return make_plan(self.animation)
        return make_plan(self.animation, progress.shares, progress.leaps)

    @property
    def frames_total(self) -> int:
        """How many frames there will be; even pacing changes where they are, not how many."""
        return sum(map(len, uniform(self.animation))) + (not self.animation.loop)

    # -- frames ----------------------------------------------------------------------------------

    def there(self) -> set[int]:
        """The frames that are on the disk."""
        with storage_errors(self.folder):
            if not self._frames.is_dir():
                return set()
            found = (_FRAME.fullmatch(path.name) for path in self._frames.iterdir())
            return {int(match[1]) for match in found if match}

    def keep(self, frame: int, image: Image.Image) -> None:
        """Save a frame, which is on the disk when this returns. Raises StorageError."""
        write_whole(self._path(frame), encode_png(image))

    def frame(self, frame: int) -> Path:
        """Where a frame is. Raises NotFound while it is not painted."""
        path = self._path(frame)
        if not 0 <= frame < self.frames_total or not path.is_file():
            raise NotFound(say("Frame {frame} is not painted (yet).", frame=frame))
        return path

    def pictures(self) -> Iterator[Image.Image]:
        """The film: its frames in the order they are played, up to the first that is missing."""
        there = self.there()
        count = next(k for k in range(len(there) + 1) if k not in there)
        for frame in self.plan.played(count):
            with storage_errors(self.folder), Image.open(self._path(frame)) as image:
                yield image.convert("RGB")

    @property
    def film(self) -> Path:
        """Where the film is, or will be."""
        kind = self.animation.format
        return self.folder / f"film.{'zip' if kind == 'png' else kind}"

    # -- probes ----------------------------------------------------------------------------------

    def keep_probe(self, moment: Moment, image: Image.Image) -> None:
        """Save what even pacing measured at a moment."""
        write_whole(self._probe(moment), encode_png(image))

    def probe(self, moment: Moment) -> Image.Image | None:
        """What was measured at a moment, if it was."""
        try:
            with Image.open(self._probe(moment)) as image:
                return image.convert("RGB")
        except FileNotFoundError:
            return None

    def forget_probes(self) -> None:
        """Delete what is not needed any more."""
        shutil.rmtree(self.folder / "probes", ignore_errors=True)

    # -- room ------------------------------------------------------------------------------------

    def check_room(self) -> None:
        """Raise StorageError when the disk does not hold the missing frames and the film."""
        common, pictures = self.animation.common, self.frames_total - len(self.there())
        if self.animation.format == "png":  # once more, those that are held or come back as well
            pictures += len(self.plan.played())
        need = pictures * common.width * common.height * _BYTES_A_PIXEL
        with storage_errors(self.folder):
            free = shutil.disk_usage(self.folder).free
        if need + _SPARE > free:
            raise StorageError(
                say(
                    "The frames need about {need} of disk space and {free} are free in {where}: "
                    "free some, or choose fewer frames or a smaller size.",
                    need=_size(need + _SPARE), free=_size(free), where=self.folder.parent,
                )
            )  # fmt: skip

    @property
    def _frames(self) -> Path:
        return self.folder / "frames"

    def _path(self, frame: int) -> Path:
        return self._frames / f"{frame:06}.png"

    def _probe(self, moment: Moment) -> Path:
        return self.folder / "probes" / f"{moment.start}-{moment.end}-{moment.share!r}.png"


class Reels:
    """Every animation below a folder. Any thread may call it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def begin(self, identifier: str, animation: AnimationRequest, visitor: str) -> Reel:
        """A new animation, written down when this returns. Raises StorageError."""
        stored = {
            "animation": animation.model_dump(mode="json"),
            "visitor": visitor,
            "created": time.time(),
        }
        folder = self._root / identifier
        write_whole(folder / "animation.json", json.dumps(stored, ensure_ascii=False).encode())
        return Reel(folder)

    def get(self, identifier: str) -> Reel:
        """The animation with this id. Raises NotFound."""
        if _ID.fullmatch(identifier) and (reel := _readable(self._root / identifier)):
            return reel
        raise NotFound(say("There is no animation “{animation}”.", animation=identifier[:60]))

    def of(self, visitor: str) -> list[Reel]:
        """A visitor's animations, newest first."""
        reels = [reel for path in self._folders() if (reel := _readable(path))]
        mine = [reel for reel in reels if reel.visitor == visitor]
        return sorted(mine, key=lambda reel: reel.created, reverse=True)

    def remove(self, identifier: str) -> None:
        """Delete an animation with all that it has. Raises NotFound, StorageError."""
        folder = self.get(identifier).folder
        with storage_errors(self._root):
            (folder / "animation.json").unlink()  # first: without it nobody sees the rest
            shutil.rmtree(folder)

    def texts(self) -> Iterator[str]:
        """What every animation was asked for, as JSON."""
        for folder in self._folders():
            with storage_errors(self._root):
                path = folder / "animation.json"
                if path.is_file():
                    yield path.read_text("utf-8")

    def _folders(self) -> list[Path]:
        with storage_errors(self._root):
            return [path for path in self._root.glob("*") if _ID.fullmatch(path.name)]


def _tuples(shares: list[list[float]] | None) -> Shares | None:
    return None if shares is None else tuple(tuple(leg) for leg in shares)


def _stored(folder: Path) -> dict[str, Any]:
    stored = json.loads((folder / "animation.json").read_text("utf-8"))
    return dict(stored)


def _readable(folder: Path) -> Reel | None:
    """The animation in a folder; None when there is none that can be read."""
    try:
        return Reel(folder)
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
