"""A1111's fields <-> ours: the one table, read in both directions.

``taken`` makes values of a request from a body, ``told`` the body that a request answers to. Their
names, types and usual values are those of A1111's ``/txt2img`` and ``/img2img``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from studio.api.table import Field, body_model, taken_by, told_by
from studio.recipes.a1111 import OWN_SCHEDULES
from studio.recipes.recipe import sampler_named
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS, SIGMA_SCHEDULES, find_sampling, find_schedule
from studio.upscaling import label_of_upscaler, upscaler_labelled

RESIZE = ("stretch", "crop", "fill", "latent")
CONTENT = ("fill", "original", "noise", "nothing")
SAME_SAMPLER, SAME_CHECKPOINT = "Use same sampler", "Use same checkpoint"


def _nothing(size: int) -> int:
    return max(size, 0)


def _or_minus(size: int) -> int:
    return size or -1


def _choice(known: tuple[str, ...]) -> dict[str, Any]:
    """A number that counts through our words; one beyond them stays, and is refused by name."""
    return {
        "into": lambda n: known[n] if 0 <= n < len(known) else n,
        "back": lambda word: known.index(word) if word in known else 0,
    }


COMMON = (
    Field("prompt", str, "", "prompt"),
    Field("negative_prompt", str, "", "negative_prompt"),
    Field("styles", list[str], None, "styles", tuple, list),
    Field("seed", int, -1, "seed"),
    Field("subseed", int, -1, "variation_seed"),
    Field("subseed_strength", float, 0.0, "variation_strength"),
    Field("seed_resize_from_h", int, -1, "seed_resize_height", _nothing, _or_minus),
    Field("seed_resize_from_w", int, -1, "seed_resize_width", _nothing, _or_minus),
    Field("steps", int, 50, "num_inference_steps"),
    Field("cfg_scale", float, 7.0, "guidance_scale"),
    Field("width", int, 512, "width"),
    Field("height", int, 512, "height"),
    Field(
        "tiling", bool, None, "tiling",
        lambda on: "both" if on else "none", lambda way: way != "none",
    ),
    Field("refiner_checkpoint", str, None, "refiner", str, lambda name: name or None),
    Field("refiner_switch_at", float, None, "refiner_switch_at"),
)  # fmt: skip
"""What both routes take and one value of ours says; `_drawn` does those that two fields say."""

HIRES = (
    Field("denoising_strength", float, 0.75, "hires_strength"),
    Field("hr_scale", float, 2.0, "hires_scale"),
    Field("hr_upscaler", str, "Latent", "hires_upscaler", upscaler_labelled, label_of_upscaler),
    Field("hr_second_pass_steps", int, 0, "hires_steps"),
    Field("hr_resize_x", int, 0, "hires_width"),
    Field("hr_resize_y", int, 0, "hires_height"),
    Field(
        "hr_sampler_name", str, None, "hires_sampler",
        lambda name: "" if name == SAME_SAMPLER else sampler_named(name) or name,
        lambda name: SAMPLERS[name].label if name in SAMPLERS else name or None,
    ),
    Field("hr_prompt", str, "", "hires_prompt"),
    Field("hr_negative_prompt", str, "", "hires_negative_prompt"),
)  # fmt: skip
"""What means something with ``enable_hr`` alone."""

START = (
    Field("denoising_strength", float, 0.75, "strength"),
    Field("resize_mode", int, 0, "resize_mode", **_choice(RESIZE)),
)
MASKED = (
    Field("mask_blur", int, 4, "mask_blur"),
    Field("inpainting_fill", int, 0, "masked_content", **_choice(CONTENT)),
    Field(
        "inpaint_full_res", bool, True, "inpaint_area",
        lambda on: "masked" if on else "whole", lambda area: area == "masked",
    ),
    Field("inpaint_full_res_padding", int, 0, "inpaint_padding"),
)  # fmt: skip
"""What means something with a mask alone."""

_DRAWN = (
    Field("sampler_name", str, about="As /samplers lists them; “DPM++ 2M Karras” is understood."),
    Field("sampler_index", str, "Euler", about="What counts where there is no sampler_name."),
    Field("scheduler", str, about="As /schedulers lists them; Automatic is the sampler's own."),
    Field("batch_size", int, 1, about="How many are drawn together."),
    Field("n_iter", int, 1, about="How many times batch_size pictures."),
)
_AROUND = (
    Field("send_images", bool, True, about="Whether the answer holds the pictures."),
    Field("save_images", bool, False, about="They are in the gallery in any case."),
    Field("do_not_save_samples", bool, False, about="They are in the gallery in any case."),
    Field("do_not_save_grid", bool, False, about="There is no grid."),
    Field("override_settings", dict[str, Any], about="Options that hold for this request alone."),
    Field("override_settings_restore_afterwards", bool, True, about="false keeps them."),
    Field("disable_extra_networks", bool, False, about="Take LoRAs out of the prompt."),
    Field("script_name", str, about="“sd upscale”, with a start picture."),
    Field("script_args", list[Any], [], about="Of the script: “”, overlap, upscaler, scale."),
    Field("alwayson_scripts", dict[str, Any], about="“Soft inpainting”; others are refused."),
    Field("comments", dict[str, Any], about="Ignored."),
    Field("force_task_id", str, about="Ignored."),
    Field("infotext", str, about="A picture's parameters: they fill what is not given here."),
)
NOT_HERE = "Not part of this studio: leave it out."
ONLY = {
    "restore_faces": (False,),
    "eta": (0, 1),
    "s_min_uncond": (0,),
    "s_churn": (0,),
    "s_tmax": (0,),
    "s_tmin": (0,),
    "s_noise": (1,),
    "initial_noise_multiplier": (1,),
    "hr_checkpoint_name": ("", SAME_CHECKPOINT),
    "hr_scheduler": ("", "automatic", "Automatic", "Use same scheduler"),
    "firstphase_width": (0,),
    "firstphase_height": (0,),
    "firstpass_image": (),
    "latent_mask": (),
}
"""What the studio does not do: beside null, the values that ask for nothing."""

_TEXT = (
    Field("enable_hr", bool, False, about="Enlarge the picture and refine it."),
    *(
        Field(name, Any, about=NOT_HERE)
        for name in ("hr_checkpoint_name", "hr_scheduler", "firstpass_image")
    ),
    Field("firstphase_width", int, 0, about=NOT_HERE),
    Field("firstphase_height", int, 0, about=NOT_HERE),
)
_IMAGE = (
    Field("init_images", list[str], about="The start picture, in base64."),
    Field("mask", str, about="In base64: white is drawn anew."),
    Field("inpainting_mask_invert", int, 0, about="1: black is drawn anew."),
    Field("include_init_images", bool, False, about="Send start picture and mask back."),
    Field("mask_round", bool, True, about="Ignored."),
    Field("mask_blur_x", int, 4, about="Ignored; mask_blur holds both ways."),
    Field("mask_blur_y", int, 4, about="Ignored; mask_blur holds both ways."),
    Field("image_cfg_scale", float, about="Ignored: for models that this studio does not have."),
    Field("initial_noise_multiplier", float, about=NOT_HERE),
    Field("latent_mask", Any, about=NOT_HERE),
)
_UNUSED = tuple(
    Field(name, bool if name == "restore_faces" else float, about=NOT_HERE)
    for name in ("restore_faces", "eta", "s_min_uncond", "s_churn", "s_tmax", "s_tmin", "s_noise")
)


TextToImage = body_model("TextToImage", COMMON, _DRAWN, HIRES, _AROUND, _UNUSED, _TEXT)
ImageToImage = body_model("ImageToImage", COMMON, _DRAWN, START, MASKED, _AROUND, _UNUSED, _IMAGE)


def taken(body: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a request for a body. Start picture, mask, names of things: as they were given.

    Raises InvalidRequest for a sampler that is not there.
    """
    groups: list[tuple[Field, ...]] = [COMMON]
    if "init_images" in body:
        groups += [START, *([MASKED] if body["mask"] is not None else [])]
    elif body["enable_hr"]:
        groups.append(HIRES)
    return taken_by(chain(*groups), body) | _drawn(body)


def told(request: GenerationRequest) -> dict[str, Any]:
    """The body that a request answers to, without pictures and what is around them."""
    groups = (COMMON, START, MASKED) if request.init_image else (COMMON, HIRES)
    body = told_by(chain(*groups), request)
    label = SAMPLERS[request.sampler].label if request.sampler in SAMPLERS else request.sampler
    body |= {"sampler_name": label, "sampler_index": label}
    body |= {"scheduler": SIGMA_SCHEDULES.get(request.sigma_schedule, request.sigma_schedule)}
    rounds, rest = divmod(request.num_images, request.batch_size)
    body |= {"batch_size": request.batch_size, "n_iter": rounds + bool(rest)}
    return body if request.init_image else body | {"enable_hr": request.hires}


def _drawn(body: Mapping[str, Any]) -> dict[str, Any]:
    """How and how many: ``n_iter`` rounds of ``batch_size`` pictures; a sampler and a schedule.

    "Automatic" is what the sampler usually takes, as in A1111 since version 1.9.
    """
    sampler, said = find_sampling(body["sampler_name"] or body["sampler_index"] or "Euler")
    given = body["scheduler"] or ""
    schedule = find_schedule(given) or given or said or "automatic"
    if schedule == "automatic":
        schedule = said or OWN_SCHEDULES.get(sampler.name, schedule)
    size, rounds = body["batch_size"] or 1, body["n_iter"] or 1
    return {
        "sampler": sampler.name,
        "sigma_schedule": schedule,
        "batch_size": size,
        "num_images": size * rounds,
    }
