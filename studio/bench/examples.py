"""The example pictures of the empty stage, and the animations' posters, drawn by the bundled model.

    python -m studio.bench.examples

Takes the prompts and seeds of presets/examples.json and presets/animations.json, writes
assets/examples/<id>.webp. Run it when the model or a prompt has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import ImageReady
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.settings import Settings

QUALITY = 90

Draw = Callable[[str, int], Image.Image]
"""A prompt and a seed -> the picture."""


def main() -> None:
    """Draw every example with its own seed and the model's defaults."""
    settings = Settings()
    folder = settings.assets / "examples"
    folder.mkdir(exist_ok=True)
    draw = _drawing(settings)
    for entry in _entries(settings.presets / "examples.json"):
        _save(draw(entry["prompt"]["en"], entry["seed"]), folder, entry["id"])
    for entry in _entries(settings.presets / "animations.json"):
        keyframes = [draw(key["prompt"]["en"], entry["seed"]) for key in entry["keyframes"]]
        _save(poster(keyframes), folder, entry["id"])


def poster(keyframes: Sequence[Image.Image]) -> Image.Image:
    """A strip of each keyframe beside the next one's: what changes, in one picture."""
    together = keyframes[0].copy()
    width, height = together.size
    for place, picture in enumerate(keyframes):
        left, right = (width * (place + end) // len(keyframes) for end in (0, 1))
        together.paste(picture.crop((left, 0, right, height)), (left, 0))
    return together


def _drawing(settings: Settings) -> Draw:
    catalog = Catalog([settings.assets, settings.models])
    defaults = catalog.find(settings.model).defaults.as_values()
    engine = Engine(ModelStore(catalog, settings.device))

    def draw(prompt: str, seed: int) -> Image.Image:
        given = {"model": settings.model, "prompt": prompt, "seed": seed}
        events = engine.generate(complete(given, defaults))
        return next(event.image for event in events if isinstance(event, ImageReady))

    return draw


def _entries(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return entries


def _save(image: Image.Image, folder: Path, name: str) -> None:
    image.save(folder / f"{name}.webp", quality=QUALITY)
    print(name)


if __name__ == "__main__":
    main()
