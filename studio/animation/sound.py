"""Sound files: whether they can be read, and their samples piece by piece. Decoded by FFmpeg."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from studio.errors import InvalidRequest
from studio.sentences import say

Samples = npt.NDArray[np.float32]
"""(channels, n), from -1 to 1."""

_FORMATS = "wav,w64,mp3,flac,ogg,mov,matroska,webm,aac,aiff,caf"
"""What is opened: containers that hold their sound themselves. A playlist would name other files
and other hosts."""


def check_sound(content: bytes, field: str) -> float | None:
    """How long the sound is in seconds, None where its file does not say.

    Raises InvalidRequest for ``field`` when no sound can be read from the file.
    """
    try:
        with _opened(io.BytesIO(content)) as (container, stream):
            if not any(frame.samples for frame in _decoded(container, stream)):
                raise ValueError("no sample")
            return None if stream.duration is None else float(stream.duration * stream.time_base)
    except Exception:  # FFmpeg's demuxers raise whatever a damaged file leads them to
        sentence = say(
            "This file holds no sound that can be read: give a WAV, MP3, FLAC, Ogg, M4A or WebM."
        )
        raise InvalidRequest.of(field, sentence) from None


def pieces(path: Path, start: float, rate: int, layout: str) -> Generator[Samples, None, None]:
    """The sound from ``start`` seconds on, in pieces of less than a second.

    ``rate``: samples a second. ``layout``: "mono" or "stereo". What is damaged in between is left
    out. Raises OSError when the file cannot be read.
    """
    import av

    with path.open("rb") as file, _opened(file) as (container, stream):
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        skip = round(start * rate)
        for frame in _resampled(resampler, _decoded(container, stream)):
            samples = frame.to_ndarray()
            if skip < samples.shape[1]:
                yield samples[:, skip:]
            skip = max(skip - samples.shape[1], 0)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[tuple[Any, Any]]:
    """The container and its first sound."""
    import av

    with av.open(file, options={"format_whitelist": _FORMATS}) as container:
        yield container, container.streams.audio[0]


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames of sound."""
    import av

    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _resampled(resampler: Any, frames: Iterator[Any]) -> Iterator[Any]:
    for frame in frames:
        frame.pts = None  # one after the other, whatever the file says
        yield from resampler.resample(frame)
    yield from resampler.resample(None)
