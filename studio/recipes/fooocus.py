"""Fooocus' own scheme: the chunk ``parameters`` holds JSON, with names and numbers as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from studio import infotext
from studio.recipes.recipe import (
    Recipe,
    filled,
    lora_tag,
    model_named,
    noted,
    number,
    sampler_named,
    schedule_named,
    with_tags,
)

SOURCE: Final = "Fooocus"
_SIZE: Final = re.compile(r"(?<!\d)(\d{1,9})\s*+[,x×]\s*+(\d{1,9})(?!\d)")
_READ: Final = {
    "prompt", "negative_prompt", "resolution", "seed", "steps", "guidance_scale", "sampler",
    "scheduler", "base_model", "loras", "vae", "clip_skip", "refiner_model", "refiner_switch",
}  # fmt: skip
_UNIMPORTANT: Final = {
    "full_prompt", "full_negative_prompt", "metadata_scheme", "version", "base_model_hash",
    "refiner_model_hash", "created_by", "metadata_version",
}  # fmt: skip


def read_scheme(data: Mapping[str, Any]) -> Recipe | None:
    """The recipe of Fooocus' JSON; None for any other data."""
    if "base_model" not in data or "prompt" not in data:
        return None
    size = _SIZE.search(str(data.get("resolution", "")))
    refiner = model_named(data.get("refiner_model"))
    has_refiner = refiner is not None and refiner.casefold() != "none"
    values = {
        "prompt": with_tags(str(data["prompt"]), _loras(data)),
        "negative_prompt": str(data.get("negative_prompt") or ""),
        "width": int(size[1]) if size else None,
        "height": int(size[2]) if size else None,
        "seed": number(data.get("seed"), int),
        "num_inference_steps": number(data.get("steps"), int),
        "guidance_scale": number(data.get("guidance_scale"), float),
        "sampler": sampler_named(str(data.get("sampler") or "")),
        "sigma_schedule": schedule_named(str(data.get("scheduler") or "")),
        "model": model_named(data["base_model"]),
        "vae": _vae(data.get("vae")),
        "clip_skip": number(data.get("clip_skip"), int),
        "refiner": refiner if has_refiner else None,
        "refiner_switch_at": number(data.get("refiner_switch"), float) if has_refiner else None,
    }
    known = _READ | _UNIMPORTANT
    rest = [
        noted(key, value)
        for key, value in data.items()
        if key not in known and not key.startswith("lora_combined") and value not in (None, "", [])
    ]
    for theirs, ours in (("sampler", "sampler"), ("scheduler", "sigma_schedule")):
        if values[ours] is None and data.get(theirs):
            rest.append(noted(theirs, data[theirs]))
    model_hash = infotext.hash_in({"model_hash": data.get("base_model_hash")})
    return Recipe(SOURCE, filled(values), tuple(rest), filled({"model": model_hash}))


def _loras(data: Mapping[str, Any]) -> list[str]:
    """Tags from ``loras`` (name, weight, hash) or ``lora_combined_1`` ("name : weight")."""
    tags = []
    listed = data.get("loras")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, list) and len(one) > 1 and (name := model_named(one[0])):
            tags.append(lora_tag(name, one[1]))
    for key, value in data.items():
        if key.startswith("lora_combined") and isinstance(value, str):
            head, _, weight = value.rpartition(" : ")
            if name := model_named(head):
                tags.append(lora_tag(name, weight))
    return list(dict.fromkeys(tags))


def _vae(value: object) -> str | None:
    name = model_named(value)
    return None if name is None or name.casefold().startswith("default") else name
