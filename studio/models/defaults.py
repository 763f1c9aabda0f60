"""What suits a model when a request leaves it out: by family, and by how it was distilled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from studio.models.base import ModelDefaults

DISTILLED = ("lcm", "turbo", "lightning", "hyper")

_BY_FAMILY: Mapping[str, ModelDefaults] = {
    "sd1": ModelDefaults(),
    "sd2": ModelDefaults(),
    "sdxl": ModelDefaults(num_inference_steps=30, guidance_scale=6.0),
    "sdxl_refiner": ModelDefaults(num_inference_steps=30, guidance_scale=6.0),
}
# As their authors' model cards have it; "sgm_uniform" is diffusers' timestep_spacing="trailing".
_BY_DISTILLATION: Mapping[str, Mapping[str, Any]] = {
    "lcm": {"sampler": "lcm", "sigma_schedule": "automatic", "num_inference_steps": 8},
    "turbo": {"sampler": "euler_a", "sigma_schedule": "sgm_uniform", "num_inference_steps": 4},
    "lightning": {"sampler": "euler", "sigma_schedule": "sgm_uniform", "num_inference_steps": 4},
    "hyper": {"sampler": "ddim", "sigma_schedule": "sgm_uniform", "num_inference_steps": 8},
}
_WORDS = re.compile(r"(?<![a-z])(turbo|lightning|hyper|lcm)(?![a-z])")
_SDXL_TURBO = re.compile(r"sd[ _-]?xl[ _-]?turbo")
_STEPS = re.compile(r"(?<!\d)([1-9]|1\d)[ _-]?steps?(?![a-z])")


def defaults_for(family: str, native: int, variety: str = "", words: str = "") -> ModelDefaults:
    """The defaults of a family at its native size, and those of the distillation ``variety``.

    ``words``: its title and name, which may have the number of steps it was distilled to
    ("…_4step"). A distilled model has its guidance built in, so that CFG is 1 (off).
    """
    usual = _BY_FAMILY.get(family, ModelDefaults())
    usual = replace(usual, width=native, height=native)
    if variety not in _BY_DISTILLATION:
        return usual
    special = dict(_BY_DISTILLATION[variety])
    if variety == "turbo" and family == "sd2":  # SD-Turbo's own pipeline has plain Euler
        special["sampler"] = "euler"
    if family == "sdxl" and _SDXL_TURBO.search(words.lower()):
        native = 512  # of all distilled XL models only this one was trained at that
    if steps := _STEPS.search(words.lower()):
        special["num_inference_steps"] = int(steps[1])
    return replace(usual, width=native, height=native, guidance_scale=1.0, **special)


def distillation_in_words(*texts: str) -> str:
    """How a model was distilled as far as its title tells: a last resort, "" when it does not.

    A file of a distilled model has the names and shapes of any other of its family (LCM's own
    UNets excepted), so that only what people wrote can tell: the title in its metadata, then the
    file's name. It is used for nothing but the defaults, which everyone can change.
    """
    for text in texts:
        if found := _WORDS.search(text.lower().replace("_", " ").replace("-", " ")):
            return found[1]
    return ""


def with_card(usual: ModelDefaults, given: object) -> ModelDefaults:
    """``usual`` with what a model folder's card gives; what it spells wrongly is left out."""
    if not isinstance(given, dict):
        return usual
    wanted: dict[str, Any] = {}
    for item in fields(ModelDefaults):
        value, kind = given.get(item.name), type(getattr(usual, item.name))
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is kind:
            wanted[item.name] = value
    return replace(usual, **wanted)
