"""Measure pocket: draw held-out captions, read the pictures back, write the card.

    python -m studio.pocket.evaluate --model assets/pocket --work evaluation

Draws 200 captions, half English and half Chinese, with the card's default settings. The first
run also draws renders and trains the examiner on them, kept in `--work` for the next run.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray

from studio.pocket.attributes import ATTRIBUTES, POSITIONS, labels
from studio.pocket.autoencoder import reconstruct
from studio.pocket.card import load_card, save_card
from studio.pocket.classifier import Classifier, ClassifierStage, classify
from studio.pocket.data import HELD_OUT, Renders, scene_at, to_pictures, to_tensor
from studio.pocket.device import choose_device
from studio.pocket.latents import halve
from studio.pocket.loop import Settings, checkpoint_path, fit, load_averaged
from studio.pocket.sampling import draw, sheet
from studio.pocket.world import Scene, full_caption, render

NAMES = list(ATTRIBUTES)
MEASURES = ("time_of_day", "place", "subject", "colour", "position", "style", "weather", "count")


def accuracies(scenes: Sequence[Scene], readings: torch.Tensor) -> dict[str, float]:
    """Compare class numbers (B, attributes) with what the scenes ask for, as fractions.

    A subject counts where its kind is read anywhere; its colour where it is read at the
    subject's place; positions where exactly the right ones of left, centre and right are taken.
    """
    wanted = labels(scenes)
    right = (readings == wanted).float()
    result = {
        name: right[:, NAMES.index(name)].mean().item()
        for name in ("time_of_day", "place", "style", "weather", "count")
    }
    kinds = [NAMES.index(f"kind_{position}") for position in POSITIONS]
    found, coloured = [], []
    for scene, reading, truth in zip(scenes, readings, wanted, strict=True):
        for subject in scene.subjects:
            place = POSITIONS.index(subject.position)
            colour = NAMES.index(f"colour_{subject.position}")
            found.append(bool((reading[kinds] == truth[kinds[place]]).any()))
            coloured.append(bool(reading[colour] == truth[colour]))
    result["subject"] = float(np.mean(found))
    result["colour"] = float(np.mean(coloured))
    taken = (readings[:, kinds] > 0) == (wanted[:, kinds] > 0)
    result["position"] = taken.all(1).float().mean().item()
    return {name: round(result[name], 3) for name in MEASURES}


def trained_classifier(work: Path, pictures: int, minutes: float | None) -> Classifier:
    """Load the examiner kept in `work`, or draw renders and train it."""
    classifier = Classifier()
    name = ClassifierStage.name
    if not checkpoint_path(work, name).exists():
        settings = Settings(folder=work, minutes=minutes)
        renders = Renders(work, pictures)
        if len(renders.available()) < min(pictures, 4000):
            for count in renders.draw(os.cpu_count()):
                print(f"{count} of {pictures} renders", flush=True)
        fit(ClassifierStage(renders, settings), settings)
    load_averaged(work, name, classifier)
    return classifier.eval()


def reconstructions(pipeline: Any, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Send pictures through the model's autoencoder, ten at a time."""
    parts = [
        to_pictures(
            reconstruct(pipeline.vae, to_tensor(pictures[start : start + 10]).to(pipeline.device))
        )
        for start in range(0, len(pictures), 10)
    ]
    return np.concatenate(parts)


def load_pipeline(folder: Path) -> Any:
    """Load the model folder in float32 from disk only."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(choose_device())


def print_table(rows: dict[str, dict[str, float]]) -> None:
    """Print one line per row, one column per measure, in per cent."""
    print(" " * 24 + "".join(f"{name:>12}" for name in MEASURES))
    for title, row in rows.items():
        print(f"{title:24}" + "".join(f"{100 * row[name]:11.1f}%" for name in MEASURES))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the bundled model, pocket.")
    parser.add_argument("--model", type=Path, default=Path("assets/pocket"))
    parser.add_argument("--work", type=Path, default=Path("evaluation"))
    parser.add_argument("--captions", type=int, default=200)
    parser.add_argument("--guidance", type=float, help="instead of the card's own")
    parser.add_argument("--renders", type=int, default=30_000, help="to train the examiner on")
    parser.add_argument("--minutes", type=float, help="time limit of the examiner's training")
    parser.add_argument("--dry", action="store_true", help="print only, leave the card alone")
    return parser.parse_args()


def main() -> None:
    """Measure a model folder and write its card."""
    options = _parse()
    options.work.mkdir(parents=True, exist_ok=True)
    classifier = trained_classifier(options.work, options.renders, options.minutes)
    pipeline, card = load_pipeline(options.model), load_card(options.model)
    defaults = card["defaults"]
    scenes = [scene_at(card["seed"], HELD_OUT + 1000 + k) for k in range(options.captions)]
    captions = [full_caption(s, "zh" if k % 2 else "en") for k, s in enumerate(scenes)]
    guidance = options.guidance or defaults["guidance_scale"]
    steps = defaults["num_inference_steps"]
    drawn = draw(pipeline, captions, size=defaults["width"], steps=steps, guidance=guidance)
    renders = np.stack([np.asarray(render(scene)) for scene in scenes])
    if defaults["width"] * 2 == renders.shape[2]:
        renders = halve(renders)
    rebuilt = classify(classifier, reconstructions(pipeline, renders))
    readings = classify(classifier, drawn)
    rows = {
        "accuracy": accuracies(scenes, readings),
        "accuracy_en": accuracies(scenes[::2], readings[::2]),
        "accuracy_zh": accuracies(scenes[1::2], readings[1::2]),
        "ceiling_autoencoder": accuracies(scenes, rebuilt),
        "ceiling_renders": accuracies(scenes, classify(classifier, renders)),
    }
    print_table(rows)
    sheet(drawn[:24], columns=6).save(options.work / "drawn.png")
    if not options.dry:
        captions_drawn = {"captions": options.captions, "guidance_scale": guidance}
        card["metrics"] = {**card["metrics"], **rows, "measured_with": captions_drawn}
        save_card(options.model, card)


if __name__ == "__main__":
    main()
