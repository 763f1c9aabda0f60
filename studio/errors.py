"""What can go wrong, as a tree: every message is one sentence a person can act on.

``raise NotFound(say("There is no job “{job}”.", job=identifier))``: see `studio.sentences`.

StudioError
├── InvalidRequest      a field of a request is out of its bounds (422)
├── NotFound            no such job, picture or model (404)
├── QueueFull           too many jobs wait already (503)
├── HubError            Hugging Face cannot be reached, or refuses (502)
├── ModelError          a model cannot be loaded or used
├── OutOfMemory         the device is too small for this request
├── StorageError        the disk is full or the folder cannot be written
└── StartupError        the studio cannot start at all (port in use, bad flag)
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from studio.sentences import Sentence, say, together, verbatim


class StudioError(Exception):
    """Anything a user may be told: ``sentence``, and its English as ``str(error)``."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = verbatim(sentence)
        super().__init__(sentence)


@dataclass(frozen=True)
class FieldProblem:
    """One field of a request that is wrong: the field's name and one sentence about it."""

    field: str
    message: Sentence


class InvalidRequest(StudioError):
    """A request that was refused before anything was queued; one problem per field."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        self.problems = problems
        super().__init__(together([problem.message for problem in problems]))

    @classmethod
    def of(cls, field: str, message: Sentence) -> InvalidRequest:
        """The refusal of a single field."""
        return cls((FieldProblem(field, message),))


class NotFound(StudioError):
    """There is no job, picture or model by that name."""


class QueueFull(StudioError):
    """So many jobs wait already that another would not be served in reasonable time."""


class HubError(StudioError):
    """Hugging Face cannot be reached, does not let this user in, or sends something else."""


class ModelError(StudioError):
    """A model's files cannot be read, or it cannot do what was asked."""


class OutOfMemory(StudioError):
    """The device's memory does not hold this request, even one picture at a time."""


class StorageError(StudioError):
    """The disk is full, or the data directory cannot be written."""


class StartupError(StudioError):
    """The studio cannot start: the message says what to change."""


def system_reason(error: OSError) -> str:
    """What the system says of a file, as the end of a sentence; the rare ones in its own words."""
    match error.errno:
        case errno.ENOENT:
            return say("it is not there")
        case errno.EACCES | errno.EPERM:
            return say("it is not permitted")
        case errno.EROFS:
            return say("the disk can only be read")
        case errno.EISDIR:
            return say("it is a folder")
        case errno.ENOTDIR:
            return say("a part of its path is no folder")
        case errno.ENOSPC | errno.EDQUOT:
            return say("the disk is full")
        case errno.EIO:
            return say("the disk reports an error")
        case errno.ENAMETOOLONG:
            return say("its name is too long")
    return error.strerror or str(error)
