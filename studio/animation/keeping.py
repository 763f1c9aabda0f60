"""Frames are saved beside the painting of the next ones: one thread, and a queue of a few pictures.

Encoding a PNG and waiting for the disk leave the device idle otherwise. No torch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from studio.animation.camera import Camera
from studio.animation.reel import Reel

_MOST_WAITING = 4  # pictures: more would only hide that the disk is the slower of the two


class Keeping:
    """Takes finished frames and saves them as the camera sees them. Made by `keeping`."""

    def __init__(self, reel: Reel, camera: Camera) -> None:
        self._reel, self._camera = reel, camera
        self._waiting: queue.Queue[tuple[int, Image.Image] | None] = queue.Queue(_MOST_WAITING)
        self._kept: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="studio-frames", daemon=True)
        self._thread.start()

    def take(self, frame: int, image: Image.Image) -> None:
        """Have a frame saved; waits while too many are waiting. Raises what went wrong so far."""
        self._waiting.put((frame, image))
        if self._error is not None:
            raise self._error

    def kept(self) -> Iterator[int]:
        """The frames that are on the disk since this was asked last."""
        while not self._kept.empty():
            yield self._kept.get()

    def finish(self) -> Iterator[int]:
        """Wait until everything is saved; the frames that are on the disk by now and were not told.

        Raises what went wrong: StorageError.
        """
        self.end()
        yield from self.kept()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Save what was taken, and no more."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _run(self) -> None:
        """Until the end; after an error nothing more is saved, so that no frame is left out."""
        while (taken := self._waiting.get()) is not None:
            if self._error is not None:
                continue
            frame, image = taken
            try:
                self._reel.keep(frame, self._camera.shot(frame, image))
            except Exception as error:
                self._error = error
            else:
                self._kept.put(frame)


@contextmanager
def keeping(reel: Reel, camera: Camera) -> Iterator[Keeping]:
    """A thread that saves frames; what it was given is on the disk when the block is left."""
    thread = Keeping(reel, camera)
    try:
        yield thread
    finally:
        thread.end()
