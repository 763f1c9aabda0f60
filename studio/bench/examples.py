"""The example pictures of the empty stage, drawn by the bundled model.

    python -m studio.bench.examples

Takes the prompts and seeds of presets/examples.json, writes assets/examples/<id>.webp. Run it when
the model or a prompt has changed.
"""

from __future__ import annotations

import json

from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import ImageReady
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.settings import Settings

QUALITY = 90


def main() -> None:
    """Draw every example with its own seed and the model's defaults."""
    settings = Settings()
    catalog = Catalog([settings.assets, settings.models])
    defaults = catalog.find(settings.model).defaults.as_values()
    engine = Engine(ModelStore(catalog, settings.device))
    folder = settings.assets / "examples"
    folder.mkdir(exist_ok=True)
    for entry in json.loads((settings.presets / "examples.json").read_text("utf-8")):
        given = {"model": settings.model, "prompt": entry["prompt"]["en"], "seed": entry["seed"]}
        for event in engine.generate(complete(given, defaults)):
            if isinstance(event, ImageReady):
                event.image.save(folder / f"{entry['id']}.webp", quality=QUALITY)
                print(f"{entry['id']}: {entry['prompt']['en']}")


if __name__ == "__main__":
    main()
