"""A recipe with everything it names found, and what is written about it. No torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.errors import FieldProblem, InvalidRequest
from studio.models.addons.listing import Catalog, find_addon
from studio.models.base import ModelInfo
from studio.models.defaults import distillation_in_words
from studio.models.merging.recipe import Recipe
from studio.sentences import say

_ARCHITECTURES: Mapping[str, str] = {
    "sd1": "stable-diffusion-v1", "sd2": "stable-diffusion-v2",
    "sdxl": "stable-diffusion-xl-v1-base", "sdxl_refiner": "stable-diffusion-xl-v1-refiner",
}  # fmt: skip
_FAMILY_WORDS: Mapping[str, str] = {
    "sd1": "Stable Diffusion 1", "sd2": "Stable Diffusion 2", "sdxl": "SDXL",
    "sdxl_refiner": "SDXL refiner",
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """A recipe, and what it names: models in its order, the VAE, LoRAs in its order."""

    recipe: Recipe
    models: tuple[ModelInfo, ...]
    vae: ModelInfo | None
    loras: tuple[ModelInfo, ...]

    @property
    def metadata(self) -> dict[str, str]:
        """What the result says about itself: the recipe, and what it is.

        Keys as in A1111 (``sd_merge_recipe``) and ModelSpec. Source:
        https://github.com/Stability-AI/ModelSpec
        """
        first, names = self.models[0], [each.name for each in self.models]
        said = {
            "sd_merge_recipe": json.dumps(self._recipe(), ensure_ascii=False),
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.architecture": _ARCHITECTURES[first.family],
            "modelspec.title": self._title(first.variety),
            "modelspec.merged_from": ", ".join(names),
            "modelspec.resolution": f"{first.native_size}x{first.native_size}",
        }
        if first.prediction_type:
            said["modelspec.prediction_type"] = first.prediction_type.removesuffix("_prediction")
        return said

    def _title(self, variety: str) -> str:
        """Its name; with how it was distilled, from which its defaults follow."""
        told = distillation_in_words(self.recipe.name) or not distillation_in_words(variety)
        return self.recipe.name if told else f"{self.recipe.name} ({variety})"

    def _recipe(self) -> dict[str, object]:
        recipe = self.recipe
        return {
            "type": "creative-studio",
            "method": recipe.method,
            "models": [{"name": each.name, "sha256": each.sha256} for each in self.models],
            "weights": list(recipe.weights),
            "vae": recipe.vae,
            "loras": [{"name": each.name, "weight": each.weight} for each in recipe.loras],
            "dtype": recipe.dtype,
        }


def find_all(catalog: Catalog, recipe: Recipe) -> Order:
    """What the recipe names. Raises InvalidRequest when that is not there, or does not fit."""
    models = tuple(_model(catalog, name) for name in recipe.models)
    first = models[0]
    _check_alike(models)
    vae = find_addon(catalog, "vae", recipe.vae, "vae", first) if recipe.vae else None
    loras = tuple(find_addon(catalog, "lora", each.name, "loras", first) for each in recipe.loras)
    return Order(recipe, models, vae, loras)


def _model(catalog: Catalog, name: str) -> ModelInfo:
    try:
        return catalog.find(name)
    except InvalidRequest as error:
        problems = [FieldProblem("models", each.message) for each in error.problems]
        raise InvalidRequest(tuple(problems)) from None


def _check_alike(models: Sequence[ModelInfo]) -> None:
    """What can be told without opening them."""
    first = models[0]
    for other in models[1:]:
        names = {"first": first.name, "other": other.name}
        if other.family != first.family:
            what = say(
                "“{first}” is of the family {first_family}, “{other}” of {other_family}: only "
                "models of one family can be merged.",
                **names,
                first_family=_FAMILY_WORDS.get(first.family, first.family),
                other_family=_FAMILY_WORDS.get(other.family, other.family),
            )
            raise InvalidRequest.of("models", what)
        if other.inpainting and not first.inpainting:
            what = say("“{other}” is an inpainting model: choose it as model A.", other=other.name)
            raise InvalidRequest.of("models", what)
        kinds = {each.prediction_type for each in (first, other) if each.prediction_type}
        if len(kinds) > 1:
            what = say(
                "“{first}” and “{other}” were trained to answer with different things (noise and "
                "v): a mixture of them paints nothing.",
                **names,
            )
            raise InvalidRequest.of("models", what)
