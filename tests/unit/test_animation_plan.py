"""Keyframes and their plan: bounds, mixtures, loops, holds, even pacing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.animation.choosing import chosen
from studio.animation.pacing import Measuring, spread
from studio.animation.plan import (
    Between,
    Moment,
    Plan,
    Shares,
    along,
    eased,
    evenly,
    groups,
    make_plan,
)  # fmt: skip
from studio.animation.reading import read_animation
from studio.animation.request import MAX_FRAMES, AnimationRequest
from studio.complete import complete
from studio.errors import InvalidRequest
from studio.request import GenerationRequest

HASH = "a" * 64


def completed(values: Mapping[str, Any]) -> GenerationRequest:
    """As the studio does it, for a model of 64 × 64; a start picture would be 128 × 96."""
    sized = {"width": 128, "height": 96} if values.get("init_image") else {}
    return complete({**sized, **values}, {"width": 64, "height": 64})


def read(*keyframes: Mapping[str, Any], **common: Any) -> AnimationRequest:
    return read_animation({"keyframes": list(keyframes), **common}, completed)


def problems(*keyframes: Any, **common: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        read(*keyframes, **common)
    return {problem.field: problem.message for problem in caught.value.problems}


NOON, SUNSET, NIGHT = ({"prompt": f"the sea at {time}"} for time in ("noon", "sunset", "night"))


def test_what_is_left_out_is_common_to_all_keyframes() -> None:
    animation = read(
        NOON,
        {**SUNSET, "frames": 6, "guidance_scale": 9, "easing": "in_out"},
        {**NIGHT, "seed": 5, "hold": 3},
        frames=4, num_inference_steps=3, loop=True,
    )  # fmt: skip
    requests = [keyframe.request for keyframe in animation.keyframes]
    assert [key.frames for key in animation.keyframes] == [4, 6, 4]
    assert [request.num_inference_steps for request in requests] == [3, 3, 3]
    assert requests[0].seed == requests[1].seed != requests[2].seed == 5
    assert [request.guidance_scale for request in requests] == [7, 9, 7]
    assert animation.legs == ((0, 1), (1, 2), (2, 0))


def test_the_recipe_is_read_back_as_the_same_animation() -> None:
    animation = read(
        {**NOON, "picture": HASH}, {**SUNSET, "frames": 6, "negative_prompt": "rain"},
        method="walk", frames=4, clip_skip=2, format="gif", fps=7, styles=["ink"], strength=0.4,
    )  # fmt: skip
    recipe = animation.recipe()
    assert recipe["clip_skip"] == 2 and recipe["width"] == 128
    assert set(recipe["keyframes"][0]) == {"prompt", "negative_prompt", "frames", "init_image"}
    assert read_animation(recipe, completed) == animation


@pytest.mark.parametrize(
    ("keyframes", "common", "field", "sentence"),
    [
        ([NOON], {}, "keyframes", "between 2 and 100 keyframes; you gave 1"),
        ("noon", {}, "keyframes", "must be a list of objects"),
        ([NOON, "night"], {}, "keyframes", "must be a list of objects"),
        ([{**NOON, "frames": 0}, NIGHT], {}, "keyframes.0.frames", "between 1 and 10000"),
        ([NOON, NIGHT], {"frames": 100_000}, "keyframes.0.frames", "you gave 100000."),
        ([{**NOON, "frames": 10_000}] * 4, {}, "frames",
         f"at most {MAX_FRAMES:,} frames; this would have 30,000"),
        ([NOON, {**NIGHT, "width": 128}], {}, "keyframes.1.width",
         "Keyframe 2 is 128 × 64 and the first 64 × 64"),
        ([NOON, {**NIGHT, "num_inference_steps": 3}], {}, "keyframes.1.num_inference_steps",
         "Steps must be the same in all keyframes; in keyframe 2"),
        ([NOON, {**NIGHT, "num_inference_steps": 300}], {}, "keyframes.1.num_inference_steps",
         "Keyframe 2: Steps must be a whole number between 1 and 150; you gave 300."),
        ([NOON, {**NIGHT, "weather": "rain"}], {}, "keyframes.1.weather", "no setting called"),
        ([NOON, NIGHT], {"num_images": 2}, "keyframes.0.num_images", "cannot use “Pictures” yet"),
        ([NOON, NIGHT], {"method": "fly"}, "method", "must be one of: anchored, walk"),
        ([NOON, NIGHT], {"loop": True, "ping_pong": True}, "ping_pong", "switch one"),
        ([NOON, {"picture": HASH}], {"method": "anchored"}, "method", "need the method “walk”"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_clear_sentence(
    keyframes: Any, common: dict[str, Any], field: str, sentence: str
) -> None:
    found = problems(*keyframes, **common)
    assert sentence in found[field], found


def test_a_picture_decides_the_size_of_all() -> None:
    animation = read(NOON, {"picture": HASH}, method="walk")
    assert {(k.request.width, k.request.height) for k in animation.keyframes} == {(128, 96)}
    assert animation.keyframes[1].request.init_image == HASH


def test_every_frame_is_on_its_way_and_both_ends_are_reached() -> None:
    plan = make_plan(read({**NOON, "frames": 4}, {**SUNSET, "frames": 2, "easing": "in"}, NIGHT))
    assert plan.moments == (
        *(Moment(0, 1, share) for share in (0, 0.25, 0.5, 0.75)),
        Moment(1, 2, 0), Moment(1, 2, 0.25), Moment(1, 2, 1),
    )  # fmt: skip
    assert plan.played() == [*range(7)] and set(plan.keys) == {0, 4, 6}


def test_a_loop_goes_back_without_showing_the_first_frame_twice() -> None:
    plan = make_plan(read(NOON, NIGHT, frames=2, loop=True))
    assert plan.moments == (
        Moment(0, 1, 0), Moment(0, 1, 0.5), Moment(1, 0, 0), Moment(1, 0, 0.5),
    )  # fmt: skip


def test_held_frames_and_the_way_back_are_played_not_painted() -> None:
    plan = make_plan(read({**NOON, "hold": 2}, {**NIGHT, "hold": 1}, frames=3))
    assert len(plan.moments) == 4
    assert plan.played() == [0, 0, 0, 1, 2, 3, 3]
    back = make_plan(read({**NOON, "hold": 1}, NIGHT, frames=3, ping_pong=True))
    assert back.played() == [0, 0, 1, 2, 3, 2, 1]
    assert [back.played(count) for count in range(4)] == [[], [0, 0], [0, 0, 1], [0, 0, 1, 2, 1]]


def test_frames_between_hang_on_painted_ones_on_either_side() -> None:
    plan = make_plan(read(NOON, NIGHT, frames=5, in_between=2))
    assert plan.painted == (0, 3, 5)
    assert plan.betweens == {
        1: Between(0, 3, 1 / 3), 2: Between(0, 3, 2 / 3), 4: Between(3, 5, 1 / 2),
    }  # fmt: skip
    loop = make_plan(read(NOON, NIGHT, frames=2, in_between=1, loop=True))
    assert loop.betweens == {1: Between(0, 2, 0.5), 3: Between(2, 0, 0.5)}


@given(st.floats(0, 1), st.floats(0, 1))
def test_easing_never_goes_back(one: float, other: float) -> None:
    for easing in ("linear", "in", "out", "in_out"):
        assert (eased(easing, 0), eased(easing, 1)) == (0, 1)
        assert eased(easing, min(one, other)) <= eased(easing, max(one, other)) + 1e-12


def test_groups_do_not_depend_on_what_is_there_already() -> None:
    assert groups(range(7), 3) == ((0, 1, 2), (3, 4, 5), (6,))


def test_frames_are_shared_out_by_how_much_happens() -> None:
    assert spread(10, [1, 4]) == [2, 8]
    assert spread(3, [0, 1000, 0]) == [1, 1, 1]
    assert spread(4, [0, 0]) == [2, 2]


def sky(moment: Moment) -> Image.Image:
    """Nothing happens on leg 0, and on leg 1 it turns dark within a twentieth of the way."""
    dark = min(max((moment.share - 0.8) * 20, 0), 1) if moment.start == 1 else 0
    return Image.new("RGB", (64, 64), (round(200 - 200 * dark),) * 3)


def measured(animation: AnimationRequest, measuring: Measuring) -> Shares:
    return measuring.shares(along(animation, evenly(measuring.counts())))


def steps(plan: Plan, draw: Callable[[Moment], Image.Image]) -> list[float]:
    """How far frames are apart, as root mean squares; mixed frames are mixtures."""
    pictures = [np.asarray(draw(moment), dtype=float) for moment in plan.moments]
    for frame, mixture in plan.betweens.items():
        left, right = pictures[mixture.left], pictures[mixture.right]
        pictures[frame] = left + (right - left) * mixture.share
    return [float(np.sqrt(np.mean((b - a) ** 2))) for a, b in pairwise(pictures)]


def test_even_pacing_puts_the_frames_where_something_happens() -> None:
    animation = read(NOON, SUNSET, NIGHT, frames=20, even_pacing=True)
    measuring, painted = Measuring(animation), 0
    while wanted := measuring.wanted():
        assert len(set(wanted)) == len(wanted)
        for moment in wanted:
            measuring.see(moment, sky(moment))
            painted += 1
    assert painted <= 81
    plan = make_plan(animation, measured(animation, measuring), measuring.leaps())
    assert len(plan.moments) == 41
    before, after = steps(make_plan(animation), sky), steps(plan, sky)
    assert max(before) / (sum(before) / 40) > 30
    assert max(after) / (sum(after) / 40) < 1.5


def test_a_still_picture_is_paced_as_it_was() -> None:
    animation = read(NOON, NIGHT, frames=4, loop=True)
    measuring = Measuring(animation)
    while wanted := measuring.wanted():
        for moment in wanted:
            measuring.see(moment, Image.new("RGB", (64, 64)))
    assert make_plan(animation, measured(animation, measuring)) == make_plan(animation)


def test_where_pictures_leap_frames_are_mixed() -> None:
    """A picture that turns over at once: the frames around it are painted, those between mixed."""
    animation = read(NOON, NIGHT, frames=20, even_pacing=True)

    def turned(moment: Moment) -> Image.Image:
        over = 200 if moment.end and moment.share > 0.3 else 0
        return Image.new("RGB", (64, 64), (over, round(40 * moment.share), 0))

    measuring = Measuring(animation)
    while wanted := measuring.wanted():
        for moment in wanted:
            measuring.see(moment, turned(moment))
    ((leap,),) = measuring.leaps()
    assert leap[0] <= 0.3 <= leap[1]
    plan = make_plan(animation, measured(animation, measuring), measuring.leaps())
    assert len(plan.betweens) > 8
    for mixture in plan.betweens.values():
        assert [plan.moments[end].share for end in (mixture.left, mixture.right)] == [*leap]
    after = steps(plan, turned)
    assert max(after) < 1.5 * sum(after) / 20


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_hardly_any_other_frames_would_be_more_even(seed: int) -> None:
    """Tried against every choice of measured places; pictures drift, stand still and jump."""
    dice = np.random.default_rng(seed)
    drift = dice.normal(0, 1, (10, 20)) * dice.choice([0.3, 1.0, 5.0], (10, 1))
    pictures = np.cumsum(drift, axis=0).astype(np.float32)
    places = np.array([0.0, *np.sort(dice.random(8)), 1.0])
    found = chosen(places, pictures, [0.0, 0.25, 0.5, 0.75])
    assert found[0] == 0.0 and all(a <= b for a, b in pairwise([*found, 1.0]))

    def uneven(at: Sequence[float]) -> float:
        shown = [np.array([np.interp(x, places, row) for row in pictures.T]) for x in (*at, 1.0)]
        steps = np.array([np.sqrt(np.mean((b - a) ** 2)) for a, b in pairwise(shown)])
        return float(np.sum((steps - steps.mean()) ** 2) / steps.sum() ** 2)

    best = min(uneven((0.0, *others)) for others in combinations(places[1:-1], 3))
    assert uneven(found) <= 1.25 * best + 1e-3
