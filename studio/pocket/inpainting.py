"""Measure inpainting: the subject of a render is masked and another one asked for in its place.

    python -m studio.pocket.inpainting --work evaluation --scenes 50

The examiner of `studio.pocket.evaluate`, kept in `--work`, says how often it sees the new subject,
and the old one; beside that, how often it sees the new one in a render of the same scene, and in a
picture that was painted from the words alone. What is outside the mask must not have changed.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import ImageReady
from studio.images.masks import blurred
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.attributes import ATTRIBUTES, KINDS, POSITIONS
from studio.pocket.classifier import classify
from studio.pocket.data import HELD_OUT, scene_at
from studio.pocket.evaluate import trained_classifier
from studio.pocket.finding import region
from studio.pocket.world import Scene, full_caption, render
from studio.request import GenerationRequest
from studio.sources import Sources

FIRST = HELD_OUT + 9000
_MARGIN = 0.04  # of the side: around the box that the subject stands in
_COLUMNS = [list(ATTRIBUTES).index(f"kind_{position}") for position in POSITIONS]


def pairs(count: int) -> list[tuple[Scene, Scene]]:
    """Scenes with one subject, and each with another kind of subject in its place."""
    found: list[tuple[Scene, Scene]] = []
    number = FIRST
    while len(found) < count:
        scene, number = scene_at(0, number), number + 1
        if len(scene.subjects) != 1 or scene.subjects[0].count != 1:
            continue
        subject = scene.subjects[0]
        others = [kind for kind in KINDS if kind not in ("none", subject.kind)]
        other = random.Random(f"inpainting {number}").choice(others)
        found.append((scene, replace(scene, subjects=(replace(subject, kind=other),))))
    return found


def box_mask(scene: Scene, size: int) -> Image.Image:
    """The mask (mode L) that a person might draw: a box around the subject, with a margin."""
    rows, columns = np.nonzero(region(scene, size))
    margin = round(_MARGIN * size)
    mask = Image.new("L", (size, size))
    left, top = int(columns.min()) - margin, int(rows.min()) - margin
    mask.paste(255, (left, top, int(columns.max()) + 1 + margin, int(rows.max()) + 1 + margin))
    return mask


def painted(engine: Engine, request: GenerationRequest) -> Image.Image:
    """The one picture of a request."""
    return next(e.image for e in engine.generate(request) if isinstance(e, ImageReady))


def share_seen(readings: torch.Tensor, scenes: Sequence[Scene]) -> float:
    """How often the examiner reads the scene's subject, wherever it stands."""
    wanted = torch.tensor([[KINDS.index(scene.subjects[0].kind)] for scene in scenes])
    return float((readings[:, _COLUMNS] == wanted).any(1).float().mean())


def _changed_outside(before: Image.Image, after: Image.Image, mask: Image.Image) -> float:
    outside = np.asarray(mask) == 0
    difference = np.abs(np.asarray(after, dtype=float) - np.asarray(before, dtype=float))
    return float(difference[outside].mean())


def _report(examiner: Any, engine: Engine, sources: Sources, options: argparse.Namespace) -> None:
    info = Catalog([options.models]).find("pocket")
    defaults, size = info.defaults.as_values(), info.native_size
    scenes = pairs(options.scenes)
    results, plain, changes = [], [], []
    for seed, (before, after) in enumerate(scenes):
        picture, mask = render(before, size), box_mask(before, size)
        words = {"prompt": full_caption(after, "en"), "model": "pocket", "seed": seed}
        request = complete(
            {
                **words, "init_image": sources.keep(picture), "mask_image": sources.keep(mask),
                "strength": options.strength, "masked_content": options.content,
            },
            defaults,
        )  # fmt: skip
        result = painted(engine, request)
        changes.append(_changed_outside(picture, result, blurred(mask, request.mask_blur)))
        results.append(np.asarray(result))
        plain.append(np.asarray(painted(engine, complete(words, defaults))))
    old, new = ([pair[0] for pair in scenes], [pair[1] for pair in scenes])
    renders = [np.asarray(render(scene, size)) for scene in new]

    def seen(pictures: list[NDArray[np.uint8]], in_them: Sequence[Scene]) -> float:
        return share_seen(classify(examiner, np.stack(pictures)), in_them)

    print(f"the new subject is seen            {seen(results, new):.1%}")
    print(f"the old subject is seen            {seen(results, old):.1%}")
    print(f"the new one, painted from words    {seen(plain, new):.1%}")
    print(f"the new one, in renders            {seen(renders, new):.1%}")
    print(f"mean change outside the mask       {np.mean(changes):g}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Measure inpainting on pocket.")
    parser.add_argument("--models", type=Path, default=Path("assets"), help="where pocket lies")
    parser.add_argument("--work", type=Path, default=Path("evaluation"))
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--content", default="original", help="what the masked part starts from")
    parser.add_argument("--renders", type=int, default=30_000, help="to train the examiner on")
    parser.add_argument("--minutes", type=float, help="time limit of the examiner's training")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    examiner = trained_classifier(options.work, options.renders, options.minutes)
    with TemporaryDirectory() as room:
        sources = Sources(Path(room))
        engine = Engine(ModelStore(Catalog([options.models]), "auto"), sources=sources)
        _report(examiner, engine, sources, options)


if __name__ == "__main__":
    main()
