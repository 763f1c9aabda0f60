"""Seeded noise: one generator per picture, on the CPU, so that a seed means the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from studio.request import GenerationRequest

ALMOST_PARALLEL = 0.9995


@dataclass(frozen=True)
class NoiseRecipe:
    """What one picture's first noise is drawn from.

    ``variation``: a second seed and how much of its noise is mixed in, from 0 to 1. ``drawn_at``:
    height and width in latent cells of another picture's noise, which lies in this one's middle.
    """

    seed: int
    variation: tuple[int, float] | None = None
    drawn_at: tuple[int, int] | None = None

    @classmethod
    def of(cls, request: GenerationRequest, cell: int) -> NoiseRecipe:
        """A single picture's recipe; ``cell``: the side of a latent cell in pixels."""
        strength = request.variation_strength
        height, width = request.seed_resize_height // cell, request.seed_resize_width // cell
        return cls(
            request.seed,
            (request.variation_seed, strength) if strength else None,
            (height, width) if height and width else None,
        )


def generators_of(seeds: Sequence[int]) -> list[torch.Generator]:
    """One CPU generator per picture; later noise of that picture is drawn from it as well."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def initial_noise(
    generators: Sequence[torch.Generator],
    shape: tuple[int, int, int],
    device: torch.device,
    recipes: Sequence[NoiseRecipe] | None = None,
) -> torch.Tensor:
    """Standard normal latents (B, C, h, w) in fp32, picture k from generator k alone.

    ``recipes``: one a picture, where they are more than a seed. Every generator is left in the same
    state whatever its recipe says, so that a variation's later noise is the original's.
    """
    drawn = [torch.randn(shape, generator=generator) for generator in generators]
    if recipes:
        drawn = [_varied(noise, each) for noise, each in zip(drawn, recipes, strict=True)]
    return torch.stack(drawn).to(device)


def _varied(noise: torch.Tensor, recipe: NoiseRecipe) -> torch.Tensor:
    """``noise`` (C, h, w) with the variation mixed in and the other picture's noise in its middle.

    The order of the two, and the same seed for the frame and the middle, are A1111's.
    """
    shape = (noise.shape[0], *(recipe.drawn_at or noise.shape[1:]))
    middle = noise if recipe.drawn_at is None else _seeded(recipe.seed, shape)
    if recipe.variation:
        seed, strength = recipe.variation
        middle = slerp(middle, _seeded(seed, shape), strength)
    return middle if recipe.drawn_at is None else _in_the_middle(noise, middle)


def _seeded(seed: int, shape: Sequence[int]) -> torch.Tensor:
    return torch.randn(tuple(shape), generator=torch.Generator("cpu").manual_seed(seed))


def slerp(start: torch.Tensor, end: torch.Tensor, share: float) -> torch.Tensor:
    """From ``start`` at 0 to ``end`` at 1 along the arc between them: the length stays a noise's.

    Tensors of one shape, taken as vectors. Source: Shoemake 1985, Animating Rotation with
    Quaternion Curves; where the two are almost parallel the straight line, as the arc divides by 0.
    """
    cosine = (start * end).sum() / (start.norm() * end.norm()).clamp(min=1e-12)
    if cosine.abs() > ALMOST_PARALLEL:
        return torch.lerp(start, end, share)
    angle = torch.acos(cosine)
    begin, finish = torch.sin((1 - share) * angle), torch.sin(share * angle)
    return (begin * start + finish * end) / torch.sin(angle)


def _in_the_middle(frame: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
    """``frame`` (C, h, w) with ``middle`` (C, …) pasted into its centre, cut where it is larger.

    Rounded as in A1111, so that a recipe from there makes the same picture: halves go down, and of
    a middle that is larger by an odd number of cells, one row of the frame stays.
    """
    pasted = frame.clone()
    (top, up), (left, over) = map(_placed, frame.shape[1:], middle.shape[1:])
    pasted[:, top, left] = middle[:, up, over]
    return pasted


def _placed(outer: int, inner: int) -> tuple[slice, slice]:
    """Along one axis: where in the frame, and what of the middle."""
    margin = (outer - inner) // 2
    if margin >= 0:
        return slice(margin, margin + inner), slice(0, inner)
    return slice(0, inner + 2 * margin), slice(-margin, inner + margin)
