"""The small pictures of the styles, painted by the bundled model.

    python -m studio.bench.thumbnails [style ...]

Writes assets/styles/<id>.webp for every style of presets/styles.json that comes near one of the
model's own, or for those that are named: one of a few scenes in that style. Run it when the model
or the styles have changed.
"""

from __future__ import annotations

import io
import sys
from collections import Counter
from pathlib import Path

from PIL import Image

from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import ImageReady
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.world.vocabulary import STYLES
from studio.prompt.styles import read_own_format
from studio.settings import Settings

SIDE = 112
LARGEST = 6_000
SCENES = (
    ("a red sailboat on the sea at sunset", 6),
    ("a white windmill in a meadow in the afternoon", 5),
    ("a blue castle in the mountains at dawn", 11),
    ("a yellow hot-air balloon over the hills, with clouds", 3),
    ("an orange tent in the forest at night, under the stars", 8),
    ("a white lighthouse by the sea at noon", 21),
    ("a red train on a snowfield in the snow", 4),
    ("a purple house in a meadow, under a rainbow", 9),
)
"""What is painted and from which seed; styles that are near the same one take turns."""


def main(wanted: list[str]) -> None:
    """Paint them, and say how large they are."""
    settings = Settings()
    catalog = Catalog([settings.assets])
    defaults = catalog.find("pocket").defaults.as_values()
    engine = Engine(ModelStore(catalog, settings.device))
    folder = settings.assets / "styles"
    folder.mkdir(exist_ok=True)
    turns: Counter[str] = Counter()
    for style in read_own_format(settings.presets / "styles.json"):
        if not style.pocket:
            continue
        scene, seed = SCENES[turns[style.pocket] % len(SCENES)]
        turns[style.pocket] += 1
        if wanted and style.id not in wanted:
            continue
        prompt = f"{scene}, {STYLES[style.pocket].en[0]}"
        for event in engine.generate(
            complete({"model": "pocket", "prompt": prompt, "seed": seed}, defaults)
        ):
            if isinstance(event, ImageReady):
                size = save(event.image, folder / f"{style.id}.webp")
                print(f"{style.id}: {prompt} ({size} bytes)")


def save(image: Image.Image, path: Path) -> int:
    """Write a small WebP of at most ``LARGEST`` bytes; how many it has."""
    small = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    for quality in range(82, 20, -6):
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() <= LARGEST:
            break
    path.write_bytes(buffer.getvalue())
    return buffer.tell()


if __name__ == "__main__":
    main(sys.argv[1:])
