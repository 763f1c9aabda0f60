"""Where the frames of an animation are: asked for, measured, or following a sound."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from studio.animation.listening import followed, listen, seconds_of
from studio.animation.pacing import Measuring, small
from studio.animation.picturing import Brush
from studio.animation.plan import Leaps, Shares, along, asked, evenly
from studio.animation.reel import Reel
from studio.events import Event, Preparing
from studio.sentences import say
from studio.sources import Sources


@dataclass(frozen=True)
class Spaced:
    """How far along their legs the frames are: as they are painted, and in time; and the leaps."""

    shares: Shares
    along: Shares
    leaps: Leaps | None = None


def spaced(reel: Reel, brush: Brush, sources: Sources | None) -> Generator[Event, None, Spaced]:
    """The frames spread as the animation asks for it. The same recipe leads to the same.

    Raises InvalidRequest when its sound is not kept any more.
    """
    animation = reel.animation
    measuring = (yield from _measured(reel, brush)) if animation.even_pacing else None
    counts = measuring.counts() if measuring else asked(animation)
    times = evenly(counts)
    if animation.follows_sound and sources is not None:
        yield Preparing(say("Listening to the sound"))
        path = sources.sound(animation.sound, "sound")
        onsets = listen(path, animation.sound_start, seconds_of(animation, counts))
        times = followed(animation, counts, onsets)
    in_time = along(animation, times)
    if measuring is None:
        return Spaced(in_time, in_time)
    return Spaced(measuring.shares(in_time), in_time, measuring.leaps())


def _measured(reel: Reel, brush: Brush) -> Generator[Event, None, Measuring]:
    """What changes how much, where; probes that are on the disk are not painted again."""
    measuring = Measuring(reel.animation)
    yield Preparing(say("Measuring how much changes, for even pacing"))
    while wanted := measuring.wanted():
        calls = sum(map(brush.drawing.calls_of, wanted))
        brush.steps = brush.step + calls + reel.frames_total * brush.drawing.calls
        for batch in brush.drawing.batches(range(len(wanted)), wanted, brush.together):
            moments = [wanted[k] for k in batch]
            if any(reel.probe(moment) is None for moment in moments):
                latents = yield from brush.paint(moments, 0)
                for place, moment in enumerate(moments):
                    image = brush.develop(latents[place : place + 1])
                    reel.keep_probe(moment, small(image))
            for moment in moments:
                seen = reel.probe(moment)
                assert seen is not None
                measuring.see(moment, seen)
    return measuring
