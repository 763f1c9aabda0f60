"""The chapter on inpainting: a masked picture against one from words alone, at equal steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from studio.bench.options import Options
from studio.bench.painting import PROMPT
from studio.bench.pairs import compare
from studio.bench.report import Figure
from studio.bench.subject import Subject
from studio.bench.ways import Painted, StudioWay
from studio.complete import complete
from studio.models.sd import LoadedStableDiffusion
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.sources import Sources


class InpaintingWay:
    """The studio, with a quarter of a picture masked and every step run.

    A new picture each time: one that was encoded before would be too good to be true.
    """

    def __init__(self, store: ModelStore, model: LoadedStableDiffusion, folder: Path) -> None:
        self._sources = Sources(folder)
        self._way = StudioWay(store, model, self._sources)
        self._numbers = np.random.default_rng(0)
        self.weights = self._way.weights

    def paint(self, request: GenerationRequest) -> Painted:
        """From reading the kept picture to the whole result."""
        size = request.width, request.height
        mask = Image.new("L", size)
        mask.paste(255, (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4))
        pixels = self._numbers.integers(0, 256, (*size[::-1], 3)).astype(np.uint8)
        given = {
            "init_image": self._sources.keep(Image.fromarray(pixels)),
            "mask_image": self._sources.keep(mask), "strength": 1.0,
        }  # fmt: skip
        return self._way.paint(request.model_copy(update=given))


def measure_inpainting(
    subject: Subject, options: Options, say: Callable[[str], None]
) -> Iterator[Figure]:
    """The figures, as they come. ``say`` takes what is being measured, in words."""
    store = ModelStore(subject.catalog, options.device)
    model = store.acquire(subject.info.name)
    if not isinstance(model, LoadedStableDiffusion):
        raise TypeError("the bench knows models of the Stable Diffusion family")
    device = store.placement.device
    slow = subject.random and device.type == "cpu"  # a step of a model of full size takes seconds
    for steps in options.steps or ((4,) if slow else (20,)):
        given = {"prompt": PROMPT, "seed": 1, "model": subject.info.name,
                 "num_inference_steps": steps}  # fmt: skip
        if options.size is not None:
            given |= {"width": options.size, "height": options.size}
        request = complete(given, subject.info.defaults.as_values())
        what = f"{request.width}×{request.height}, {steps} steps"
        say(f"{what}: inpainting")
        with TemporaryDirectory(prefix="studio-bench-", dir=options.folder) as room:
            ours = InpaintingWay(store, model, Path(room))
            pair = compare(
                ours, StudioWay(store, model), request, options.rounds or (2 if slow else 7), device
            )
        yield Figure(f"{what}: inpainting", pair.ours.seconds, "s")
        yield Figure(f"{what}: from words alone", pair.theirs.seconds, "s")
        aim = "at most 1.05" if steps >= 20 else ""
        yield Figure(f"{what}: inpainting / from words alone", pair.ratio, "×", aim)
    store.release()
