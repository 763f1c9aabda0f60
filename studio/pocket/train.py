"""Train pocket from scratch: renders, tokenizer, autoencoder, encoders, denoiser, card.

The exact command of the bundled model is in its card; all stages, in order, resumable:

    python -m studio.pocket.train --out training

One stage, within a time limit, as the CPU needs it (the learning rate follows the limit):

    python -m studio.pocket.train --out training --stage diffusion-256 --minutes 60

Warm, from the weights of an exported model, where a stage has no checkpoint yet:

    python -m studio.pocket.train --out training --warm-start assets/pocket

Several processes on one stage (on a busy CPU, one per core with OMP_NUM_THREADS=1):

    torchrun --nproc-per-node 2 -m studio.pocket.train --out training --stage diffusion-256

Runs on CUDA in bf16, compiled, where there is one, else on the CPU, in bf16 where it has that. The
model is written to `<out>/model`.
"""

import argparse
import os
from pathlib import Path

from studio.pocket.architecture import NATIVE_SIZE, VAE_SCALE_FACTOR, make_autoencoder
from studio.pocket.autoencoder import AutoencoderStage, Autoencoding
from studio.pocket.card import write_card
from studio.pocket.clip import ClipStage
from studio.pocket.data import Renders
from studio.pocket.decoder import DecoderStage
from studio.pocket.device import layout
from studio.pocket.diffusion import DiffusionStage
from studio.pocket.export import export, load_autoencoder, load_pair, load_tokenizer_of, load_unet
from studio.pocket.latents import Latents, measure_scaling
from studio.pocket.loop import Settings, Stage, checkpoint_path, fit, load_averaged
from studio.pocket.team import join_team
from studio.pocket.tokenizer import caption_corpus, train_tokenizer
from studio.pocket.warm import warm_start

STAGES = (
    "renders",
    "tokenizer",
    "autoencoder",
    "clip",
    "latents-128",
    "diffusion-128",
    "latents-256",
    "diffusion-256",
    "decoder",
    "export",
)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the bundled model, pocket.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and data")
    parser.add_argument("--warm-start", type=Path, help="model folder whose weights to start from")
    parser.add_argument("--stage", choices=(*STAGES, "all"), default="all")
    parser.add_argument("--minutes", type=float, help="time limit of each training stage")
    parser.add_argument("--pictures", type=int, default=30_000, help="renders to learn from")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="drawing processes")
    parser.add_argument("--share", default="0/1", help="k/n: encode every n-th chunk of renders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _latents(renders: Renders, settings: Settings, size: int, share: str) -> None:
    autoencoder, _ = load_autoencoder(settings.folder)
    autoencoder.to(settings.device, memory_format=layout(settings.device))
    part, parts = map(int, share.split("/"))
    latents = Latents(renders, size)
    for chunk in latents.encode(autoencoder, part, parts):
        print(f"latents of {size} px: chunk {chunk}", flush=True)
    print(f"latents of {size} px scaled by {measure_scaling(latents):.4f}")


def _train(stage: Stage, settings: Settings, start: Path | None) -> None:
    if start and not checkpoint_path(settings.folder, stage.name).exists():
        warm_start(stage.learner, start)
    fit(stage, settings)


def run_stage(stage: str, renders: Renders, settings: Settings, args: argparse.Namespace) -> None:
    """Run one stage to its end, or on from its checkpoint."""
    folder = settings.folder
    if stage == "renders":
        for count in renders.draw(args.workers):
            print(f"{count} of {renders.count} renders", flush=True)
    elif stage == "tokenizer":
        corpus = list(caption_corpus(20_000, settings.seed))
        train_tokenizer(corpus).save_pretrained(folder / "tokenizer")
    elif stage == "autoencoder":
        _train(AutoencoderStage(renders, settings), settings, args.warm_start)
    elif stage == "clip":
        _train(ClipStage(renders, load_tokenizer_of(folder), settings), settings, args.warm_start)
    elif stage.startswith("latents"):
        _latents(renders, settings, int(stage.partition("-")[2]), args.share)
    elif stage.startswith("diffusion"):
        encoder = load_pair(folder)[0].text_encoder
        tokenizer, autoencoder = load_tokenizer_of(folder), load_autoencoder(folder)[0]
        size = int(stage.partition("-")[2])
        smaller = load_unet(folder)[0] if size == NATIVE_SIZE else None
        stage_of_size = DiffusionStage(
            Latents(renders, size), encoder, tokenizer, autoencoder, settings, start=smaller
        )
        _train(stage_of_size, settings, None if smaller else args.warm_start)
    elif stage == "decoder":
        learner = Autoencoding(make_autoencoder())
        load_averaged(folder, "autoencoder", learner)
        size = load_unet(folder)[0].config.sample_size * VAE_SCALE_FACTOR
        fit(DecoderStage(Latents(renders, size), learner, settings), settings)
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
        run_stage(stage, renders, settings, options)


if __name__ == "__main__":
    main()
