"""The add-ons that are installed, found by the names that people write. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from studio.errors import FieldProblem, InvalidRequest
from studio.models.base import Kind, ModelInfo
from studio.models.names import kind_in_words
from studio.prompt.grammar import take_loras
from studio.sentences import say

AUTOMATIC = "automatic"
OWN_VAE = ""


class Catalog(Protocol):
    """What is needed of the catalog."""

    def list(self) -> Sequence[ModelInfo]:
        """Every model of every kind; broken ones carry a ``problem``."""

    def find(self, name: str) -> ModelInfo:
        """The checkpoint called ``name``."""


def find_addon(catalog: Catalog, kind: Kind, name: str, field: str, model: ModelInfo) -> ModelInfo:
    """The add-on called ``name``: its name in the catalog, or the file's own name.

    Where several have that name, one that fits the family of ``model`` is taken. Raises
    InvalidRequest with one sentence on ``field`` when there is none that can be used with it.
    """
    named = [
        info
        for info in catalog.list()
        if info.kind == kind and info.variety != "tiny" and name.casefold() in _names(info)
    ]
    word = kind_in_words(kind)
    if not named:
        raise InvalidRequest.of(
            field, say("There is no {word} called “{name}”; check its name.", word=word, name=name)
        )
    named.sort(key=lambda info: (bool(info.problem), not suits(info, model)))
    best = named[0]
    if best.problem:
        raise InvalidRequest.of(
            field,
            say(
                "The {word} “{name}” cannot be used: {problem}",
                word=word,
                name=name,
                problem=best.problem,
            ),
        )
    if not suits(best, model):
        raise InvalidRequest.of(
            field,
            say(
                "The {word} “{name}” is made for another kind of model ({family}) than "
                "“{model}” ({its_family}).",
                word=word,
                name=name,
                family=best.family,
                model=model.name,
                its_family=model.family,
            ),
        )
    return best


def has_addon(catalog: Catalog, kind: Kind, name: str) -> bool:
    """Whether an add-on by this name is here and can be used, whatever model it is made for."""
    return any(
        info.kind == kind and not info.problem and name.casefold() in _names(info)
        for info in catalog.list()
    )


def check_addons(catalog: Catalog, prompt: str, vae: str, model: ModelInfo) -> None:
    """Raise InvalidRequest when a LoRA that ``prompt`` names, or the VAE, cannot be had."""
    wanted: list[tuple[Kind, str, str]] = [
        ("lora", lora.name, "prompt") for lora in take_loras(prompt)[1]
    ]
    if vae not in (AUTOMATIC, OWN_VAE):
        wanted.append(("vae", vae, "vae"))
    problems: list[FieldProblem] = []
    for kind, name, field in wanted:
        try:
            find_addon(catalog, kind, name, field, model)
        except InvalidRequest as error:
            problems += error.problems
    if problems:
        raise InvalidRequest(tuple(problems))


def suits(addon: ModelInfo, model: ModelInfo) -> bool:
    """Whether an add-on is for the family of ``model``, as far as its file tells."""
    if addon.kind == "vae":  # Stable Diffusion 1 and 2 share their autoencoders
        alike = {"sd2": "sd1", "sdxl_refiner": "sdxl"}
        family = alike.get(addon.family, addon.family)
        return not family or family == alike.get(model.family, model.family)
    return not addon.family or addon.family == model.family


def best_embeddings(catalog: Catalog, model: ModelInfo) -> dict[str, ModelInfo]:
    """Embeddings by the words that have them; of several by one name, one that fits the model."""
    found = [info for info in catalog.list() if info.kind == "embedding"]
    best: dict[str, ModelInfo] = {}
    for info in sorted(found, key=lambda each: (bool(each.problem), not suits(each, model))):
        best.setdefault(info.name.rsplit("/", 1)[-1].casefold(), info)
    return best


def sibling_vae(model: ModelInfo) -> ModelInfo | None:
    """The VAE that lies beside a model under its name (``model.vae.safetensors``), if one does."""
    stem = model.path.stem if model.layout == "file" else model.path.name
    beside = model.path.with_name(f"{stem}.vae.safetensors")
    if not beside.is_file():
        return None
    name = beside.name.removesuffix(".safetensors")
    return ModelInfo(name, beside, "vae", family="", layout="file")


def _names(info: ModelInfo) -> Iterator[str]:
    """All that an add-on answers to, in small letters."""
    for name in (info.name, info.name.rsplit("/", 1)[-1], info.path.name, info.path.stem):
        yield name.casefold()
        yield name.casefold().removesuffix(".safetensors")
