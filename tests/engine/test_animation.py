"""Animations on a real model at tiny size: both ends reached, the same bits however interrupted."""

from __future__ import annotations

import errno
import gc
import threading
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.animation import animator as animator_module
from studio.animation.animator import Animator
from studio.animation.camera import Camera
from studio.animation.forking import forked_generators, forked_scheduler
from studio.animation.motion import pictures_between
from studio.animation.pacing import distance
from studio.animation.picturing import Followed
from studio.animation.plan import make_plan
from studio.animation.reading import read_animation
from studio.animation.reel import Reel, Reels
from studio.complete import complete
from studio.engine.engine import Engine
from studio.engine.schedulers import make_scheduler
from studio.errors import StorageError
from studio.events import FrameReady, Progress
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS
from studio.sources import Sources
from studio.storage import storage_errors
from tests.engine.conftest import pictures, same
from tests.sounds import clicks

NIGHT, BLUE = {"prompt": "a red boat at night"}, {"prompt": "a blue house on the sea"}
Make = Callable[..., Reel]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A new animation on the disk, small and quick unless said otherwise."""
    made = iter(range(1000))

    def completed(values: Mapping[str, Any]) -> GenerationRequest:
        return complete(values, {"width": 64, "height": 64})

    def begin(*keyframes: Mapping[str, Any], **common: Any) -> Reel:
        given = {
            "keyframes": list(keyframes) or [NIGHT, BLUE], "frames": 5, "model": "tiny", "seed": 11,
            "num_inference_steps": 5, "guidance_scale": 5, "sampler": "dpmpp_2m",
            "method": "anchored", **common,
        }  # fmt: skip
        reels = Reels(tmp_path / "animations")
        return reels.begin(f"{next(made):016x}", read_animation(given, completed), "v")

    return begin


@pytest.fixture
def animator(store: ModelStore, tmp_path: Path) -> Animator:
    return Animator(store, Sources(tmp_path / "sources"))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two frames of 64 × 64 at once, so that few frames are several batches."""
    monkeypatch.setitem(animator_module._PIXELS_TOGETHER, "cpu", 2 * 64 * 64)


def frames(reel: Reel) -> list[Image.Image]:
    return [Image.open(reel.frame(k)).convert("RGB") for k in range(reel.frames_total)]


def made(animator: Animator, reel: Reel) -> list[Image.Image]:
    for _ in animator.animate(reel):
        pass
    return frames(reel)


def close(left: Image.Image, right: Image.Image) -> bool:
    """Equal but for what rounding in another batch size does."""
    return int(np.abs(np.asarray(left, int) - np.asarray(right, int)).max()) <= 1


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "euler_a", "heun"])
def test_a_walk_passes_through_the_pictures_of_its_keyframes(
    sampler: str, make: Make, animator: Animator, engine: Engine
) -> None:
    reel = make({**NIGHT, "guidance_scale": 3}, BLUE, method="walk", frames=3, sampler=sampler)
    shown = made(animator, reel)
    assert len(shown) == 4
    for keyframe, frame in ((0, 0), (1, 3)):
        request = reel.animation.keyframes[keyframe].request
        assert close(pictures(engine.generate(request))[0], shown[frame])
    assert not close(shown[0], shown[1]) and not close(shown[1], shown[3])


def test_a_walk_between_seeds_starts_from_noise_between_theirs(
    make: Make, animator: Animator, engine: Engine
) -> None:
    reel = make({**NIGHT, "seed": 1}, {**NIGHT, "seed": 2}, method="walk", frames=4)
    shown = made(animator, reel)
    for keyframe, frame in ((0, 0), (1, 4)):
        request = reel.animation.keyframes[keyframe].request
        assert close(pictures(engine.generate(request))[0], shown[frame])
    steps = [distance(a, b) for a, b in pairwise(shown)]
    assert max(steps) < distance(shown[0], shown[-1])


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "unipc", "euler_a", "dpmpp_sde", "pndm"])
def test_anchored_frames_go_on_where_the_shared_part_ended(
    sampler: str, make: Make, animator: Animator, engine: Engine
) -> None:
    """Between two equal keyframes it is the plain picture: the solver remembers what it did."""
    reel = make(NIGHT, NIGHT, sampler=sampler, prompt_strength=0.4, frames=2)
    (plain,) = pictures(engine.generate(reel.animation.common)).values()
    assert all(close(plain, frame) for frame in made(animator, reel))


def test_anchored_reaches_both_ends_with_words_alone(make: Make, animator: Animator) -> None:
    there = made(animator, make(NIGHT, BLUE, prompt_strength=1.0, frames=3))
    back = made(animator, make(BLUE, NIGHT, prompt_strength=1.0, frames=3))
    walked = made(animator, make(NIGHT, BLUE, method="walk", frames=3))
    assert all(close(a, b) for a, b in zip(there, back[::-1], strict=True))
    assert all(close(a, b) for a, b in zip(there, walked, strict=True))
    assert not close(there[0], there[-1])


CASES: dict[str, dict[str, Any]] = {
    "anchored": {},
    "ancestral": {"sampler": "euler_a", "loop": True, "frames": 2},
    "walk": {"method": "walk", "in_between": 1},
    "even": {"even_pacing": True, "loop": True, "in_between": 2, "frames": 3},
    "camera": {"method": "walk", "zoom": 1.3, "rotate": 20.0, "in_between": 1},
    "motion": {"method": "walk", "in_between": 1, "in_between_by": "motion", "loop": True,
               "zoom": 1.2},
    "sound": {"method": "walk", "rotate": 30.0, "fps": 5, "frames": 8, "even_pacing": True},
}  # fmt: skip
MOTION = {"in_between_by": "motion"}


@pytest.mark.parametrize(
    ("case", "after"),
    [
        ("anchored", 3),
        ("ancestral", 0),
        ("walk", 2),
        ("even", 3),
        ("camera", 3),
        ("motion", 4),
        ("sound", 2),
    ],
)
def test_an_interrupted_animation_goes_on_to_the_same_bits(
    case: str, after: int, make: Make, animator: Animator, store: ModelStore, tmp_path: Path
) -> None:
    given = CASES[case]
    if case == "sound":
        kept = Sources(tmp_path / "sources").keep_sound(clicks(2.0, [0.7, 1.5]))
        given = {**given, "sound": kept}
    whole = made(animator, make(**given))
    reel = make(**given)
    events = animator.animate(reel)
    for event in events:
        if isinstance(event, Progress if after == 0 else FrameReady) and (
            after == 0 or event.index + 1 == after
        ):
            break
    events.close()
    there = len(reel.there())  # what was on its way to the disk is there as well
    assert after <= there < reel.frames_total
    again = Animator(store, Sources(tmp_path / "sources"))
    painted = [event.index for event in again.animate(reel) if isinstance(event, FrameReady)]
    assert painted == [*range(there, reel.frames_total)]
    assert all(same(a, b) for a, b in zip(whole, frames(reel), strict=True))


def test_the_frames_follow_a_sound(make: Make, animator: Animator, tmp_path: Path) -> None:
    kept = Sources(tmp_path / "sources").keep_sound(clicks(2.0, [1.0]))
    reel = make(method="walk", frames=10, fps=5, sound=kept, follow_sound=1.0, zoom=1.2)
    shown = made(animator, reel)
    steps = [distance(a, b) for a, b in pairwise(shown)]
    assert max(steps[4:6]) == max(steps) and max(steps) > 3 * max(steps[:3])
    assert reel.progress is not None and reel.progress.shares == reel.progress.along
    even = made(animator, make(method="walk", frames=10, sound=kept, follow_sound=0.0, zoom=1.2))
    silent = made(animator, make(method="walk", frames=10, zoom=1.2))
    assert all(same(a, b) for a, b in zip(even, silent, strict=True))


def test_what_a_frame_shows_does_not_depend_on_which_are_missing(
    make: Make, animator: Animator
) -> None:
    reel = make(method="walk", in_between=1)
    whole = made(animator, reel)
    for frame in (0, 3, 4):
        reel.frame(frame).unlink()
    assert all(same(a, b) for a, b in zip(whole, made(animator, reel), strict=True))


def test_a_frame_between_is_decoded_from_both_its_neighbours(
    make: Make, animator: Animator
) -> None:
    reel = make(NIGHT, BLUE, method="walk", frames=4, in_between=3)
    shown = made(animator, reel)
    ends = distance(shown[0], shown[4])
    assert all(0 < distance(shown[0], shown[k]) <= 1.2 * ends for k in (1, 2, 3, 4))
    assert distance(shown[0], shown[1]) < distance(shown[0], shown[3])


def test_frames_between_may_follow_what_moves_in_the_painted_ones(
    make: Make, animator: Animator
) -> None:
    case = {"method": "walk", "frames": 7, "in_between": 2}
    decoded, followed = made(animator, make(**case)), made(animator, make(**case, **MOTION))
    painted = make(**case).plan.painted
    assert painted == (0, 3, 6, 7)
    assert [same(a, b) for a, b in zip(decoded, followed, strict=True)] == [
        frame in painted for frame in range(8)
    ]
    between = pictures_between([followed[k] for k in (0, 3, 6, 7)], 2)
    assert all(same(a, b) for a, b in zip(between, followed[4:6], strict=True))
    ends = pictures_between([followed[k] for k in (0, 0, 3, 6)], 2)
    assert all(same(a, b) for a, b in zip(ends, followed[1:3], strict=True))


def test_what_follows_motion_keeps_a_few_pictures_in_memory(
    make: Make, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0
    picture = Followed.picture

    def counted(self: Followed, frame: int) -> Any:
        nonlocal most
        image = yield from picture(self, frame)
        most = max(most, len(self.painted) + len(self.between))
        return image

    monkeypatch.setattr(Followed, "picture", counted)
    made(animator, make(frames=24, in_between=1, method="walk", num_inference_steps=2, **MOTION))
    assert 4 <= most <= 5


def test_the_camera_moves_over_the_finished_frames(make: Make, animator: Animator) -> None:
    still = made(animator, make(method="walk"))
    reel = make(method="walk", zoom=1.5, pan_x=0.2)
    camera = Camera(reel.animation)
    moved = [camera.shot(frame, image) for frame, image in enumerate(still)]
    assert all(same(a, b) for a, b in zip(moved, made(animator, reel), strict=True))
    assert not any(same(a, b) for a, b in zip(still, moved, strict=True))


def test_keyframes_may_be_pictures(make: Make, animator: Animator, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((64, 64), Image.Resampling.BILINEAR)
    kept = Sources(tmp_path / "sources").keep(picture)
    reel = make({**NIGHT, "picture": kept}, BLUE, method="walk", strength=0.6, frames=4)
    shown = made(animator, reel)
    model = animator._store.acquire("tiny")
    pixels = torch.from_numpy(np.asarray(picture, np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    through = Image.fromarray(model.decode(model.encode(pixels))[0].numpy())
    assert close(shown[0], through)  # the picture itself, as the autoencoder sees it
    plain = make(BLUE, BLUE, method="walk", frames=1)
    assert close(shown[-1], made(animator, plain)[0])


def test_words_may_be_weighted_scheduled_and_composed(make: Make, animator: Animator) -> None:
    reel = make(
        {"prompt": "a [red:blue:0.5] boat AND the sea :0.5"},
        {"prompt": "(house:1.4) " + "on the sea at night " * 20, "negative_prompt": "red"},
        method="walk",
    )
    shown = made(animator, reel)
    assert len({frame.tobytes() for frame in shown}) == len(shown)


def test_even_pacing_measures_first_and_leaves_nothing_behind(
    make: Make, animator: Animator
) -> None:
    reel = make(even_pacing=True, frames=6)
    made(animator, reel)
    progress = reel.progress
    assert progress is not None and progress.shares is not None
    assert reel.plan == make_plan(reel.animation, progress.shares)
    assert not (reel.folder / "probes").exists()


def test_progress_counts_up_to_all_of_the_work(make: Make, animator: Animator) -> None:
    for case in ("walk", "even"):
        reel = make(**CASES[case])
        seen = [e for e in animator.animate(reel) if isinstance(e, Progress)]
        assert [e.step for e in seen] == sorted(e.step for e in seen)
        assert seen[-1].step == seen[-1].steps


def test_a_full_disk_is_told_before_the_first_frame(
    make: Make, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    reel = make(frames=5000)
    usage = type("Usage", (), {"free": 70 * 2**20})
    monkeypatch.setattr("studio.animation.reel.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(StorageError, match="The frames need about 113 MiB"):
        next(animator.animate(reel))


def test_a_zip_of_held_frames_needs_room_for_each_of_them(
    make: Make, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 70 * 2**20})
    monkeypatch.setattr("studio.animation.reel.shutil.disk_usage", lambda folder: usage)
    make(frames=5, hold=5000).check_room()
    with pytest.raises(StorageError, match="The frames need about"):
        make(frames=5, hold=5000, format="png").check_room()


def test_frames_are_saved_beside_the_painting_and_only_a_few_wait(
    make: Make, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk stands still painting goes on, but no further than the queue is long."""
    keep, open_again, threads = Reel.keep, threading.Event(), set()

    def slow(self: Reel, frame: int, image: Image.Image) -> None:
        threads.add(threading.current_thread().name)
        open_again.wait(30)
        keep(self, frame, image)

    monkeypatch.setattr(Reel, "keep", slow)
    reel = make(method="walk", frames=30, num_inference_steps=1)
    told, events = [], animator.animate(reel)
    painter = threading.Thread(target=lambda: told.extend(events))
    painter.start()
    deadline = time.monotonic() + 30
    while (count := sum(isinstance(e, Progress) for e in [*told])) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    assert count >= 3 and not reel.there()
    assert sum(isinstance(e, Progress) for e in told) <= 4  # batches of two; four frames may wait
    open_again.set()
    painter.join()
    assert [e.index for e in told if isinstance(e, FrameReady)] == [*range(31)]
    assert threads == {"studio-frames"}
    assert not any(thread.name == "studio-frames" for thread in threading.enumerate())


@pytest.mark.parametrize("way", ["latents", "motion"])
def test_memory_does_not_grow_with_the_number_of_frames(
    way: str, make: Make, animator: Animator
) -> None:
    """As many pictures and tensors are alive in the middle of a long animation as of a short."""

    def most(frames: int) -> int:
        case = {"method": "walk", "in_between": 2, "in_between_by": way, "zoom": 1.1}
        reel = make(frames=frames, num_inference_steps=1, **case)
        alive = []
        for event in animator.animate(reel):
            if isinstance(event, FrameReady) and event.index % 12 == 9:
                gc.collect()  # what is left in circles, of other tests too
                alive.append(
                    sum(issubclass(type(o), torch.Tensor | Image.Image) for o in gc.get_objects())
                )
        assert len(reel.there()) == frames + 1
        return max(alive)

    most(12)  # whatever is made once
    assert most(120) <= most(24) + 6


def test_a_disk_that_fills_up_midway_costs_nothing_that_was_made(
    make: Make, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, reel = made(animator, make(method="walk")), make(method="walk")
    told: list[int] = []
    with monkeypatch.context() as full:
        keep = Reel.keep

        def kept(self: Reel, frame: int, image: Image.Image) -> None:
            if frame >= 3:
                with storage_errors(self.folder):
                    raise OSError(errno.ENOSPC, "No space left on device")
            keep(self, frame, image)

        full.setattr(Reel, "keep", kept)
        with pytest.raises(StorageError, match="The disk is full: free some space for"):
            told.extend(e.index for e in animator.animate(reel) if isinstance(e, FrameReady))
    assert reel.there() == {0, 1, 2} and len([*reel.pictures()]) == 3
    assert all(same(a, b) for a, b in zip(whole, made(animator, reel), strict=True))


def test_out_of_memory_paints_fewer_frames_together(
    make: Make, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    reel, seen = make(method="walk", frames=3), []
    paint = animator_module.Drawing.paint

    def tight(self: Any, moments: Any) -> Any:
        seen.append(len(moments))
        if len(moments) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return paint(self, moments)

    monkeypatch.setattr(animator_module.Drawing, "paint", tight)
    assert len(made(animator, reel)) == 4
    assert seen == [2, 1, 1, 1, 1]
    assert reel.progress is not None and reel.progress.together == 1


def test_a_forked_run_does_not_touch_the_one_it_came_from() -> None:
    config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    scheduler = make_scheduler(SAMPLERS["dpmpp_2m"], "karras", 6, config)
    latents = torch.randn(1, 4, 8, 8)
    for at in range(3):
        latents = scheduler.step(latents * 0.1, scheduler.timesteps[at], latents)[0]
    before = [each.clone() for each in scheduler.model_outputs]
    fork = forked_scheduler(scheduler, (3, 4, 8, 8))
    assert [each.shape[0] for each in fork.model_outputs] == [3, 3]
    fork.step(torch.randn(3, 4, 8, 8), fork.timesteps[3], latents.expand(3, -1, -1, -1))
    kept = scheduler.model_outputs
    assert all(torch.equal(a, b) for a, b in zip(before, kept, strict=True))
    generator = torch.Generator("cpu").manual_seed(3)
    one, other = forked_generators(generator, 2)
    assert torch.equal(torch.randn(4, generator=one), torch.randn(4, generator=other))
    assert torch.equal(
        torch.randn(4, generator=generator), torch.randn(4, generator=one) * 0
        + torch.randn(4, generator=torch.Generator("cpu").manual_seed(3)),
    )  # fmt: skip
