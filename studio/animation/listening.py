"""Where something happens in a sound, and frames spread by it: much happens, much is moved on.

What happens is librosa's onset strength: how much the mel spectrum grows from one moment to the
next (Böck and Widmer 2013). It is imported when a sound is listened to, not before, and the sound
goes through it in blocks, so that memory does not grow with the length. No torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studio.animation.plan import Shares
from studio.animation.request import AnimationRequest
from studio.animation.sound import Samples, pieces

_RATE = 22_050  # samples a second
_HOP = 512  # samples from one measurement to the next
_BLOCK = 2048 * _HOP  # about 48 s
_LEAD = 16 * _HOP  # of the block before, so that none begins with an onset


@dataclass(frozen=True)
class Onsets:
    """How much has happened until a time: ``total[k]`` until ``k`` hops, never falling."""

    total: npt.NDArray[np.float64]

    def until(self, seconds: Sequence[float]) -> npt.NDArray[np.float64]:
        """The same at any times, in seconds from where the film begins."""
        hops = np.asarray(seconds) * _RATE / _HOP
        return np.interp(hops, np.arange(len(self.total)), self.total)


def listen(path: Path, start: float, seconds: float) -> Onsets:
    """What happens in ``seconds`` of a sound from ``start`` on; after its end nothing does."""
    from librosa.onset import onset_strength

    strengths = [np.zeros(1)]
    before = np.zeros(_LEAD, np.float32)
    for block in _blocks(path, start, round(seconds * _RATE)):
        heard = np.concatenate([before, block])
        strength = onset_strength(y=heard, sr=_RATE, hop_length=_HOP, center=True)
        strengths.append(strength[_LEAD // _HOP :][: -(-len(block) // _HOP)])
        before = heard[-_LEAD:]
    return Onsets(np.cumsum(np.concatenate(strengths), dtype=np.float64))


def followed(animation: AnimationRequest, counts: Sequence[int], onsets: Onsets) -> Shares:
    """How far along its leg each frame is in time, as `evenly` has it, but following the onsets.

    Keyframes stay where they are. ``counts``: the frames of each leg. A leg in which nothing
    happens goes on evenly.
    """
    shares, first = [], 0
    for (start, _), count in zip(animation.legs, counts, strict=True):
        first += animation.keyframes[start].hold
        even = np.arange(count) / count
        total = onsets.until([(first + k) / animation.fps for k in range(count + 1)])
        grown = total[-1] - total[0]
        if grown > 0:
            heard = (total[:-1] - total[0]) / grown
            even = even + animation.follow_sound * (heard - even)
        shares.append(tuple(float(share) for share in even))
        first += count
    return tuple(shares)


def seconds_of(animation: AnimationRequest, counts: Sequence[int]) -> float:
    """How long the film takes from its beginning to its last keyframe."""
    held = sum(keyframe.hold for keyframe in animation.keyframes)
    return (sum(counts) + held + 1) / animation.fps


def _blocks(path: Path, start: float, count: int) -> Iterator[Samples]:
    """Up to ``count`` samples (n,), in blocks."""
    waiting: list[Samples] = []
    size = 0
    for piece in pieces(path, start, _RATE, "mono"):
        waiting.append(piece[0][:count])
        count, size = count - len(waiting[-1]), size + len(waiting[-1])
        if size >= _BLOCK:
            joined = np.concatenate(waiting)
            whole = size - size % _BLOCK
            yield joined[:whole]
            waiting, size = [joined[whole:]], size - whole
        if not count:
            break
    if size:
        yield np.concatenate(waiting)
