"""A recipe as it was found: what was recognised, what was not, and who wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from studio.errors import InvalidRequest
from studio.samplers import find_sampler

LONGEST: Final = 300


@dataclass(frozen=True)
class Recipe:
    """``values`` by the names of GenerationRequest's fields; ``unrecognised`` in words to list.

    ``hashes``: of "model" and "refiner", the beginnings of their files' SHA-256, where known.
    """

    source: str
    values: Mapping[str, Any] = field(default_factory=dict)
    unrecognised: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)


# What ComfyUI and Fooocus call their samplers, where find_sampler does not know the name.
_SAMPLERS: Final = {
    "dpm_2": "dpm2",
    "dpm_2_ancestral": "dpm2_a",
    "dpmpp_2s_ancestral": "dpmpp_2s_a",
    "uni_pc": "unipc",
    "uni_pc_bh2": "unipc",
    "kdpm_2": "dpm2",
    "kdpm_2_a": "dpm2_a",
    "dpmpp_2s": "dpmpp_2s_a",
    "unipc": "unipc",
    "plms": "pndm",
    "k_dpmpp_2": "dpmpp_2m",
}
_SCHEDULES: Final = {
    "normal": "uniform",
    "simple": "automatic",
    "karras": "karras",
    "exponential": "exponential",
    "sgm_uniform": "sgm_uniform",
    "beta": "beta",
    "automatic": "automatic",
}


def sampler_named(name: str) -> str | None:
    """Our name of another studio's sampler, None for one we do not have."""
    plain = name.strip().casefold().removesuffix("_gpu")
    try:
        return find_sampler(_SAMPLERS.get(plain, plain)).name
    except InvalidRequest:
        return None


def schedule_named(name: str) -> str | None:
    """Our name of another studio's sigma schedule, None for one we do not have."""
    return _SCHEDULES.get(name.strip().casefold())


def number(value: object, kind: type[int] | type[float]) -> int | float | None:
    """A number out of whatever stands in foreign data; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return kind(float(value)) if kind is float or isinstance(value, float) else int(value)
    except (ValueError, OverflowError):
        return None


def model_named(value: object) -> str | None:
    """A model's name out of a file's name or path."""
    if not isinstance(value, str) or not value.strip():
        return None
    name = value.replace("\\", "/").rsplit("/", 1)[-1].strip()
    stem, _, ending = name.rpartition(".")
    return stem if stem and ending.lower() in ("safetensors", "ckpt", "pt", "sft") else name


def lora_tag(name: str, weight: object) -> str:
    """``<lora:name:weight>``, as the prompt language writes it."""
    strength = number(weight, float)
    return f"<lora:{name}:{1.0 if strength is None else strength:g}>"


def with_tags(prompt: str, tags: list[str]) -> str:
    """The prompt followed by tags that it does not hold yet."""
    return " ".join([prompt, *(tag for tag in tags if tag not in prompt)]).strip()


def noted(key: str, value: object) -> str:
    """A line for the list of what was not recognised; what no file can hold is escaped."""
    text = f"{key}: {value}".encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are there."""
    return {name: value for name, value in values.items() if value is not None}
