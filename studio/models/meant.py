"""What a recipe's names mean here: models by their hash, then by name; what is not here is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from studio.models.addons.listing import AUTOMATIC, OWN_VAE, has_addon
from studio.models.base import Kind
from studio.models.catalog import Catalog
from studio.models.names import kind_in_words
from studio.prompt.grammar import take_loras
from studio.recipes import Recipe
from studio.sentences import Sentence, say
from studio.upscaling import LATENT, PIXEL

_MODELS = ("model", "refiner")


@dataclass(frozen=True)
class Missing:
    """Something that a recipe names and that is not installed here."""

    kind: Kind
    name: str

    @property
    def sentence(self) -> Sentence:
        """What is said about it."""
        return say(
            "There is no {kind} called “{name}” here.",
            kind=kind_in_words(self.kind),
            name=self.name,
        )


def meant_here(recipe: Recipe, catalog: Catalog) -> tuple[dict[str, Any], tuple[Missing, ...]]:
    """The recipe's values with the names that things have here, and what is not here.

    A model, VAE or upscaler that is not here is left out of the values; a LoRA stays in the prompt.
    """
    values = dict(recipe.values)
    missing = [*_models(recipe, catalog, values), *_addons(catalog, values)]
    return values, tuple(dict.fromkeys(missing))


def _models(recipe: Recipe, catalog: Catalog, values: dict[str, Any]) -> Iterator[Missing]:
    for field in _MODELS:
        name, its_hash = values.get(field), recipe.hashes.get(field)
        if not name and not its_hash:
            continue
        info = catalog.match(name, its_hash)
        if info is not None:
            values[field] = info.name
            continue
        values.pop(field, None)
        yield Missing("checkpoint", name or str(its_hash))


def _addons(catalog: Catalog, values: dict[str, Any]) -> Iterator[Missing]:
    vae = values.get("vae", AUTOMATIC)
    if vae not in (AUTOMATIC, OWN_VAE) and not has_addon(catalog, "vae", vae):
        del values["vae"]
        yield Missing("vae", vae)
    for field in ("upscaler", "hires_upscaler"):
        way = values.get(field, "lanczos")
        if way not in PIXEL and way not in LATENT and not has_addon(catalog, "upscaler", way):
            del values[field]
            yield Missing("upscaler", way)
    for lora in take_loras(values.get("prompt", ""))[1]:
        if not has_addon(catalog, "lora", lora.name):
            yield Missing("lora", lora.name)
