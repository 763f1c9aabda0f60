"""Image to image and inpainting: diffusers' latents, and not a pixel changed outside the mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image

from studio.engine.differential import free_at
from studio.engine.engine import Engine
from studio.engine.schedulers import make_scheduler
from studio.engine.surface import Surface, noised
from studio.errors import InvalidRequest
from studio.events import Progress
from studio.images.masks import blurred
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS
from studio.sources import Sources
from tests.engine.conftest import pictures, same
from tests.engine.test_like_diffusers import SAME

Recipe = Callable[..., GenerationRequest]
DRAWN_ALIKE = ["ddim", "euler", "euler_a", "heun", "pndm", "dpm2", "dpmpp_2m", "unipc", "lcm"]


def noisy(width: int, height: int, channels: int = 3) -> Image.Image:
    values = np.random.default_rng(width).integers(0, 256, (height, width, channels))
    return Image.fromarray(values.astype(np.uint8))


def masked(size: tuple[int, int], *box: int) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


@pytest.fixture
def engine(store: ModelStore, sources: Sources) -> Engine:
    return Engine(store, sources=sources)


@pytest.fixture(scope="module")
def pipelines(models: Path) -> Mapping[Any, Any]:
    """diffusers' own pipelines around the tiny model, by their class."""
    return {
        kind: kind.from_pretrained(
            models / "tiny", safety_checker=None, requires_safety_checker=False
        )
        for kind in (StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline)
    }


def theirs(pipeline: Any, store: ModelStore, request: GenerationRequest, surface: Surface) -> Any:
    """diffusers' picture, from the same latents of the start picture."""
    model: Any = store.acquire("tiny")
    ground = surface.on(model)
    kind, options = SAME[request.sampler, request.sigma_schedule]
    pipeline.scheduler = getattr(diffusers, kind).from_config(model.scheduler_config, **options)
    pipeline.set_progress_bar_config(disable=True)
    given: dict[str, Any] = {}
    if ground.mask is not None:
        mask = torch.nn.functional.interpolate(ground.mask, scale_factor=8.0)
        given = {"mask_image": mask, "masked_image_latents": ground.original,
                 "width": request.width, "height": request.height}  # fmt: skip
    return pipeline(
        request.prompt, image=ground.original, negative_prompt=request.negative_prompt,
        num_inference_steps=request.num_inference_steps, guidance_scale=request.guidance_scale,
        strength=request.strength, output_type="pil",
        generator=[torch.Generator("cpu").manual_seed(request.seed)], **given,
    ).images[0]  # fmt: skip


@pytest.mark.parametrize("strength", [0.3, 0.75, 1.0])
@pytest.mark.parametrize("sampler", DRAWN_ALIKE)
@pytest.mark.parametrize("mask", [False, True], ids=["img2img", "inpaint"])
def test_the_pictures_are_diffusers(
    engine: Engine, pipelines: Mapping[Any, Any], store: ModelStore, sources: Sources,
    recipe: Recipe, mask: bool, sampler: str, strength: float,
) -> None:  # fmt: skip
    values: dict[str, Any] = {"init_image": sources.keep(noisy(96, 72)), "mask_blur": 0}
    if mask:
        values["mask_image"] = sources.keep(masked((96, 72), 24, 16, 64, 56))
    request = recipe(
        sampler=sampler, sigma_schedule="automatic", width=96, height=72, strength=strength,
        num_inference_steps=8, **values,
    )  # fmt: skip
    kind = StableDiffusionInpaintPipeline if mask else StableDiffusionImg2ImgPipeline
    surface = Surface.of(request, sources)
    assert surface is not None
    expected = theirs(pipelines[kind], store, request, surface)
    image = pictures(engine.generate(request))[0]
    difference = np.abs(np.asarray(image, dtype=int) - np.asarray(expected, dtype=int))
    inside = difference[16:56, 24:64] if mask else difference
    assert image.size == expected.size == (96, 72)
    assert inside.max() <= 1


@pytest.mark.parametrize("channels", [3, 4], ids=["RGB", "RGBA"])
@pytest.mark.parametrize("area", ["whole", "masked"])
@pytest.mark.parametrize(
    ("content", "room"),
    [("original", (520, 392)), ("fill", (96, 64)), ("noise", (96, 64)), ("nothing", (64, 96))],
)
def test_outside_the_mask_nothing_changes(
    engine: Engine, sources: Sources, recipe: Recipe,
    channels: int, area: str, content: str, room: tuple[int, int],
) -> None:  # fmt: skip
    picture, mask = noisy(517, 389, channels), masked((517, 389), 301, 77, 402, 190)
    request = recipe(
        init_image=sources.keep(picture), mask_image=sources.keep(mask), inpaint_area=area,
        masked_content=content, width=room[0], height=room[1], num_inference_steps=2,
    )  # fmt: skip
    (result,) = pictures(engine.generate(request)).values()
    assert (result.size, result.mode) == (picture.size, picture.mode)
    share = np.asarray(blurred(mask, request.mask_blur))
    outside, inside = share == 0, share == 255
    before, after = np.asarray(picture), np.asarray(result)
    assert (before[outside] == after[outside]).all()
    assert (before[inside] != after[inside]).mean() > 0.5
    if channels == 4:
        assert (after[inside][:, 3] == 255).all()  # what is drawn is seen


@pytest.mark.parametrize("area", ["whole", "masked"])
def test_outside_the_mask_of_a_large_photo_nothing_changes(
    engine: Engine, sources: Sources, recipe: Recipe, area: str
) -> None:
    tile = np.asarray(noisy(149, 105))  # a whole photo of noise would take seconds to pack
    picture = Image.fromarray(np.tile(tile, (33, 31, 1)))
    mask = masked(picture.size, 2000, 1001, 2300, 1400)
    picture.info["icc_profile"] = b"a profile"
    request = recipe(
        init_image=sources.keep(picture), mask_image=sources.keep(mask), inpaint_area=area,
        masked_content="fill", width=96, height=72, num_inference_steps=1,
    )  # fmt: skip
    (result,) = pictures(engine.generate(request)).values()
    changed = (np.asarray(result) != np.asarray(picture)).any(axis=2)
    touched = np.asarray(blurred(mask, request.mask_blur)) > 0
    assert result.size == picture.size == (4619, 3465)
    assert changed[touched].mean() > 0.9 and not changed[~touched].any()
    assert result.info["icc_profile"] == b"a profile"


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("mask", [False, True])
def test_a_picture_grows_and_stays_as_it_was(
    engine: Engine, sources: Sources, recipe: Recipe, channels: int, mask: bool
) -> None:
    across = np.sin(np.arange(101) / 9)[None, :, None] * 60
    down = np.cos(np.arange(67) / 8)[:, None, None] * 60
    values = np.repeat((128 + across + down).astype(np.uint8), channels, axis=2)
    if channels == 4:
        values[..., 3] = 255
    more = {"mask_image": sources.keep(masked((101, 67), 30, 30, 50, 50))} if mask else {}
    request = recipe(
        init_image=sources.keep(Image.fromarray(values)), outpaint_left=61, outpaint_bottom=40,
        width=168, height=112, mask_blur=4, **more,
    )  # fmt: skip
    (result,) = pictures(engine.generate(request)).values()
    after = np.asarray(result).astype(int)
    old = after[:67, 61:]
    kept = (old == values).all(axis=2)
    assert result.size == (162, 107)
    assert kept.all() != mask and kept[:10].all()
    new = after[:, :45]
    assert len(np.unique(new[..., 0])) > 20  # drawn, and not one colour
    # no seam: from the last old pixel to the first new one it is no further than inside
    inside = np.abs(np.diff(old[..., :3], axis=1)).mean()
    border = np.abs(after[:67, 60, :3] - after[:67, 61, :3]).mean()
    assert border <= inside


@pytest.mark.parametrize("size", [(517, 389), (1, 1), (3, 200), (64, 64)])
def test_a_picture_comes_out_at_its_own_size(
    engine: Engine, sources: Sources, recipe: Recipe, size: tuple[int, int]
) -> None:
    picture = noisy(*size, 4)
    request = recipe(init_image=sources.keep(picture), width=96, height=64, strength=0.5)
    (result,) = pictures(engine.generate(request)).values()
    assert result.size == size
    assert result.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    assert not same(result, picture)


@pytest.mark.parametrize("mode", ["stretch", "crop", "fill"])
def test_a_picture_is_brought_to_the_size_that_was_asked_for(
    engine: Engine, sources: Sources, recipe: Recipe, mode: str
) -> None:
    start = sources.keep(noisy(117, 89))
    request = recipe(init_image=start, resize_mode=mode, width=96, height=72)
    (result,) = pictures(engine.generate(request)).values()
    assert result.size == (96, 72)


def test_strength_0_gives_the_picture_back(
    engine: Engine, sources: Sources, recipe: Recipe
) -> None:
    picture = noisy(51, 33, 4)
    request = recipe(init_image=sources.keep(picture), strength=0.0, num_images=2)
    assert request.steps_run == 0
    made = pictures(engine.generate(request))
    assert all(same(made[index], picture) for index in (0, 1))


@pytest.mark.parametrize("mask", [False, True])
def test_a_picture_is_the_same_in_any_batch(
    store: ModelStore, sources: Sources, recipe: Recipe, mask: bool
) -> None:
    values = {"mask_image": sources.keep(masked((80, 64), 8, 8, 60, 60))} if mask else {}
    request = recipe(
        init_image=sources.keep(noisy(80, 64)), width=80, height=64, num_images=3, batch_size=3,
        sampler="euler_a", sigma_schedule="automatic", **values,
    )  # fmt: skip
    made = pictures(Engine(store, True, sources).generate(request))
    one_by_one = pictures(Engine(store, False, sources).generate(request))
    for index in range(3):
        (alone,) = pictures(Engine(store, False, sources).generate(request.one(index))).values()
        assert same(one_by_one[index], alone)
        difference = np.abs(np.asarray(made[index], int) - np.asarray(alone, int))
        assert difference.max() <= 1
    assert not same(made[0], made[1])


@pytest.mark.parametrize(("strength", "run"), [(0.01, 1), (0.5, 4), (0.74, 5), (1.0, 8)])
@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_the_steps_that_run_are_told(
    engine: Engine, sources: Sources, recipe: Recipe, sampler: str, strength: float, run: int
) -> None:
    request = recipe(
        init_image=sources.keep(noisy(64, 64)), strength=strength, num_inference_steps=8,
        sampler=sampler, sigma_schedule="automatic", num_images=2,
    )  # fmt: skip
    assert request.steps_run == run
    told = [event for event in engine.generate(request) if isinstance(event, Progress)]
    assert [event.step for event in told] == list(range(1, told[0].steps + 1))
    assert told[-1].steps == told[-1].step
    assert told[0].steps == 2 * (run * SAMPLERS[sampler].order - (sampler == "heun"))


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_starts_from_a_picture(
    engine: Engine, sources: Sources, recipe: Recipe, sampler: str
) -> None:
    picture, mask = noisy(64, 64), masked((64, 64), 16, 16, 48, 48)
    request = recipe(
        init_image=sources.keep(picture), mask_image=sources.keep(mask), mask_blur=0,
        sampler=sampler, sigma_schedule="automatic", strength=0.6, num_inference_steps=5,
    )  # fmt: skip
    (result,) = pictures(engine.generate(request)).values()
    changed = (np.asarray(result) != np.asarray(picture)).any(axis=2)
    assert changed[16:48, 16:48].mean() > 0.9
    assert changed.sum() == changed[16:48, 16:48].sum()


def test_a_picture_that_is_not_kept_is_refused(engine: Engine, recipe: Recipe) -> None:
    with pytest.raises(InvalidRequest, match="give it again") as caught:
        list(engine.generate(recipe(init_image="0" * 64)))
    assert caught.value.problems[0].field == "init_image"


@pytest.mark.parametrize("sampler", ["euler_a", "heun", "dpmpp_2m"])
def test_a_soft_mask_that_is_white_all_over_is_image_to_image(
    engine: Engine, sources: Sources, recipe: Recipe, sampler: str
) -> None:
    white = sources.keep(Image.new("L", (64, 64), 255))
    values: dict[str, Any] = {"init_image": sources.keep(noisy(64, 64)), "sampler": sampler,
                              "sigma_schedule": "automatic", "strength": 0.8}  # fmt: skip
    plain = pictures(engine.generate(recipe(**values)))[0]
    soft = recipe(**values, mask_image=white, mask_blur=0, soft_inpainting=True)
    assert same(pictures(engine.generate(soft))[0], plain)


def test_a_place_is_let_go_at_its_own_time() -> None:
    """Of 4 calls a mask of a half is the original's for 2, one of a quarter for 3."""
    mask = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]).view(1, 1, 1, 5)
    free = [free_at(mask, call, 4).flatten().tolist() for call in range(4)]
    assert free == [[0, 0, 0, 0, 1], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [0, 1, 1, 1, 1]]


def test_what_is_not_let_go_yet_is_the_original(
    store: ModelStore, sources: Sources, recipe: Recipe
) -> None:
    levels = np.repeat(np.array([0, 63, 127, 190, 255], np.uint8), 16)
    request = recipe(
        init_image=sources.keep(noisy(80, 64)), width=80, height=64, soft_inpainting=True,
        mask_image=sources.keep(Image.fromarray(np.tile(levels, (64, 1)))), mask_blur=0,
    )  # fmt: skip
    surface = Surface.of(request, sources)
    assert surface is not None
    ground = surface.on(store.acquire("tiny"))
    config = store.acquire("tiny").scheduler_config
    scheduler = make_scheduler(SAMPLERS["ddim"], "automatic", 8, config)
    noise = torch.randn(1, 4, 8, 10, generator=torch.Generator().manual_seed(0))
    correct = ground.kept(scheduler, noise, 4)
    assert correct is not None
    for index in range(4, 8):
        corrected = correct(torch.full_like(noise, 9.0), index)
        free = (corrected == 9.0).all(1)[0, 0].view(5, 2).all(1)
        assert free.tolist() == [level > 3 - min(index - 3, 3) for level in range(5)]
        last = index == 7
        original = ground.original if last else noised(scheduler, ground.original, noise, index + 1)
        assert torch.allclose(corrected[..., :2], original[..., :2])


@pytest.mark.parametrize("mask", [False, True])
def test_a_shift_of_colours_is_undone(
    engine: Engine, sources: Sources, recipe: Recipe, mask: bool
) -> None:
    """The tiny autoencoder paints everything in colours of its own."""
    picture = noisy(128, 64)
    half = {"mask_image": sources.keep(masked((128, 64), 0, 0, 64, 64)), "mask_blur": 0}
    values: dict[str, Any] = {"init_image": sources.keep(picture), "width": 128, "height": 64,
                              "strength": 0.1, **(half if mask else {})}  # fmt: skip
    plain = pictures(engine.generate(recipe(**values)))[0]
    matched = pictures(engine.generate(recipe(**values, colour_match=True)))[0]
    box = (0, 0, 64, 64) if mask else (0, 0, 128, 64)

    def distance(image: Image.Image) -> float:
        both = (np.asarray(one.crop(box), dtype=float).mean((0, 1)) for one in (image, picture))
        return float(np.abs(next(both) - next(both)).max())

    assert distance(matched) < 0.5 * distance(plain)
    assert same(matched.crop((64, 0, 128, 64)), picture.crop((64, 0, 128, 64))) == mask
