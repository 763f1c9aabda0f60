"""The tables between other programs' fields and ours, read in both directions."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from studio.api.a1111 import fields
from studio.api.openai import fields as openai_fields
from studio.recipes.a1111 import OWN_SCHEDULES
from studio.request import GenerationRequest
from tests.requests import requests

ROWS = {
    "text": (*fields.COMMON, *fields.HIRES),
    "picture": (*fields.COMMON, *fields.START, *fields.MASKED),
}


def body(request: GenerationRequest) -> dict[str, Any]:
    """The whole body that a request answers to, as the model completes it."""
    kind = fields.ImageToImage if request.init_image else fields.TextToImage
    mask = {"mask": "given"} if request.mask_image else {}
    return kind.model_validate({**fields.told(request), **mask}).model_dump()


@given(requests())
@settings(max_examples=200, deadline=None)
def test_what_is_told_is_taken_as_it_was(request: GenerationRequest) -> None:
    taken = fields.taken(body(request))
    for name, value in taken.items():
        wanted = getattr(request, name)
        if name == "tiling" and wanted in ("x", "y"):
            wanted = "both"  # A1111 knows no other
        if name == "resize_mode" and wanted == "keep":
            wanted = "stretch"  # and sizes its pictures always
        if name == "sigma_schedule" and wanted == "automatic":
            wanted = OWN_SCHEDULES.get(request.sampler, wanted)  # what its own word means
        assert value == wanted, name


def test_every_row_stands_for_a_field_of_a_request() -> None:
    rows = [row for group in ROWS.values() for row in group]
    rows += openai_fields.COMMON
    assert {row.ours for row in rows} <= GenerationRequest.model_fields.keys()


def test_a_hires_fix_that_is_off_says_nothing() -> None:
    off = fields.TextToImage.model_validate({"hr_scale": 2.0}).model_dump()
    assert not {name for name in fields.taken(off) if name.startswith("hires")}
    on = fields.TextToImage.model_validate({"enable_hr": True}).model_dump()
    assert fields.taken(on)["hires_upscaler"] == "latent"


def test_usual_values_are_a1111_s() -> None:
    taken = fields.taken(fields.TextToImage.model_validate({}).model_dump())
    said = ("num_inference_steps", "width", "guidance_scale", "sampler", "seed", "num_images")
    assert [taken[name] for name in said] == [50, 512, 7.0, "euler", -1, 1]
