"""Each family's pictures are diffusers' own pipelines', from the same folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.engine.engine import Engine
from studio.engine.refiner import handover_call
from studio.engine.surface import Surface
from studio.errors import InvalidRequest
from studio.events import Preparing
from studio.models.base import ModelInfo
from studio.models.placement import choose
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.samplers import find_sampler
from studio.sources import Sources
from tests.engine.conftest import pictures
from tests.tiny_families import TINY, Listed, tiny_family_pipeline

INPAINT = {"in_channels": 9}
LCM = {"time_cond_proj_dim": 16}
XL = "StableDiffusionXLPipeline"
KINDS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "sd2": ("sd2", "StableDiffusionPipeline", {}),
    "sd2-v": ("sd2", "StableDiffusionPipeline", {"scheduler": {"prediction_type": "v_prediction"}}),
    "xl": ("sdxl", XL, {}),
    "xl-empty": ("sdxl", XL, {"force_zeros_for_empty_prompt": False}),
    "xl-lcm": ("sdxl", XL, {"unet": LCM}),
    "lcm": ("sd1", "StableDiffusionPipeline", {"unet": LCM}),
    "refiner": (
        "sdxl_refiner",
        "StableDiffusionXLImg2ImgPipeline",
        {"requires_aesthetics_score": True, "force_zeros_for_empty_prompt": False, "seed": 1},
    ),
    "inpaint": ("sd1", "StableDiffusionInpaintPipeline", {"unet": INPAINT}),
    "inpaint-2": ("sd2", "StableDiffusionInpaintPipeline", {"unet": INPAINT}),
    "inpaint-xl": ("sdxl", "StableDiffusionXLInpaintPipeline", {"unet": INPAINT}),
}


@dataclass(frozen=True)
class World:
    """The folders' pipelines, and a store that holds the same."""

    pipelines: dict[str, Any]
    store: ModelStore


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("families")
    pipelines, infos = {}, []
    for name, (family, kind, options) in KINDS.items():
        pipelines[name] = tiny_family_pipeline(kind, TINY[family], **options)
        pipelines[name].save_pretrained(folder / name)
        infos.append(ModelInfo(name, folder / name, family=family))
    return World(pipelines, ModelStore(Listed(infos), "cpu", "fp32"))


def recipe(model: str, **values: Any) -> GenerationRequest:
    given = {"prompt": "a red boat at night", "negative_prompt": "blue house", "model": model,
             "seed": 11, "num_inference_steps": 4, "guidance_scale": 5.0, "width": 64, "height": 64,
             "sampler": "ddim", **values}  # fmt: skip
    return GenerationRequest(**given)


def painted(world: World, request: GenerationRequest) -> Image.Image:
    return pictures(Engine(world.store).generate(request))[0]


def asked(request: GenerationRequest) -> dict[str, Any]:
    """The request in the words of diffusers' pipelines."""
    return {
        "prompt": request.prompt, "negative_prompt": request.negative_prompt or None,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale, "width": request.width,
        "height": request.height,
        "generator": torch.Generator("cpu").manual_seed(request.seed),
    }  # fmt: skip


def assert_alike(ours: Image.Image, theirs: Image.Image) -> None:
    difference = np.abs(np.asarray(ours, dtype=int) - np.asarray(theirs, dtype=int))
    assert ours.size == theirs.size
    assert difference.max() <= 1
    assert np.asarray(ours).std() > 2  # not one grey


@pytest.mark.parametrize(
    "values",
    [{}, {"negative_prompt": ""}, {"guidance_scale": 1.0}, {"width": 96, "height": 72}],
    ids=str,
)
@pytest.mark.parametrize("model", ["sd2", "sd2-v", "xl", "xl-empty", "xl-lcm", "lcm"])
def test_text_to_image(world: World, model: str, values: dict[str, Any]) -> None:
    request = recipe(model, **values)
    assert_alike(painted(world, request), world.pipelines[model](**asked(request)).images[0])


def test_what_the_models_are_told_matters(world: World) -> None:
    """v is not epsilon, zeros are not an empty prompt, and the size is part of the prompt."""
    pixels = {name: painted(world, recipe(name, negative_prompt="")) for name in KINDS}
    assert pixels["sd2"].tobytes() != pixels["sd2-v"].tobytes()
    assert pixels["xl"].tobytes() != pixels["xl-empty"].tobytes()
    mild, strong = (
        painted(world, recipe("lcm", guidance_scale=scale, negative_prompt=negative))
        for scale, negative in ((2.0, "x"), (8.0, ""))
    )
    assert mild.tobytes() != strong.tobytes()  # guided inside, by the number


@pytest.mark.parametrize("model", ["inpaint", "inpaint-2", "inpaint-xl"])
def test_an_inpainting_model_paints_a_whole_picture(world: World, model: str) -> None:
    request, pipeline = recipe(model), world.pipelines[model]
    loaded: Any = world.store.acquire(model)
    assert loaded.latent_channels == 4
    grey = pipeline.vae.encode(torch.zeros(1, 3, 64, 64)).latent_dist.mode()
    words = {**asked(request), "strength": 1.0}
    blank, everything = Image.new("RGB", (64, 64), (127, 127, 127)), Image.new("L", (64, 64), 255)
    theirs = pipeline(
        image=blank, mask_image=everything,
        masked_image_latents=grey.detach() * pipeline.vae.config.scaling_factor, **words,
    ).images[0]  # fmt: skip
    assert_alike(painted(world, request), theirs)


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("model", ["inpaint", "inpaint-2", "inpaint-xl"])
def test_an_inpainting_model_sees_what_is_around_the_mask(
    world: World, tmp_path: Path, model: str, strength: float
) -> None:
    sources, hole = Sources(tmp_path), (16, 8, 48, 56)
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    mask = Image.new("L", (64, 64))
    mask.paste(255, hole)
    request = recipe(
        model, init_image=sources.keep(Image.fromarray(values)), mask_image=sources.keep(mask),
        mask_blur=0, strength=strength, num_inference_steps=5,
    )  # fmt: skip
    surface, pipeline = Surface.of(request, sources), world.pipelines[model]
    assert surface is not None
    ground = surface.on(world.store.acquire(model))
    seen = torch.from_numpy(values).permute(2, 0, 1)[None] / 127.5 - 1
    seen[..., 8:56, 16:48] = 0
    around = pipeline.vae.encode(seen).latent_dist.mode() * pipeline.vae.config.scaling_factor
    theirs = pipeline(
        image=ground.original, mask_image=mask, masked_image_latents=around.detach(),
        strength=strength, **asked(request),
    ).images[0]  # fmt: skip
    ours = pictures(Engine(world.store, sources=sources).generate(request))[0]
    assert_alike(ours.crop(hole), theirs.crop(hole))


@pytest.mark.parametrize(("share", "steps"), [(0.8, 5), (0.5, 4), (0.6, 10)])
@pytest.mark.parametrize(
    ("sampler", "kind"), [("ddim", "DDIMScheduler"), ("euler", "EulerDiscreteScheduler")]
)
def test_the_refiner_takes_over_as_in_diffusers(
    world: World, share: float, steps: int, sampler: str, kind: str
) -> None:
    import diffusers

    request = recipe(
        "xl", refiner="refiner", refiner_switch_at=share, num_inference_steps=steps, sampler=sampler
    )
    base, refiner = world.pipelines["xl"], world.pipelines["refiner"]
    kept = [pipeline.scheduler for pipeline in (base, refiner)]
    for pipeline in (base, refiner):
        pipeline.scheduler = getattr(diffusers, kind).from_config(pipeline.scheduler.config)
    words = asked(request)
    half = base(**words, denoising_end=share, output_type="latent").images
    size = {"original_size": (64, 64), "target_size": (64, 64)}
    words = {k: v for k, v in words.items() if k not in ("width", "height")}
    theirs = refiner(image=half, denoising_start=share, **words, **size).images[0]
    base.scheduler, refiner.scheduler = kept
    assert_alike(painted(world, request), theirs)


def test_a_refiner_paints_alone(world: World) -> None:
    assert np.asarray(painted(world, recipe("refiner"))).std() > 2


def test_the_refiners_share_is_of_the_steps() -> None:
    def first(share: float, steps: int, sampler: str = "euler", calls: int = 0) -> int | None:
        request = recipe(
            "xl", refiner="r", refiner_switch_at=share, num_inference_steps=steps, sampler=sampler
        )
        return handover_call(request, find_sampler(sampler), calls or steps)

    assert [first(share, 10) for share in (0.0, 0.7, 0.75, 0.99, 1.0)] == [0, 7, 8, None, None]
    assert first(0.5, 10, "heun", 19) == 10  # the sixth step begins with the eleventh call
    assert first(0.95, 10, "heun", 19) is None
    assert handover_call(recipe("xl"), find_sampler("euler"), 10) is None


def test_the_hand_over_is_told_and_changes_the_picture(world: World) -> None:
    request = recipe("xl", refiner="refiner", refiner_switch_at=0.5)
    world.store.release()
    events = list(Engine(world.store).generate(request))
    told = [event.what for event in events if isinstance(event, Preparing)]
    assert told[-1] == "Loading refiner"
    alone = painted(world, recipe("xl"))
    assert pictures(iter(events))[0].tobytes() != alone.tobytes()
    at_the_end = painted(world, recipe("xl", refiner="refiner", refiner_switch_at=1.0))
    assert at_the_end.tobytes() == alone.tobytes()


def test_every_picture_of_a_job_is_refined_alike(world: World) -> None:
    many = recipe("xl", refiner="refiner", num_images=2)
    both = pictures(Engine(world.store).generate(many))
    assert both[1].tobytes() == painted(world, many.one(1)).tobytes()


@pytest.mark.parametrize(
    ("base", "refiner", "why"),
    [("sd2", "xl", "in different forms"), ("sd2", "sd2-v", "predict different things")],
)
def test_a_refiner_that_does_not_fit_is_refused(
    world: World, base: str, refiner: str, why: str
) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        painted(world, recipe(base, refiner=refiner, refiner_switch_at=0.5))
    assert caught.value.problems[0].field == "refiner"


def test_a_unet_with_other_inputs_is_refused(tmp_path: Path) -> None:
    from studio.errors import ModelError
    from studio.models.sd1 import StableDiffusion1

    pipeline = tiny_family_pipeline("StableDiffusionPipeline", TINY["sd1"], unet={"in_channels": 8})
    pipeline.save_pretrained(tmp_path / "eight")
    info = ModelInfo("eight", tmp_path / "eight")
    with pytest.raises(ModelError, match="takes 8 channels"):
        StableDiffusion1().load(info, choose("cpu", "fp32"))
