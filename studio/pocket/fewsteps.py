"""The few-step add-on: a LoRA with which four steps without guidance do the work of twenty with it.

The teacher (the trained denoiser under guidance) draws from noise; what it passes at the four
noise levels of `FEW` trailing DDIM steps is kept. The student learns, at each of them, the one
velocity that leads a DDIM step to the next: progressive distillation (Salimans and Ho 2022,
Meng et al. 2023 for the guidance) in one round. As it learns where each noise ends, a picture
drawn in four steps resembles the one that its seed gives in twenty.
"""

from pathlib import Path
from typing import Any, Final

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import nn

from studio.pocket.architecture import (
    LATENT_CHANNELS,
    MAX_TOKENS,
    NATIVE_SIZE,
    TEXT_WIDTH,
    VAE_SCALE_FACTOR,
    make_scheduler,
    make_unet,
)
from studio.pocket.captions import Captions
from studio.pocket.data import Renders
from studio.pocket.device import half_precision, layout
from studio.pocket.diffusion import TextStates
from studio.pocket.loop import (
    Forward,
    Progress,
    Settings,
    checkpoint_path,
    compiled,
    load_averaged,
    trusted,
)
from studio.pocket.parts import load_unet

FEW: Final = 4
MANY: Final = 20
RANK: Final = 10
GUIDANCE: Final = 2.5
TARGETS: Final = r".*(to_q|to_k|to_v|to_out\.0|net\.0\.proj|net\.2|proj_in|proj_out|conv1|conv2)"
FILE: Final = "few-steps.safetensors"


def make_student() -> UNet2DConditionModel:
    """Build the denoiser with an untrained LoRA in it; only the LoRA is trained."""
    student = make_unet()
    student.requires_grad_(False)
    student.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))
    return student


def fill_base(student: UNet2DConditionModel, base: UNet2DConditionModel) -> None:
    """Give the student the weights of a denoiser, under its LoRA."""
    wrapped = student.state_dict()
    with torch.no_grad():
        for name, weight in base.state_dict().items():
            path, _, last = name.rpartition(".")
            inner = f"{path}.base_layer.{last}"
            wrapped[inner if inner in wrapped else name].copy_(weight)


class Trajectories:
    """What the teacher passes on its way from noise to picture, in memory.

    Attributes:
        latents: float16 (FEW + 1, count, 4, h, w), from pure noise to the clean latents.
        states: float16 (count, 77, 192), the captions' text states.
    """

    def __init__(self, count: int, device: torch.device) -> None:
        side = NATIVE_SIZE // VAE_SCALE_FACTOR
        self.device, self.filled = device, 0
        half: Any = {"dtype": torch.float16, "device": device}
        self.latents = torch.zeros(FEW + 1, count, LATENT_CHANNELS, side, side, **half)
        self.states = torch.zeros(count, MAX_TOKENS, TEXT_WIDTH, **half)

    @torch.no_grad()
    def add(self, teacher: Forward, states: torch.Tensor, empty: torch.Tensor) -> None:
        """Draw one more batch: DPM++ 2M over `MANY` trailing steps under guidance."""
        scheduler = make_scheduler()
        scheduler = scheduler.from_config(
            scheduler.config, use_karras_sigmas=False, timestep_spacing="trailing"
        )
        scheduler.set_timesteps(MANY)
        rows = slice(self.filled, self.filled + len(states))
        both = torch.cat([empty.expand_as(states), states])
        x = torch.randn(len(states), *self.latents.shape[2:], device=self.device)
        self.latents[0, rows], self.states[rows] = x.half(), states.half()
        for k, time in enumerate(scheduler.timesteps):
            times = torch.full((len(both),), int(time), device=self.device)
            doubled = torch.cat([x, x]).contiguous(memory_format=layout(self.device))
            with half_precision(self.device):
                alone, told = teacher(doubled, times, both, return_dict=False)[0].float().chunk(2)
            guided = alone + GUIDANCE * (told - alone)
            x = scheduler.step(guided, time, x, return_dict=False)[0]
            if (k + 1) % (MANY // FEW) == 0:
                self.latents[(k + 1) // (MANY // FEW), rows] = x.half()
        self.filled = rows.stop


class FewStepsStage:
    """The teacher's trajectories, one leg at a time."""

    name = "few-steps"
    samples = 400_000
    peak_rate = 2e-3

    def __init__(self, renders: Renders, settings: Settings) -> None:
        torch.manual_seed(settings.seed + 5)
        self.renders, self.device = renders, settings.device
        on_cpu = self.device.type == "cpu"
        self.batch, self.drawn, self.count = (16, 16, 512) if on_cpu else (128, 512, 10_240)
        learner: Any = make_student()
        self.learner: UNet2DConditionModel = learner.to(
            self.device, memory_format=layout(self.device)
        )
        self.forward = compiled(self.learner, settings)
        teacher: Any = make_unet().eval().requires_grad_(False)
        self.base: UNet2DConditionModel = teacher.to(self.device, memory_format=layout(self.device))
        self.teacher = compiled(self.base, settings)
        alphas = make_scheduler().alphas_cumprod.float()
        times = torch.arange(FEW, 0, -1) * (len(alphas) // FEW) - 1
        self.times = times.to(self.device)
        levels = torch.cat([alphas[times], torch.ones(1)]).to(self.device)
        self.signal, self.noise = levels.sqrt(), (1 - levels).sqrt()

    def rehearse(self) -> None:
        """Compile student and teacher, without a picture."""
        side = NATIVE_SIZE // VAE_SCALE_FACTOR

        def answer(forward: Forward, rows: int) -> torch.Tensor:
            x = torch.ones(rows, LATENT_CHANNELS, side, side, device=self.device)
            times = torch.full((rows,), 500, device=self.device)
            states = torch.ones(rows, MAX_TOKENS, TEXT_WIDTH, device=self.device)
            x = x.contiguous(memory_format=layout(self.device))
            v: torch.Tensor = forward(x, times, states, return_dict=False)[0]
            return v.float().square().mean()

        self.forward = trusted(self.forward, self.learner, lambda f: answer(f, self.batch))
        try:
            with torch.no_grad(), half_precision(self.device):
                answer(self.teacher, 2 * self.drawn)
        except Exception as error:  # a compiler's failures have no common class
            print(f"not compiled: {error}", flush=True)
            self.teacher = self.base

    def open(self) -> None:
        """Load the teacher and let it draw."""
        trained, _ = load_unet(self.renders.folder)
        self.base.load_state_dict(trained.state_dict())
        fill_base(self.learner, self.base)
        texts = TextStates(Captions(self.renders), self.device)
        empty = texts.encode(texts.empty_ids)
        generator = torch.Generator(self.device).manual_seed(5)
        self.trajectories = Trajectories(self.count, self.device)
        while self.trajectories.filled < self.count:
            given: Any = {"generator": generator, "device": self.device}
            indices = torch.randint(self.renders.count, (self.drawn,), **given)
            states = texts.draw(indices, generator, dropout=0.02)
            self.trajectories.add(self.teacher, states, empty)

    def loss(self, generator: torch.Generator, done: float) -> tuple[torch.Tensor, int]:
        """Return the squared distance between where a DDIM step leads and where the teacher went.

        Measured on the velocity, times the leg's length in it: (b_s a_t - a_s b_t)^2 for a leg
        from signal and noise (a_t, b_t) to (a_s, b_s).
        """
        given: Any = {"generator": generator, "device": self.device}
        rows = torch.randint(self.trajectories.filled, (self.batch,), **given)
        legs = torch.randint(FEW, (self.batch,), **given)
        x = self.trajectories.latents[legs, rows].float()
        wanted = self.trajectories.latents[legs + 1, rows].float()
        velocity = self.forward(
            x.contiguous(memory_format=layout(self.device)),
            self.times[legs],
            self.trajectories.states[rows].float(),
            return_dict=False,
        )[0].float()
        a, b = (level[legs].view(-1, 1, 1, 1) for level in (self.signal, self.noise))
        a_next, b_next = (level[legs + 1].view(-1, 1, 1, 1) for level in (self.signal, self.noise))
        reached = (a_next * a + b_next * b) * x + (b_next * a - a_next * b) * velocity
        return (reached - wanted).square().mean(), self.batch

    def report(self, averaged: nn.Module, folder: Path) -> str:
        """Write the LoRA as diffusers names it, in fp16."""
        return f"{write_lora(averaged, folder / FILE)} bytes of LoRA"


def write_lora(student: nn.Module, path: Path) -> int:
    """Write the student's LoRA in diffusers' layout, in fp16; returns its size in bytes."""
    pieces = get_peft_model_state_dict(student)
    named = {f"unet.{key}": piece.half().cpu().contiguous() for key, piece in pieces.items()}
    save_file(named, path)
    return path.stat().st_size


def export_few_steps(folder: Path, target: Path) -> dict[str, Progress]:
    """Write the trained LoRA, if there is one, into a model folder; how far it came."""
    name = FewStepsStage.name
    if not checkpoint_path(folder, name).exists():
        return {}
    student = make_student()
    progress = load_averaged(folder, name, student)
    write_lora(student, target / FILE)
    return {name: progress}
