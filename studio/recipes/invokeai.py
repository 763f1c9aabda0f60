"""InvokeAI's metadata: ``invokeai_metadata`` since version 3, ``sd-metadata`` before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from studio.recipes.recipe import (
    Recipe,
    filled,
    lora_tag,
    model_named,
    noted,
    number,
    sampler_named,
    with_tags,
)

SOURCE: Final = "InvokeAI"
_NEGATIVE: Final = re.compile(r"\[([^\[\]]*)\]")
_READ: Final = {
    "positive_prompt", "negative_prompt", "width", "height", "seed", "cfg_scale", "steps",
    "scheduler", "model", "loras", "vae", "clip_skip", "cfg_rescale_multiplier",
}  # fmt: skip
_UNIMPORTANT: Final = {"generation_mode", "app_version", "rand_device", "ref_images", "metadata"}


def read_metadata(data: Mapping[str, Any]) -> Recipe | None:
    """The recipe of ``invokeai_metadata``; None for any other data."""
    if "positive_prompt" not in data and "generation_mode" not in data:
        return None
    scheduler = str(data.get("scheduler") or "")
    sampler, schedule = _scheduler(scheduler)
    skip = number(data.get("clip_skip"), int)
    values = {
        "prompt": with_tags(str(data.get("positive_prompt") or ""), _loras(data.get("loras"))),
        "negative_prompt": _text(data.get("negative_prompt")),
        "width": number(data.get("width"), int),
        "height": number(data.get("height"), int),
        "seed": number(data.get("seed"), int),
        "guidance_scale": number(data.get("cfg_scale"), float),
        "num_inference_steps": number(data.get("steps"), int),
        "sampler": sampler,
        "sigma_schedule": schedule,
        "model": _model(data.get("model")),
        "vae": _model(data.get("vae")),
        "clip_skip": None if skip is None else skip + 1,  # theirs counts from 0
    }
    rest = [noted("scheduler", scheduler)] if scheduler and sampler is None else []
    rest += [
        noted(key, value)
        for key, value in data.items()
        if key not in _READ | _UNIMPORTANT and value not in (None, [], {}, "", False)
    ]
    return Recipe(SOURCE, filled(values), tuple(rest))


def read_old_metadata(data: Mapping[str, Any]) -> Recipe | None:
    """The recipe of ``sd-metadata``; its negative prompt stands in square brackets."""
    image = data.get("image")
    if not isinstance(image, Mapping):
        return None
    text = image.get("prompt")
    if isinstance(text, list):
        text = ", ".join(str(p.get("prompt", "")) for p in text if isinstance(p, Mapping))
    whole = str(text or "")
    name = str(image.get("sampler") or "")
    values = {
        "prompt": _NEGATIVE.sub("", whole).strip(),
        "negative_prompt": ", ".join(_NEGATIVE.findall(whole)),
        "width": number(image.get("width"), int),
        "height": number(image.get("height"), int),
        "seed": number(image.get("seed"), int),
        "guidance_scale": number(image.get("cfg_scale"), float),
        "num_inference_steps": number(image.get("steps"), int),
        "sampler": sampler_named(name),
        "model": _text(data.get("model_weights")),
    }
    rest = (noted("sampler", name),) if name and values["sampler"] is None else ()
    return Recipe(SOURCE, filled(values), rest)


def _scheduler(name: str) -> tuple[str | None, str | None]:
    """``dpmpp_2m_k`` is DPM++ 2M with Karras sigmas."""
    if name.endswith("_k") and (sampler := sampler_named(name[:-2])):
        return sampler, "karras"
    sampler = sampler_named(name)
    return sampler, "automatic" if sampler else None


def _model(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return model_named(value)
    return model_named(value.get("name") or value.get("model_name"))


def _loras(value: object) -> list[str]:
    tags = []
    for one in value if isinstance(value, list) else []:
        if isinstance(one, Mapping) and (name := _model(one.get("model") or one.get("lora"))):
            tags.append(lora_tag(name, one.get("weight")))
    return tags


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
