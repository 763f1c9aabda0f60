"""MP4 and WebM: frames to the encoder one by one, with the sound beside them as it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.animation.request import AnimationRequest
from studio.animation.sound import Samples, pieces

_BT709 = 1
_RATE = 48_000  # samples a second


def write_video(
    path: Path,
    pictures: Iterator[Image.Image],
    animation: AnimationRequest,
    recipe: str,
    sound: Path | None,
) -> None:
    """A film of 4:2:0 in BT.709, which is what players take untagged pictures of today for.

    mp4 is H.264 with AAC, its index first, so that every browser plays it at once; webm is VP9 with
    Opus. The sound ends where the film does, or before.
    """
    import av

    kind = animation.format
    codec, options = _h264(animation) if kind == "mp4" else _vp9(animation)
    flags = {"movflags": "+faststart+use_metadata_tags"} if kind == "mp4" else {}
    with av.open(path, "w", format=kind, options=flags) as container:
        container.metadata["comment"] = recipe
        stream = container.add_stream(codec, rate=animation.fps, options=options)
        stream.width, stream.height = animation.common.width, animation.common.height
        stream.pix_fmt = "yuv420p"
        context: Any = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = 1  # 16 to 235
        track = _Track(container, sound, animation) if sound is not None else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_image(picture).reformat(
                format="yuv420p", dst_colorspace=_BT709, dst_color_range=1
            )
            frame.pts, frame.time_base = number, Fraction(1, animation.fps)
            container.mux(stream.encode(frame))
            if track is not None:
                track.write_until((number + 1) / animation.fps)
        container.mux(stream.encode(None))
        if track is not None:
            track.end()


class _Track:
    """A sound in a film that is being written."""

    def __init__(self, container: Any, sound: Path, animation: AnimationRequest) -> None:
        codec = "aac" if animation.format == "mp4" else "libopus"
        self._container = container
        self._stream = container.add_stream(codec, rate=_RATE, layout="stereo")
        self._stream.bit_rate = 160_000
        self._pieces = pieces(sound, animation.sound_start, _RATE, "stereo")
        self._left: Samples = np.zeros((2, 0), np.float32)
        self._written = 0

    def write_until(self, seconds: float) -> None:
        """Encode what belongs to the film up to a time."""
        import av

        count = round(seconds * _RATE) - self._written
        while self._left.shape[1] < count and (piece := next(self._pieces, None)) is not None:
            self._left = np.concatenate([self._left, piece], axis=1)
        now, self._left = self._left[:, :count], self._left[:, count:]
        if now.shape[1]:
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(now), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = _RATE, self._written, Fraction(1, _RATE)
            self._container.mux(self._stream.encode(frame))
            self._written += now.shape[1]

    def end(self) -> None:
        """Encode the rest of what was handed over."""
        self._pieces.close()
        self._container.mux(self._stream.encode(None))


def _h264(animation: AnimationRequest) -> tuple[str, dict[str, str]]:
    return "libx264", {"crf": str(_between(40, 16, animation.quality)), "preset": "medium"}


def _vp9(animation: AnimationRequest) -> tuple[str, dict[str, str]]:
    options = {
        "crf": str(_between(50, 20, animation.quality)),
        "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1",
    }  # fmt: skip
    return "libvpx-vp9", options


def _between(worst: int, best: int, quality: int) -> int:
    return round(worst + (best - worst) * quality / 100)
