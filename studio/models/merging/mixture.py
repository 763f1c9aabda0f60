"""The weights of a merge, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from studio.errors import ModelError
from studio.models.filling import shaped
from studio.models.merging.baking import BakedLoras
from studio.models.merging.ingredient import ENTRANCE, Ingredient, Shape, is_entrance
from studio.sentences import say


class Mixture:
    """Σ coefficient × weight over the ingredients, in fp32, with what is baked in added.

    The first ingredient gives the shapes. ``vae``: the autoencoder's tensors by diffusers' names,
    where another than the mixed one is wanted. ``dtype``: what every weight becomes at the end.
    """

    def __init__(
        self,
        ingredients: Sequence[Ingredient],
        coefficients: Sequence[float],
        dtype: torch.dtype,
        loras: BakedLoras,
        vae: Mapping[str, torch.Tensor] | None = None,
    ) -> None:
        self.first, self.dtype = ingredients[0], dtype
        self._shares = tuple(zip(coefficients, ingredients, strict=True))
        self._loras, self._vae = loras, vae

    def weight(self, part: str, name: str) -> torch.Tensor:
        """A parameter of the result, on the CPU. Raises ModelError when it overflows."""
        shape = self.first.shapes[part][name]
        if part == "vae" and self._vae is not None:
            mixed = _of_vae(self._vae, name, shape)
        else:
            mixed = self._mixed(part, name, shape)
            self._loras.add_to(part, name, mixed)
        result = mixed.to(self.dtype)
        if not bool(torch.isfinite(result).all()):
            raise ModelError(
                say(
                    "The result's {part} overflows (at {weight}): one of the models is damaged, or "
                    "its numbers are too large for 16 bit; choose 32 bit, or another model.",
                    part=part, weight=name,
                )
            )  # fmt: skip
        return result

    def _mixed(self, part: str, name: str, shape: Shape) -> torch.Tensor:
        """The sum; what only the first model's entrance has (the mask's channels) stays as it is.

        With the difference of a fine-tune this makes its inpainting model. Source: A1111's merger.
        """
        if not is_entrance(part, name):
            return self._sum(part, name)
        shared = min(each.shapes["unet"][ENTRANCE][1] for _, each in self._shares)
        own = self.first.read(part, name, shape)[:, shared:]
        return torch.cat([self._sum(part, name, shared), own.to(torch.float32)], dim=1)

    def _sum(self, part: str, name: str, channels: int | None = None) -> torch.Tensor:
        """In fp32; of a layer's inputs only the first ``channels`` where it is given.

        The first model comes last, so that a difference of equals is nothing to the bit.
        """
        total: torch.Tensor | None = None
        for coefficient, ingredient in (*self._shares[1:], self._shares[0]):
            if not coefficient:
                continue
            giver = self.first if channels is None else ingredient
            tensor = ingredient.read(part, name, giver.shapes[part][name])
            if channels is not None:
                tensor = tensor[:, :channels]
            scaled = tensor.to(torch.float32, copy=True).mul_(coefficient)
            total = scaled if total is None else total.add_(scaled)
        assert total is not None, "at least one coefficient is not 0"
        return total


def _of_vae(tensors: Mapping[str, torch.Tensor], name: str, shape: Shape) -> torch.Tensor:
    tensor = tensors.get(name)
    fitting = None if tensor is None else shaped(tensor, shape)
    if fitting is None:
        raise ModelError(say("The VAE is made for another kind of model: choose another."))
    return fitting
