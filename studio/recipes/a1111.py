"""A1111's lines, which Forge, SD.Next, Fooocus and this studio write too.

What the text does not say has its usual value there: A1111 leaves out a CLIP skip of 1, a VAE that
was chosen by itself, a refiner that was not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from studio import infotext
from studio.recipes.recipe import Recipe, filled, noted
from studio.request import GenerationRequest

_APPS: Final = (("fooocus", "Fooocus"), ("comfyui", "ComfyUI"), ("f", "Forge"), ("neo", "Forge"))
# Facts about the file, the program or the machine, which change no picture here.
_SILENT: Final = {
    infotext.VERSION, infotext.MODEL_HASH, "VAE hash", "Lora hashes", "TI hashes", "Hashes", "App",
    "Parser", "User", "RNG", "Batch size", "Batch pos", "Template", "Negative Template", "Backend",
    "Pipeline", "Operations", "Created Date", "Civitai resources", "Civitai metadata",
    "Cache FP16 weight for LoRA", "Diffusion in Low Bits", "Init image hash", "Index",
}  # fmt: skip
# What "Automatic" means for a sampler in A1111 since version 1.9, where it is not its plain sigmas.
OWN_SCHEDULES: Final = {
    "dpmpp_2m": "karras", "dpmpp_sde": "karras", "dpmpp_2s_a": "karras", "dpm2": "karras",
    "dpm2_a": "karras", "dpmpp_2m_sde": "exponential", "dpmpp_3m_sde": "exponential",
}  # fmt: skip
_CHOOSES: Final = re.compile(r"(?:f\S*)?v1\.(?:9|\d\d)\b", re.IGNORECASE)
_REFINER_HASH: Final = re.compile(r" \[([0-9a-f]{8,10})\]$")


def read_lines(text: str) -> Recipe | None:
    """The recipe of A1111's lines; None for a text without parameters."""
    pairs = infotext.parameters(text)
    values = infotext.read(text)
    if not pairs:
        return Recipe("A1111", values) if values["negative_prompt"] else None
    model_hash = infotext.hash_in(values)
    refiner_hash = _REFINER_HASH.search(pairs.get("Refiner", ""))
    hashes = {"model": model_hash, "refiner": refiner_hash[1] if refiner_hash else None}
    if infotext.RECIPE not in pairs:
        values = _usual(pairs) | values
        if "sampler" in values:
            values["sigma_schedule"] = _schedule(pairs, values)
    source = _app(pairs)
    if source != infotext.STUDIO and "styles" in values:
        values["styles"] = ()  # elsewhere their words stand in the prompt already
    return Recipe(source, values, _left_over(pairs, values), filled(hashes))


def _usual(pairs: Mapping[str, str]) -> dict[str, Any]:
    """The values of the fields that are written only when they are not the usual ones."""
    usual = {}
    for name, key in infotext.keys().items():
        info = GenerationRequest.model_fields[name]
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        optional = extra.get("unless") is not None or extra.get("only_with") is not None
        if optional and key not in pairs:
            usual[name] = info.default
    return usual


def _means_something(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a field can be used: elsewhere a start picture's own hash is not written."""
    extra = GenerationRequest.model_fields[name].json_schema_extra
    other = extra.get("only_with") if isinstance(extra, dict) else None
    if other not in ("init_image", "mask_image", "hires", "upscales"):
        return True
    return bool(getattr(infotext.recovered(values), other))


def _schedule(pairs: Mapping[str, str], values: Mapping[str, Any]) -> str | None:
    given: str | None = values.get(
        "sigma_schedule", None if "Schedule type" in pairs else "automatic"
    )
    if given == "automatic" and _CHOOSES.match(pairs.get(infotext.VERSION, "")):
        return OWN_SCHEDULES.get(str(values["sampler"]), given)
    return given


def _app(pairs: Mapping[str, str]) -> str:
    if infotext.RECIPE in pairs or pairs.get(infotext.VERSION) == infotext.STUDIO:
        return infotext.STUDIO
    if "SD.Next" in pairs.get("App", ""):
        return "SD.Next"
    version = pairs.get(infotext.VERSION, "").casefold()
    return next((name for start, name in _APPS if version.startswith(start)), "A1111")


def _left_over(pairs: Mapping[str, str], values: Mapping[str, Any]) -> tuple[str, ...]:
    meant = {key for name, key in infotext.keys().items() if _means_something(name, values)}
    known = {*meant, *_SILENT, infotext.RECIPE}
    rest = [noted(key, value) for key, value in pairs.items() if key not in known]
    for key, name in (("Sampler", "sampler"), ("Schedule type", "sigma_schedule")):
        if key in pairs and values.get(name) is None:
            rest.append(noted(key, pairs[key]))
    return tuple(rest)
