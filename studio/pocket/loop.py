"""The training loop that every stage shares: schedule, average, checkpoint, progress."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from studio.pocket.device import choose_device, half_precision
from studio.pocket.muon import Optimizer
from studio.pocket.team import MEET_STEPS, Team

AVERAGE_DECAY = 0.998
PRINT_SECONDS = 20.0
SAVE_SECONDS = 90.0
REPORT_SECONDS = 300.0


@dataclass(frozen=True)
class Settings:
    """What holds for every stage of one training run."""

    folder: Path
    seed: int = 0
    minutes: float | None = None
    compiled: bool = True
    device: torch.device = field(default_factory=choose_device)
    team: Team = field(default_factory=Team)


class Stage(Protocol):
    """One part of the training: a name, what learns (on its device), and the loss of one batch."""

    name: str
    samples: int
    peak_rate: float

    @property
    def learner(self) -> nn.Module:
        """What is trained."""

    def rehearse(self) -> None:
        """Compile what will be run, while the data may still be in the making."""

    def open(self) -> None:
        """Load the data."""

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the loss of a fresh batch, and how many samples the batch had.

        `done` is the share of the stage that is over, for what changes on the way.
        """

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Look at the averaged weights: save a sheet if there is one, return a line of text."""


Forward = Callable[..., Any]


def compiled(function: Forward, settings: Settings) -> Forward:
    """Compile the function on CUDA if asked to; shapes are taken as fixed.

    Not on a CPU: there, PyTorch 2.13's compiled backward pass of a channels-last group norm under
    autocast returned gradients near zero, and the autoencoder learnt nothing.
    """
    if not (settings.compiled and settings.device.type == "cuda"):
        return function
    compiler: Any = torch.compile
    result: Forward = compiler(function, dynamic=False)
    return result


def trusted(
    forward: Forward, learner: nn.Module, loss: Callable[[Forward], torch.Tensor]
) -> Forward:
    """Return the compiled `forward`, or `learner` itself where it fails or errs.

    Compilers have been seen to return gradients near zero; both norms may differ by a tenth.
    """
    if forward is learner:
        return forward
    try:
        norms = [_gradient_norm(one, learner, loss) for one in (forward, learner)]
    except Exception as error:  # a compiler's failures have no common class
        print(f"not compiled: {error}", flush=True)
        return learner
    print(f"compiled: gradients {norms[0]:.4g}, uncompiled {norms[1]:.4g}", flush=True)
    return forward if abs(norms[0] / norms[1] - 1) < 0.1 else learner


def _gradient_norm(
    forward: Forward, learner: nn.Module, loss: Callable[[Forward], torch.Tensor]
) -> float:
    with half_precision(next(learner.parameters()).device):
        value = loss(forward)
    value.backward()  # type: ignore[no-untyped-call]
    gradients = [weight.grad for weight in learner.parameters() if weight.grad is not None]
    norm = float(nn.utils.get_total_norm(gradients))
    learner.zero_grad(set_to_none=True)
    return norm


def learning_rate(progress: float, peak: float, final: float = 2e-5, warm: float = 0.02) -> float:
    """Rise for the first 2 %, then fall along a cosine from `peak` to `final`."""
    if progress < warm:
        return peak * max(progress / warm, 0.02)
    bend = (progress - warm) / (1 - warm)
    return final + (peak - final) * 0.5 * (1 + math.cos(math.pi * min(bend, 1.0)))


@torch.no_grad()
def _average(averaged: nn.Module, learner: nn.Module, steps: int) -> None:
    decay = min(AVERAGE_DECAY, (1 + steps) / (10 + steps))
    torch._foreach_lerp_(list(averaged.parameters()), list(learner.parameters()), 1 - decay)
    for kept, current in zip(averaged.buffers(), learner.buffers(), strict=True):
        kept.copy_(current)


@dataclass
class Progress:
    """How far a stage has come; survives in its checkpoint."""

    steps: int = 0
    samples: int = 0
    seconds: float = 0.0

    def fraction(self, samples: int, minutes: float | None) -> float:
        """Share of the stage that is done: by samples, or by time if that runs out first."""
        by_time = self.seconds / (60 * minutes) if minutes else 0.0
        return max(self.samples / samples, by_time)


def checkpoint_path(folder: Path, name: str) -> Path:
    """Where a stage keeps its weights, their average and the optimizer's state."""
    return folder / f"{name}.pt"


def load_averaged(folder: Path, name: str, module: nn.Module) -> Progress:
    """Load a stage's averaged weights into `module`, return how far the stage came."""
    stored = torch.load(checkpoint_path(folder, name), map_location="cpu", weights_only=True)
    module.load_state_dict(stored["averaged"])
    return Progress(**stored["progress"])


def fit(stage: Stage, settings: Settings) -> Progress:
    """Train a stage to its end, going on from its checkpoint if there is one.

    Muon, gradients clipped at norm 1, weights averaged with decay 0.998 (rising from 0.1).
    """
    learner = stage.learner
    averaged = copy.deepcopy(learner).eval().requires_grad_(False)
    optimizer = Optimizer(learner, lr=stage.peak_rate)
    progress = Progress()
    path = checkpoint_path(settings.folder, stage.name)
    if path.exists():
        stored = torch.load(path, map_location=settings.device, weights_only=True)
        learner.load_state_dict(stored["learner"])
        averaged.load_state_dict(stored["averaged"])
        optimizer.load_state_dict(stored["optimizer"])
        progress = Progress(**stored["progress"])

    def save() -> None:
        state = {
            "learner": learner.state_dict(),
            "averaged": averaged.state_dict(),
            "optimizer": optimizer.state_dict(),
            "progress": vars(progress),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    team = settings.team
    begin = settings.seed * 1_000_003 + 101 * progress.steps + team.rank
    generator = torch.Generator(settings.device).manual_seed(begin)
    printed = saved = reported = time.monotonic()
    loss_sum, loss_count = torch.zeros((), device=settings.device), 0
    rate_samples = progress.samples
    done = team.share(progress.fraction(stage.samples, settings.minutes))
    started = time.monotonic()
    while done < 1:
        optimizer.set_rate(learning_rate(done, stage.peak_rate))
        with half_precision(settings.device):
            loss, count = stage.loss(generator, done)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimizer.step()
        progress.steps += 1
        progress.samples += count * team.size
        loss_sum = loss_sum + loss.detach()
        loss_count += 1
        if progress.steps % MEET_STEPS == 0:
            loss_sum.item()  # the host must not run ahead of a GPU further than this
            team.mean_weights(learner)
            done = team.share(progress.fraction(stage.samples, settings.minutes))
        now = time.monotonic()  # compiling, in the first step, is not charged in full
        progress.seconds += min(now - started, 10.0)
        started = now
        _average(averaged, learner, progress.steps)
        if not team.leads:
            continue
        if now - printed > PRINT_SECONDS:
            rate = (progress.samples - rate_samples) / (now - printed)
            print(
                f"{stage.name} {100 * done:5.1f} %  step {progress.steps}  "
                f"{progress.samples} samples  {rate:.1f}/s  loss {loss_sum / loss_count:.4f}",
                flush=True,
            )
            printed, rate_samples = now, progress.samples
            loss_sum, loss_count = torch.zeros_like(loss_sum), 0
        if now - saved > SAVE_SECONDS:
            save()
            saved = time.monotonic()
        if now - reported > REPORT_SECONDS:
            print(f"{stage.name} {stage.report(averaged, settings.folder)}", flush=True)
            reported = time.monotonic()
    if team.leads:
        save()
        print(f"{stage.name} done: {stage.report(averaged, settings.folder)}", flush=True)
    return progress
