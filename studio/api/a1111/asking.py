"""From a body of A1111's to the values that are handed in, as the page hands them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from studio.api.a1111 import fields, names, options, pictures, scripts
from studio.api.foreign import Refused
from studio.bootstrap import Studio
from studio.models.meant import meant_here
from studio.prompt.grammar import take_loras
from studio.recipes import read_text
from studio.sentences import say
from studio.upscaling import PIXEL


@dataclass(frozen=True)
class Asked:
    """Values for `Studio.submit`, and the options that hold for them."""

    values: dict[str, Any]
    options: Mapping[str, Any]


def asked(studio: Studio, body: BaseModel, visitor: str) -> Asked:
    """What a body asks for. The start picture is kept when this returns.

    Raises InvalidRequest, Refused or StorageError with one sentence.
    """
    given = body.model_dump()
    _refuse_what_is_not_done(given)
    override = given["override_settings"] or {}
    now = options.standing(studio, override)
    model = names.checkpoint_named(studio.catalog, now[options.CHECKPOINT])
    values = {**options.as_fields(now), "model": model.name, **fields.taken(given)}
    if given["infotext"]:
        values |= _filled(studio, given["infotext"], body.model_fields_set | override.keys())
    if "init_images" in given:
        values |= _start(studio, given, visitor)
    values |= scripts.always_on(given["alwayson_scripts"] or {})
    values = scripts.scripted(
        given["script_name"], given["script_args"] or (), values, upscaler_names(studio)
    )
    if not given["override_settings_restore_afterwards"] and override:
        options.keep(studio, options.checked(studio, override))
    return Asked(_named(studio, values, given), now)


def upscaler_names(studio: Studio) -> list[str]:
    """What enlarges a picture, in the order of /upscalers."""
    return ["None", *PIXEL.values(), *(each.name for each in studio.catalog.of_kind("upscaler"))]


def _refuse_what_is_not_done(given: Mapping[str, Any]) -> None:
    for name, harmless in fields.ONLY.items():
        value = given.get(name)
        if value is not None and value not in harmless and not _infinite(name, value):
            sentence = say("“{name}” is not part of this studio: leave it out.", name=name)
            raise Refused(422, sentence, name)


def _infinite(name: str, value: Any) -> bool:
    """Whether an upper bound bounds nothing: the largest noise level is about 15."""
    return name == "s_tmax" and isinstance(value, float) and value >= 999


def _filled(studio: Studio, text: str, explicit: set[str]) -> dict[str, Any]:
    """What the recipe in ``infotext`` says of the fields that the body does not name itself."""
    recipe = read_text(text)
    if recipe is None:
        return {}
    found, _ = meant_here(recipe, studio.catalog)
    by_name = {
        "model": options.CHECKPOINT, "clip_skip": "CLIP_stop_at_last_layers", "vae": "sd_vae",
        "sampler": "sampler_name", "sigma_schedule": "scheduler",
    }  # fmt: skip
    groups = (fields.COMMON, fields.HIRES, fields.START, fields.MASKED)
    by_name |= {field.ours: field.name for group in groups for field in group}
    return {
        ours: found[ours]
        for ours, name in by_name.items()
        if ours in found and name not in explicit
    }


def _start(studio: Studio, given: Mapping[str, Any], visitor: str) -> dict[str, Any]:
    """The start picture and its mask."""
    starts = given["init_images"] or ()
    if not starts:
        raise Refused(404, say("Init image not found: give one in “init_images”."))
    if len(starts) > 1:
        sentence = say("Give one start picture; for several, send a request for each.")
        raise Refused(422, sentence, "init_images")
    start = pictures.at_hand(starts[0])
    digest, size = studio.incoming.kept(start, visitor, "init_image")
    if given["mask"] is None:
        return {"init_image": digest}
    invert = bool(given["inpainting_mask_invert"])
    return {"init_image": digest, "mask_image": pictures.mask(given["mask"], invert, size)}


def _named(studio: Studio, values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the names that styles and a refiner have here."""
    named = dict(values)
    if styles := named.get("styles"):
        named["styles"] = names.styles_named(studio.wordbook.styles, styles)
    if refiner := named.get("refiner"):
        named["refiner"] = names.checkpoint_named(studio.catalog, refiner, "refiner").name
    if given["disable_extra_networks"]:
        named["prompt"] = take_loras(str(named["prompt"]))[0]
    return named
