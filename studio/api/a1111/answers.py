"""What /txt2img and /img2img answer: pictures in base64, the body again, and ``info`` as JSON."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from PIL import Image
from pydantic import BaseModel

from studio import infotext
from studio.api.a1111 import fields, names, options, pictures
from studio.bootstrap import Studio
from studio.gallery import Picture
from studio.jobs import JobSnapshot
from studio.recipes.encode import Format, encode
from studio.storage import storage_errors

_FORMATS: Final[Mapping[str, Format]] = {
    "png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp",
}  # fmt: skip
_INFO: Final = (
    "prompt", "negative_prompt", "seed", "subseed", "subseed_strength", "width", "height",
    "sampler_name", "cfg_scale", "steps", "batch_size", "seed_resize_from_w",
    "seed_resize_from_h", "denoising_strength", "styles",
)  # fmt: skip
_SAID_ALREADY: Final = {
    "Steps", "Sampler", "CFG scale", "Seed", "Size", "Model hash", "Model", "Version",
    "Denoising strength", "Clip skip", "Variation seed", "Variation seed strength",
    "Seed resize from", infotext.RECIPE,
}  # fmt: skip


class GeneratedAnswer(BaseModel):
    """``images`` in base64, in the order of their seeds; ``info`` is a JSON object as text."""

    images: list[str]
    parameters: dict[str, Any]
    info: str


def generated(
    studio: Studio, job: JobSnapshot, body: BaseModel, now: Mapping[str, Any]
) -> GeneratedAnswer:
    """The answer for a job that has ended; a cancelled one has the pictures that were finished."""
    made = studio.gallery.of_job(job.id)
    echo = body.model_dump()
    if "init_images" in echo and not echo["include_init_images"]:
        echo |= {"init_images": None, "mask": None}
    return GeneratedAnswer(
        images=[content(picture, now) for picture in made] if echo["send_images"] else [],
        parameters=echo,
        info=json.dumps(_info(studio, job, made), ensure_ascii=False),
    )


def content(picture: Picture, now: Mapping[str, Any]) -> str:
    """A picture's file in base64, in the format of the option ``samples_format``."""
    with storage_errors(picture.path):
        kind = _FORMATS[now[options.FORMAT]]
        file = picture.path.read_bytes()
        if kind != "png":
            with Image.open(io.BytesIO(file)) as image:
                quality = now[options.QUALITY]
                file = encode(image, kind, quality, picture.request, picture.model_hash)
    return pictures.sent(file)


def _info(studio: Studio, job: JobSnapshot, made: Sequence[Picture]) -> dict[str, Any]:
    """What A1111 calls a processed result; of the request where no picture came of it."""
    requests = [picture.request for picture in made] or [job.request.one(0)]
    texts = [infotext.write(each, made[0].model_hash if made else None) for each in requests]
    first = fields.told(requests[0]) | {"batch_size": job.request.batch_size}
    if not (requests[0].init_image or requests[0].hires):
        first["denoising_strength"] = None
    model_hash = studio.catalog.short_hash(requests[0].model)
    pairs = infotext.parameters(texts[0])
    told = [fields.told(each) for each in requests]
    varied = bool(requests[0].variation_strength)
    subseeds = [
        one["subseed"] if varied else one["seed"] for one in told
    ]  # fmt: skip
    return {
        **{name: first.get(name) for name in _INFO},
        "all_prompts": [one["prompt"] for one in told],
        "all_negative_prompts": [one["negative_prompt"] for one in told],
        "all_seeds": [one["seed"] for one in told],
        "all_subseeds": subseeds,
        "subseed": subseeds[0],
        "width": made[0].width if made else first["width"],
        "height": made[0].height if made else first["height"],
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": requests[0].model,
        "sd_model_hash": model_hash,
        "sd_vae_name": None if requests[0].vae == "automatic" else names.vae_told(requests[0].vae),
        "sd_vae_hash": None,
        "extra_generation_params": {k: v for k, v in pairs.items() if k not in _SAID_ALREADY},
        "index_of_first_image": 0,
        "infotexts": texts,
        "job_timestamp": time.strftime("%Y%m%d%H%M%S", time.localtime(job.created)),
        "clip_skip": requests[0].clip_skip,
        "is_using_inpainting_conditioning": bool(requests[0].mask_image),
        "version": infotext.STUDIO,
    }
