"""The desk: the controls on the left, and the way from them to a job.

What the controls hold is kept by assets/js/desk.js (it survives a reload there). Generate sends it
as one JSON object to ``_submit``, whose answer, the ticket, goes back to the page's own modules:
``{"job": id, "unknown": [...]}`` or ``{"problems": [...]}`` or ``{"error": sentence}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from studio.bootstrap import Studio
from studio.errors import InvalidRequest, StudioError
from studio.languages import COOKIE, Speaker, wanted_language
from studio.models.addons.listing import AUTOMATIC, OWN_VAE
from studio.models.base import Kind
from studio.request import GenerationRequest
from studio.ui.animation_fields import film_fields
from studio.ui.fields import Maker, sampler_choices, schedule_choices
from studio.ui.html import mount_point, raw
from studio.upscaling import LATENT, PIXEL

VISITOR_COOKIE = "studio_visitor"
_QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_EACH = {**_QUIET, "trigger_mode": "multiple"}  # none is dropped while another is on its way

Controls = dict[str, Any]


def build_desk(studio: Studio, words: Any) -> None:
    """The controls in reading order, and their events."""
    models = _names(studio, "checkpoint")
    values = _first_values(studio)
    make = Maker(words, values)
    controls: Controls = {}
    with gr.Column(elem_id="desk", elem_classes="desk"):
        controls["prompt"] = make.text("prompt", lines=4, most=14)
        mount_point("prompting")
        mount_point("words")
        mount_point("english-prompt")
        controls["negative_prompt"] = make.text("negative_prompt", lines=1, most=6)
        mount_point("english-negative_prompt")
        with gr.Column(elem_id="surface"):
            surface = _surface_controls(make)
        controls |= surface
        mount_point("film", fields=film_fields())
        with gr.Row(elem_id="proportions"):
            controls["shape"] = make.shape()
            controls["num_images"] = make.number("num_images")
        with gr.Row(elem_id="size"):
            controls["width"] = make.number("width")
            controls["height"] = make.number("height")
        generate = gr.Button(words("generate"), variant="primary", elem_id="generate")
        raw('<div data-fold="fine"></div>')
        with gr.Column(elem_id="fine"):
            controls["model"] = make.choice("model", models)
            controls["sampler"] = make.choice("sampler", sampler_choices())
            controls["sigma_schedule"] = make.choice("sigma_schedule", schedule_choices())
            controls["num_inference_steps"] = make.slider("num_inference_steps", step=1)
            controls["guidance_scale"] = make.slider("guidance_scale", step=0.1)
            controls["seed"] = make.text("seed", lines=1, most=1)  # a number box has no “none”
            controls["batch_size"] = make.slider("batch_size", step=1)
            controls["clip_skip"] = make.slider("clip_skip", step=1)
            usual = [(words("vae.automatic"), AUTOMATIC), (words("vae.own"), OWN_VAE)]
            controls["vae"] = make.choice("vae", [*usual, *_names(studio, "vae")])
            none = (words("refiner.none"), "")
            controls["refiner"] = make.choice("refiner", [none, *models])
            controls["refiner_switch_at"] = make.slider("refiner_switch_at", step=0.05)
            raw('<div data-fold="rare"></div>')
            with gr.Column(elem_id="rare"):
                controls |= _rare_controls(make)
        raw('<div data-fold="larger"></div>')
        with gr.Column(elem_id="larger"):
            controls |= _larger_controls(make, words, _names(studio, "upscaler"))
        raw('<div id="studio-recipe"></div>')
        mount_point("desk", fields=list(controls), canvas=list(surface), values=values)
    _remembering(controls)
    _generating(studio, controls, generate)
    _telling(studio, controls)


def _surface_controls(make: Maker) -> Controls:
    """What a start picture needs: the page shows them on the Canvas tab alone."""
    controls: Controls = {"strength": make.slider("strength", step=0.01)}
    with gr.Column(elem_id="masked"):
        controls |= {
            "masked_content": make.one_of("masked_content"),
            "mask_blur": make.slider("mask_blur", step=1),
            "soft_inpainting": make.switch("soft_inpainting"),
            "inpaint_area": make.one_of("inpaint_area"),
            "inpaint_padding": make.slider("inpaint_padding", step=1),
        }
    controls["colour_match"] = make.switch("colour_match")
    controls["resize_mode"] = make.one_of("resize_mode")
    with gr.Row(elem_id="sides"):
        controls |= {
            name: make.number(name)
            for name in GenerationRequest.model_fields
            if name.startswith("outpaint_")
        }
    return controls


def _rare_controls(make: Maker) -> Controls:
    """How the prompt is followed, and variations of a seed: for those who look for it."""
    return {
        "guidance_rescale": make.slider("guidance_rescale", step=0.05),
        "guidance_start": make.slider("guidance_start", step=0.05),
        "guidance_end": make.slider("guidance_end", step=0.05),
        "clip_guidance_scale": make.slider("clip_guidance_scale", step=0.1),
        "normalize_emphasis": make.switch("normalize_emphasis"),
        "variation_strength": make.slider("variation_strength", step=0.05),
        "variation_seed": make.number("variation_seed"),
        "seed_resize_width": make.number("seed_resize_width"),
        "seed_resize_height": make.number("seed_resize_height"),
    }


def _larger_controls(make: Maker, words: Any, files: list[tuple[str, str]]) -> Controls:
    """Larger than it is drawn at first, seamless, in tiles; the page hides what is not in use."""
    ways = [(words(f"upscaler.{name}"), name) for name in (*LATENT, *PIXEL)]
    controls: Controls = {"hires_scale": make.slider("hires_scale", step=0.25)}
    with gr.Column(elem_id="hires"):
        controls |= {
            "hires_upscaler": make.choice("hires_upscaler", [*ways, *files]),
            "hires_strength": make.slider("hires_strength", step=0.05),
            "hires_steps": make.slider("hires_steps", step=1),
            "hires_sampler": make.choice(
                "hires_sampler", [(words("sampler.same"), ""), *sampler_choices()]
            ),
            "hires_prompt": make.text("hires_prompt", lines=1, most=6),
            "hires_negative_prompt": make.text("hires_negative_prompt", lines=1, most=6),
        }
    controls["tiling"] = make.one_of("tiling")
    raw('<div data-fold="exact"></div>')
    with gr.Column(elem_id="exact"):
        controls |= {
            "hires_width": make.number("hires_width"),
            "hires_height": make.number("hires_height"),
            "tile_size": make.slider("tile_size", step=64),
            "tile_overlap": make.slider("tile_overlap", step=8),
        }
    return controls


def _names(studio: Studio, kind: Kind) -> list[tuple[str, str]]:
    """Every usable model of a kind, as a list offers it; the page leaves out what does not fit."""
    return [(info.name, info.name) for info in studio.catalog.of_kind(kind)]


def _first_values(studio: Studio) -> dict[str, Any]:
    """What a new page starts with: the chosen model and its defaults, a new seed each time."""
    info = studio.catalog.find(studio.keeper.default)
    usual = {name: field.get_default() for name, field in GenerationRequest.model_fields.items()}
    usual |= {"seed": None, "variation_seed": -1}  # both new each time
    return {**usual, "model": info.name, **info.defaults.as_values()}


def _script(call: str) -> str:
    """A browser function that waits until the page's modules are there, then calls one."""
    return f"async (...given) => (await window.studioReady).{call}"


def _remembering(controls: Controls) -> None:
    """Every change is told to desk.js; desk.js writes into the controls through a hidden button."""
    fields = list(controls.values())
    write = gr.Button("", elem_id="desk-write", visible="hidden")
    gr.on(
        [field.change for field in fields], None, fields, None,
        js=_script("desk.changed(given)"), **_EACH,
    )  # fmt: skip
    write.click(None, fields, fields, js=_script("desk.written(given)"), **_EACH)


def _generating(studio: Studio, controls: Controls, generate: Any) -> None:
    """Generate: controls -> one object -> ticket -> the stage."""
    order = gr.JSON(visible="hidden")
    ticket = gr.JSON(visible="hidden")

    def submit(values: Mapping[str, Any], request: gr.Request) -> dict[str, Any]:
        language = wanted_language(
            request.cookies.get(COOKIE), request.headers.get("accept-language")
        )
        visitor = request.cookies.get(VISITOR_COOKIE, "page")
        return _submit(studio, values, visitor, studio.speakers[language])

    collected = generate.click(
        None, list(controls.values()), order, js=_script("desk.order(given)"), **_QUIET
    )
    submitted = collected.then(submit, order, ticket, **_QUIET)
    submitted.success(None, ticket, None, js=_script("desk.ticket(given[0])"), **_QUIET)
    submitted.failure(None, None, None, js=_script("desk.unreachable()"), **_QUIET)


def _telling(studio: Studio, controls: Controls) -> None:
    """When the prompt is left, the words the model does not know are named."""
    asked, told = gr.JSON(visible="hidden"), gr.JSON(visible="hidden")

    def unknown(values: Mapping[str, str]) -> list[str]:
        return _unknown(studio, values)

    left = controls["prompt"].blur(
        None, [controls["prompt"], controls["model"]], asked,
        js="(prompt, model) => ({prompt, model})", **_QUIET,
    )  # fmt: skip
    answered = left.then(unknown, asked, told, **_QUIET)
    answered.success(None, told, None, js=_script("desk.unknown(given[0])"), **_QUIET)


def _submit(
    studio: Studio, values: Mapping[str, Any], visitor: str, speaker: Speaker
) -> dict[str, Any]:
    """The ticket for what was ordered; what is wrong is said in the visitor's language."""
    try:
        job = studio.submit(values, visitor)
    except InvalidRequest as error:
        problems = [
            {"field": item.field, "message": speaker(item.message)} for item in error.problems
        ]
        return {"problems": problems}
    except StudioError as error:
        return {"error": speaker(error.sentence)}
    return {"job": job.id, "unknown": _unknown(studio, values)}


def _unknown(studio: Studio, values: Mapping[str, Any]) -> list[str]:
    """The words of the prompt that the model does not know; none when the model is gone."""
    try:
        return list(studio.unknown_words(values.get("prompt") or "", values.get("model") or ""))
    except StudioError:
        return []
