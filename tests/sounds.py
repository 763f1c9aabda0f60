"""Sounds for tests: clicks at known times, in any container."""

from __future__ import annotations

import io
from collections.abc import Sequence

import av
import numpy as np

RATE = 44_100
CODECS = {
    "wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "ogg": "libopus", "mp4": "aac",
    "webm": "libopus",
}  # fmt: skip


def clicks(seconds: float, at: Sequence[float], kind: str = "wav") -> bytes:
    """A sound's file: silence, and a burst of noise of 30 ms at each time."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    noise = np.random.default_rng(0).uniform(-0.8, 0.8, round(0.03 * RATE)).astype(np.float32)
    for time in at:
        first = round(time * RATE)
        samples[first : first + len(noise)] = noise[: len(samples) - first]
    return encoded(samples, kind)


def encoded(samples: np.ndarray, kind: str) -> bytes:
    """Samples (n,) as a file of one channel."""
    file = io.BytesIO()
    rate = 48_000 if CODECS[kind] == "libopus" else RATE
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(CODECS[kind], rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (samples * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format.name, "mono", rate, frame_size=1024)
        for each in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return file.getvalue()
