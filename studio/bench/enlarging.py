"""The chapter on larger pictures: what a tiled upscale to four times the area takes in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image

from studio.bench.meters import Peak
from studio.bench.options import Options
from studio.bench.painting import PROMPT
from studio.bench.report import Figure
from studio.bench.subject import Subject
from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import ImageReady
from studio.models.freeing import free_memory
from studio.models.store import ModelStore
from studio.sources import Sources

SIDES = (1024, 2048)
_START = 512
_STEPS = 4  # of which at this strength two are run: memory does not depend on how many
_STRENGTH = 0.5


def measure_enlarging(
    subject: Subject, options: Options, say: Callable[[str], None]
) -> Iterator[Figure]:
    """The figures, as they come. ``say`` takes what is being measured, in words."""
    store = ModelStore(subject.catalog, options.device)
    store.acquire(subject.info.name)
    with TemporaryDirectory(prefix="studio-bench-", dir=options.folder) as room:
        sources = Sources(Path(room))
        start = sources.keep(Image.radial_gradient("L").convert("RGB").resize((_START, _START)))
        engine = Engine(store, sources=sources)
        _paint(engine, subject, start, _START * 3 // 2, store.placement.device)  # all is warm then
        rises = []
        for side in SIDES:
            say(f"a tiled upscale to {side}×{side}")
            seconds, rise = _paint(engine, subject, start, side, store.placement.device)
            yield Figure(f"tiled upscale to {side}×{side}, {_STEPS // 2} steps", seconds, "s")
            if rise is not None:
                yield Figure(f"tiled upscale to {side}×{side}: rise of memory", rise / 2**20, "MiB")
                rises.append(rise)
    if len(rises) == len(SIDES) and rises[0]:
        what = f"tiled upscale: memory for {SIDES[1]}² / for {SIDES[0]}²"
        yield Figure(what, rises[1] / rises[0], "×", "at most 1.5")
    store.release()


def _paint(
    engine: Engine, subject: Subject, start: str, side: int, device: torch.device
) -> tuple[float, int | None]:
    """Seconds, and by how many bytes memory rose."""
    given = {
        "prompt": PROMPT, "seed": 1, "model": subject.info.name, "init_image": start,
        "upscale_scale": side / _START, "tile_size": subject.info.native_size,
        "tile_overlap": subject.info.native_size // 64 * 8, "strength": _STRENGTH,
        "num_inference_steps": _STEPS,
    }  # fmt: skip
    request = complete(given, subject.info.defaults.as_values())
    free_memory(device)
    peak, began = Peak(device), time.perf_counter()
    with closing(engine.generate(request)) as events:
        sizes = [event.image.size for event in events if isinstance(event, ImageReady)]
    if sizes != [(side, side)]:
        raise RuntimeError(f"the picture came out at {sizes}")
    return time.perf_counter() - began, peak.rise()
