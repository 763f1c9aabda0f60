"""Seeded noise: one generator per picture, on the CPU, so that a seed means the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def generators_of(seeds: Sequence[int]) -> list[torch.Generator]:
    """One CPU generator per picture; later noise of that picture is drawn from it as well."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def initial_noise(
    generators: Sequence[torch.Generator], shape: tuple[int, int, int], device: torch.device
) -> torch.Tensor:
    """Standard normal latents (B, C, h, w) in fp32, picture k from generator k alone."""
    drawn = [torch.randn((1, *shape), generator=generator) for generator in generators]
    return torch.cat(drawn).to(device)
