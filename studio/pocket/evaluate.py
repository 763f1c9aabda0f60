"""Measure pocket: draw held-out captions, read the pictures back, write the card.

    python -m studio.pocket.evaluate --model assets/pocket --work evaluation

Draws 500 captions, half English and half Chinese, with the card's default settings, and once more
in few steps where the model has its add-on for that. The first run also draws renders and trains
the examiner on them, kept in `--work` for the next run.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from numpy.typing import NDArray

from studio.pocket.autoencoder import reconstruct
from studio.pocket.captions import LANGUAGES
from studio.pocket.card import load_card, save_card
from studio.pocket.classifier import Classifier, ClassifierStage, classify
from studio.pocket.data import HELD_OUT, Renders, scene_at, to_pictures, to_tensor
from studio.pocket.device import choose_device
from studio.pocket.fewsteps import FEW, FILE
from studio.pocket.loop import Settings, checkpoint_path, fit, load_averaged
from studio.pocket.measures import MEASURES, Scorer, accuracies, frechet_distance, retrieval
from studio.pocket.sampling import draw, sheet
from studio.pocket.world import Scene, full_caption, render

Row = dict[str, float]


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
        stage = ClassifierStage(renders, settings)
        stage.open()
        fit(stage, settings)
    load_averaged(work, name, classifier)
    return classifier.eval().to(choose_device())


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


def in_few_steps(pipeline: Any, folder: Path) -> Any:
    """The pipeline with the few-step add-on, to be drawn with in `FEW` steps without guidance."""
    pipeline.load_lora_weights(folder, weight_name=FILE, local_files_only=True)
    pipeline.scheduler = DDIMScheduler.from_config(
        pipeline.scheduler.config, timestep_spacing="trailing", clip_sample=False
    )
    return pipeline


def drawn_by_renderer(scenes: list[Scene], size: int) -> NDArray[np.uint8]:
    """Render the scenes at `size`, in several processes."""
    with ProcessPoolExecutor() as pool:
        pictures = [np.asarray(one) for one in pool.map(render, scenes, chunksize=10)]
    step = pictures[0].shape[0] // size
    blocks = np.stack(pictures).reshape(len(scenes), size, step, size, step, 3)
    small: NDArray[np.uint8] = blocks.mean((2, 4), dtype=np.float32).round().astype(np.uint8)
    return small


def by_language(scenes: list[Scene], readings: torch.Tensor) -> dict[str, Any]:
    """Accuracies over all, and under `en` and `zh` those of each language's captions."""
    each = {
        language: accuracies(scenes[k::2], readings[k::2]) for k, language in enumerate(LANGUAGES)
    }
    return {**accuracies(scenes, readings), **each}


def print_table(rows: dict[str, Row]) -> None:
    """Print one line per row, one column per measure, in per cent."""
    print(" " * 24 + "".join(f"{name:>12}" for name in MEASURES))
    for title, row in rows.items():
        print(f"{title:24}" + "".join(f"{100 * row[name]:11.1f}%" for name in MEASURES))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the bundled model, pocket.")
    parser.add_argument("--model", type=Path, default=Path("assets/pocket"))
    parser.add_argument("--work", type=Path, default=Path("evaluation"))
    parser.add_argument("--captions", type=int, default=500)
    parser.add_argument("--guidance", type=float, help="instead of the card's own")
    parser.add_argument("--renders", type=int, default=30_000, help="to train the examiner on")
    parser.add_argument("--minutes", type=float, help="time limit of the examiner's training")
    parser.add_argument("--dry", action="store_true", help="print only, leave the card alone")
    return parser.parse_args()


def measure(options: argparse.Namespace, card: dict[str, Any]) -> dict[str, Any]:
    """Return the card's metrics."""
    classifier = trained_classifier(options.work, options.renders, options.minutes)
    pipeline, defaults = load_pipeline(options.model), card["defaults"]
    scorer, size = Scorer(options.model, pipeline), defaults["width"]
    held_out = [scene_at(card["seed"], HELD_OUT + 1000 + k) for k in range(2 * options.captions)]
    scenes, others = held_out[: options.captions], held_out[options.captions :]
    captions = [full_caption(s, LANGUAGES[k % 2]) for k, s in enumerate(scenes)]
    guidance = options.guidance or defaults["guidance_scale"]
    steps = defaults["num_inference_steps"]
    drawn = draw(pipeline, captions, size=size, steps=steps, guidance=guidance, batch=50)
    renders, fresh = drawn_by_renderer(scenes, size), drawn_by_renderer(others, size)
    rebuilt = reconstructions(pipeline, renders)
    metrics: dict[str, Any] = {
        "accuracy": by_language(scenes, classify(classifier, drawn)),
        "ceiling_autoencoder": accuracies(scenes, classify(classifier, rebuilt)),
        "ceiling_renders": accuracies(scenes, classify(classifier, renders)),
        "fid": frechet_distance(scorer, drawn, fresh),
        "fid_reconstructions": frechet_distance(scorer, rebuilt, fresh),
        "retrieval": retrieval(scorer, captions, renders),
        "measured_with": {"captions": options.captions, "guidance_scale": guidance},
    }
    sheet(drawn[:24], columns=6).save(options.work / "drawn.png")
    if (options.model / FILE).exists():
        few = in_few_steps(pipeline, options.model)
        quick = draw(few, captions, size=size, steps=FEW, guidance=1.0, batch=50)
        metrics["few_steps"] = by_language(scenes, classify(classifier, quick))
        metrics["fid_few_steps"] = frechet_distance(scorer, quick, fresh)
        sheet(quick[:24], columns=6).save(options.work / "drawn-few-steps.png")
    return metrics


def main() -> None:
    """Measure a model folder and write its card."""
    options = _parse()
    options.work.mkdir(parents=True, exist_ok=True)
    card = load_card(options.model)
    metrics = measure(options, card)
    rows = {key: value for key, value in metrics.items() if isinstance(value, dict)}
    rows.pop("measured_with")
    rows |= {f"in {language}": rows["accuracy"][language] for language in LANGUAGES}
    print_table(rows)
    print({key: value for key, value in metrics.items() if isinstance(value, float)})
    if not options.dry:
        save_card(options.model, {**card, "metrics": metrics})


if __name__ == "__main__":
    main()
