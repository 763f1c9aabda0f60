"""GenerationRequest <-> the "parameters" text that A1111 writes into a picture, and reads back.

The text is A1111's own: prompt lines, then ``Negative prompt: …``, then one line of ``Key: value``.
A1111's format cannot carry every prompt (one with a line that looks like parameters, say), so
a picture also has a chunk ``studio`` with the request as JSON, which is preferred on reading, and
a text that would not read back the same has a last key ``Recipe`` with that JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, get_origin

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import ValidationError

from studio.errors import InvalidRequest
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS, SIGMA_SCHEDULES, find_sampling, find_schedule
from studio.upscaling import label_of_upscaler, upscaler_labelled

TEXT_CHUNK = "parameters"
JSON_CHUNK = "studio"
NEGATIVE = "Negative prompt"
RECIPE = "Recipe"
MODEL_HASH = "Model hash"
VERSION, STUDIO = "Version", "Creative Studio"  # who wrote it; A1111 reads it and does not mind
_ORDER = ("Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", MODEL_HASH, "Model")
_SIZES = {
    "Size": ("width", "height"),
    "Seed resize from": ("seed_resize_width", "seed_resize_height"),
    "Hires resize": ("hires_width", "hires_height"),
}
_JOINED = ("Sampler", "Schedule type", *_SIZES)  # keys that stand for two fields, or for a name
_SWITCHES: Mapping[str, Mapping[bool, str]] = {  # what A1111 calls on and off
    "normalize_emphasis": {True: "Original", False: "No norm"},
}
_ON_OFF = {True: "True", False: "False"}
_CHOICES: Mapping[str, Mapping[str, str]] = {  # our word for a value -> A1111's
    "resize_mode": {
        "keep": "Keep size",
        "stretch": "Just resize",
        "crop": "Crop and resize",
        "fill": "Resize and fill",
        "latent": "Just resize (latent upscale)",
    },
    "tiling": {"none": "False", "x": "X", "y": "Y", "both": "True"},
    "inpaint_area": {"whole": "Whole picture", "masked": "Only masked"},
    "masked_content": {
        "original": "original",
        "fill": "fill",
        "noise": "latent noise",
        "nothing": "latent nothing",
    },
}
_UPSCALERS = ("upscaler", "hires_upscaler")
_SAME_SAMPLER = "Use same sampler"
_VAES = {"None": "", "Automatic": "automatic"}
# Finds what A1111's own pattern finds, in time that grows with the text and not with its square:
# a key begins where no letter of a key stands before it, and nothing is ever given back.
_PAIR = re.compile(r'(?<![\w \-/])[ \-/]*+(\w[\w \-/]++):\s*+("(?:\\.|[^\\"])++"|[^,]*+)(?:,|$)')
_HASH = re.compile(r"[0-9a-fA-F]{8,64}")
_HASH_BEHIND = re.compile(r" \[[0-9a-f]{8,10}\]$")
_SIZE = re.compile(r"(\d+)x(\d+)")


def write(request: GenerationRequest, model_hash: str | None = None) -> str:
    """The text for ``request``'s picture, in A1111's format.

    ``model_hash``: the short hash of the model that painted it, where that is known. It is a fact
    about the picture and no field of the request.
    """
    text = _text(request, model_hash)
    if recovered(read(text)) != request.one(0):
        text += f", {RECIPE}: {_quoted(recipe(request, model_hash))}"
    return text


def read(text: str) -> dict[str, Any]:
    """The values that ``text`` gives, in our words; what it does not say is left out.

    Beside the fields of a request there may be ``model_hash``, which goes before the model's name.
    Sampler names of older A1111 versions ("DPM++ 2M Karras") are split into sampler and schedule.
    """
    prompt, negative, pairs = _parts(text)
    if RECIPE in pairs and (values := _from_json(pairs[RECIPE])) is not None:
        return values
    values = {"prompt": prompt, "negative_prompt": negative, **_sampling(pairs)}
    strength = "strength" if _is_hires(pairs) else "hires_strength"  # the other has the same key
    for name, key in keys().items():
        if key in pairs and name not in values and key not in _JOINED and name != strength:
            values[name] = _value(name, pairs[key])
    if "vae" in values:
        values["vae"] = _VAES.get(values["vae"], values["vae"])
    if refiner := values.get("refiner"):  # A1111 writes the hash after the name
        values["refiner"] = _HASH_BEHIND.sub("", refiner)
    for key, names in _SIZES.items():
        if size := _SIZE.fullmatch(pairs.get(key, "")):
            values |= zip(names, map(int, size.groups()), strict=True)
    if found := pairs.get(MODEL_HASH):
        values["model_hash"] = found
    return {name: value for name, value in values.items() if value is not None}


def parameters(text: str) -> dict[str, str]:
    """The pairs of ``Key: value`` that ``text`` ends with, as they stand."""
    return _parts(text)[2]


def png_info(request: GenerationRequest, model_hash: str | None = None) -> PngInfo:
    """The text chunks of ``request``'s picture: A1111's text, and the request itself."""
    info = PngInfo()
    info.add_text(TEXT_CHUNK, write(request, model_hash))
    info.add_text(JSON_CHUNK, recipe(request, model_hash))
    return info


def recipe(request: GenerationRequest, model_hash: str | None = None) -> str:
    """The request of one picture as JSON, with ``model_hash`` beside its fields where known."""
    known = {"model_hash": model_hash} if model_hash else {}
    return json.dumps({**request.one(0).model_dump(), **known}, ensure_ascii=True)


def hash_in(values: Mapping[str, Any]) -> str | None:
    """The model's hash among values found in a picture; None when it is not there."""
    found = values.get("model_hash")
    return found.lower() if isinstance(found, str) and _HASH.fullmatch(found) else None


def from_image(image: Image.Image) -> dict[str, Any] | None:
    """The values a picture carries, in our words; None when it carries none."""
    own, text = image.info.get(JSON_CHUNK), image.info.get(TEXT_CHUNK)
    if isinstance(own, str) and (values := _from_json(own)) is not None:
        return values
    return read(text) if isinstance(text, str) else None


def recovered(values: Mapping[str, Any]) -> GenerationRequest:
    """A request from values found in a picture: those that are out of bounds are left out."""
    known = {name: values[name] for name in GenerationRequest.model_fields if name in values}
    while True:
        try:
            return GenerationRequest.model_validate(known)
        except ValidationError as error:
            for name in {str(detail["loc"][0]) for detail in error.errors(include_url=False)}:
                del known[name]


def keys() -> dict[str, str]:
    """Field name -> A1111's key, as the fields themselves say."""
    return {
        name: str(info.json_schema_extra["infotext"])
        for name, info in GenerationRequest.model_fields.items()
        if isinstance(info.json_schema_extra, dict) and "infotext" in info.json_schema_extra
    }


def _text(request: GenerationRequest, model_hash: str | None) -> str:
    values: dict[str, str] = {MODEL_HASH: model_hash} if model_hash else {}
    for name, key in keys().items():
        if key not in values and key != NEGATIVE and _worth_saying(name, request):
            values[key] = _label(name, key, request)
    values[VERSION] = STUDIO
    ordered = [*(key for key in _ORDER if key in values), *(k for k in values if k not in _ORDER)]
    line = ", ".join(f"{key}: {_quoted(values[key])}" for key in ordered)
    lines = [request.prompt]
    if request.negative_prompt:
        lines.append(f"{NEGATIVE}: {request.negative_prompt}")
    return "\n".join([*lines, line])


def _worth_saying(name: str, request: GenerationRequest) -> bool:
    """Whether a field stands in the text: it may hang on another, or have its usual value."""
    extra = GenerationRequest.model_fields[name].json_schema_extra
    said = extra if isinstance(extra, dict) else {}
    other, usual = said.get("only_with"), said.get("unless")
    if other and not getattr(request, str(other)):
        return False
    return usual is None or bool(getattr(request, name) != usual)


def _label(name: str, key: str, request: GenerationRequest) -> str:
    """A field's value as A1111 writes it."""
    value = getattr(request, name)
    labels: dict[str, Callable[[], str]] = {
        "Sampler": lambda: (
            SAMPLERS[request.sampler].label if request.sampler in SAMPLERS else request.sampler
        ),
        "Schedule type": lambda: SIGMA_SCHEDULES.get(request.sigma_schedule, str(value)),
        "VAE": lambda: request.vae or "None",
        "Hires sampler": lambda: (
            SAMPLERS[request.hires_sampler].label
            if request.hires_sampler in SAMPLERS
            else request.hires_sampler
        ),
    }
    if key in labels:
        return labels[key]()
    if name in _UPSCALERS:
        return label_of_upscaler(value)
    if name in _CHOICES:
        return _CHOICES[name][value]
    if key in _SIZES:
        return "x".join(str(getattr(request, name)) for name in _SIZES[key])
    if isinstance(value, bool):
        return _SWITCHES.get(name, _ON_OFF)[value]
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _quoted(value: str) -> str:
    if any(mark in value for mark in ",:\n") or (value[:1], value[-1:]) == ('"', '"'):
        return json.dumps(value, ensure_ascii=False)
    return value


def _unquoted(value: str) -> str:
    if len(value) < 2 or (value[0], value[-1]) != ('"', '"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def _parts(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt and the pairs of the last line, as A1111's reader cuts them."""
    *lines, last = text.strip().split("\n")
    matches = _PAIR.findall(last)
    if len(matches) < 3:
        lines, matches = [*lines, last], []
    prompt: list[str] = []
    negative: list[str] | None = None
    for line in lines:
        if negative is None and line.strip().startswith(f"{NEGATIVE}:"):
            negative = [line.strip()[len(NEGATIVE) + 1 :].strip()]
        elif negative is not None:
            negative.append(line)
        else:
            prompt.append(line)
    pairs = {key: _unquoted(value.strip()) for key, value in matches}
    return "\n".join(prompt), "\n".join(negative or []), pairs


def _sampling(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Sampler and sigma schedule; a name that is not in the table is left out."""
    values: dict[str, Any] = {}
    with suppress(InvalidRequest):
        sampler, values["sigma_schedule"] = find_sampling(pairs.get("Sampler", ""))
        values["sampler"] = sampler.name
    if schedule := find_schedule(pairs.get("Schedule type", "")):
        values["sigma_schedule"] = schedule
    return values


def _is_hires(pairs: Mapping[str, str]) -> bool:
    """Whether the picture was refined after it was enlarged."""
    return not pairs.keys().isdisjoint(("Hires upscale", "Hires resize"))


def _value(name: str, text: str) -> Any:
    """``text`` as a field's type; None when it is not one."""
    kind: object = GenerationRequest.model_fields[name].annotation
    if name in _UPSCALERS:
        return upscaler_labelled(text)
    if name == "hires_sampler":
        return "" if text == _SAME_SAMPLER else _sampling({"Sampler": text}).get("sampler")
    if name in _CHOICES:
        return {label: value for value, label in _CHOICES[name].items()}.get(text)
    if kind is bool:
        return {label: value for value, label in _SWITCHES.get(name, _ON_OFF).items()}.get(text)
    if get_origin(kind) is tuple:
        return tuple(part for part in text.split(", ") if part)
    if kind not in (int, float):
        return text
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        return None


def _from_json(text: str) -> dict[str, Any] | None:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
