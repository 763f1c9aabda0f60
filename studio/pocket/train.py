"""Train pocket from scratch: renders, tokenizer, autoencoder, encoders, denoiser, card.

All stages in order, resumable:

    python -m studio.pocket.train --out training

One stage, within a time limit, as a CPU needs it (the learning rate follows the limit):

    python -m studio.pocket.train --out training --stage diffusion --minutes 60

Warm, from the weights of an exported model, where a stage has no checkpoint yet:

    python -m studio.pocket.train --out training --warm-start assets/pocket

Several processes on one stage (on a busy CPU, one per core with OMP_NUM_THREADS=1):

    torchrun --nproc-per-node 2 -m studio.pocket.train --out training --stage diffusion

On a GPU `python -m studio.pocket.lanes` runs the stages side by side. Runs on CUDA in bf16,
compiled, where there is one, else on the CPU, in bf16 where it has that. The model is written to
`<out>/model`.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from studio.pocket.architecture import NATIVE_SIZE
from studio.pocket.autoencoder import AutoencoderStage
from studio.pocket.captions import Captions
from studio.pocket.card import write_card
from studio.pocket.classifier import ClassifierStage
from studio.pocket.clip import ClipStage
from studio.pocket.data import Renders
from studio.pocket.device import layout
from studio.pocket.diffusion import SIZES, DiffusionStage
from studio.pocket.export import export
from studio.pocket.fewsteps import FewStepsStage
from studio.pocket.latents import Latents, measure_scaling
from studio.pocket.loop import Settings, Stage, checkpoint_path, fit
from studio.pocket.parts import load_autoencoder
from studio.pocket.team import join_team
from studio.pocket.tokenizer import caption_corpus, train_tokenizer
from studio.pocket.warm import STARTABLE, copy_tokenizer, warm_start

TRAINED: Final[Mapping[str, Callable[[Renders, Settings], Stage]]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (AutoencoderStage, ClipStage, DiffusionStage, FewStepsStage, ClassifierStage)
    }
)
STAGES: Final = (
    "tokenizer",
    "captions",
    "renders",
    AutoencoderStage.name,
    ClipStage.name,
    "latents",
    DiffusionStage.name,
    FewStepsStage.name,
    "export",
)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the bundled model, pocket.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and data")
    parser.add_argument("--warm-start", type=Path, help="model folder whose weights to start from")
    parser.add_argument("--stage", choices=(*STAGES, ClassifierStage.name, "all"), default="all")
    parser.add_argument("--minutes", type=float, help="time limit of each training stage")
    parser.add_argument(
        "--rate", type=float, help="the highest learning rate: low where much is learnt already"
    )
    parser.add_argument("--pictures", type=int, default=30_000, help="renders to learn from")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="drawing processes")
    parser.add_argument("--share", default="0/1", help="k/n: encode every n-th chunk of renders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--after", default="", help="stages, by comma, to wait for after compiling")
    return parser.parse_args()


def finished_path(folder: Path, stage: str) -> Path:
    """The file that says that a stage has come to its end."""
    return folder / f"{stage}.finished"


def _wait_for(folder: Path, stages: str) -> None:
    for stage in filter(None, stages.split(",")):
        while not finished_path(folder, stage).exists():
            time.sleep(0.2)


def _latents(renders: Renders, settings: Settings, share: str) -> None:
    autoencoder, _ = load_autoencoder(settings.folder)
    autoencoder.to(settings.device, memory_format=layout(settings.device))
    part, parts = map(int, share.split("/"))
    for size in reversed(SIZES):  # the scaling is measured at full size
        latents = Latents(renders, size)
        for chunk in latents.encode(autoencoder, part, parts):
            print(f"latents of {size} px: chunk {chunk}", flush=True)
        print(f"latents of {size} px scaled by {measure_scaling(latents):.4f}")


def _train(renders: Renders, settings: Settings, args: argparse.Namespace) -> None:
    stage = TRAINED[args.stage](renders, settings)
    fresh = not checkpoint_path(settings.folder, stage.name).exists()
    if args.warm_start and fresh and stage.name in STARTABLE:
        warm_start(stage.learner, args.warm_start)
    if args.rate:
        stage.peak_rate = args.rate
    if settings.compiled and settings.device.type == "cuda":
        stage.rehearse()
    _wait_for(settings.folder, args.after)
    stage.open()
    fit(stage, settings)


def run_stage(renders: Renders, settings: Settings, args: argparse.Namespace) -> None:
    """Run one stage to its end, or on from its checkpoint."""
    folder, stage = settings.folder, args.stage
    if stage in TRAINED:
        _train(renders, settings, args)
        return
    _wait_for(folder, args.after)
    if stage == "tokenizer":
        if args.warm_start:  # the encoder's embeddings belong to its tokenizer
            copy_tokenizer(args.warm_start, folder)
        else:
            corpus = list(caption_corpus(20_000, settings.seed))
            train_tokenizer(corpus).save_pretrained(folder / "tokenizer")
    elif stage == "captions":
        Captions(renders).write(args.workers)
    elif stage == "renders":
        for count in renders.draw(args.workers):
            print(f"{count} of {renders.count} renders", flush=True)
    elif stage == "latents":
        _latents(renders, settings, args.share)
    else:
        target = folder / "model"
        size, progress = export(folder, target)
        write_card(target, size, progress, settings.seed, args.warm_start)
        print(f"the model is in {target}")


def main() -> None:
    """Train what the command line asks for."""
    options = _parse()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        folder=options.out,
        seed=options.seed,
        minutes=options.minutes,
        compiled=options.compile,
        team=join_team(),
    )
    renders = Renders(options.out, options.pictures, NATIVE_SIZE, options.seed)
    for stage in STAGES if options.stage == "all" else (options.stage,):
        options.stage = stage
        run_stage(renders, settings, options)
        finished_path(options.out, stage).touch()


if __name__ == "__main__":
    main()
