"""AnimationRequest: all that is needed to make an animation again.

What a keyframe shows is a GenerationRequest, so that the list of its fields is the one there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from studio.complete import given_fields
from studio.request import GenerationRequest
from studio.sentences import Sentence, say

MAX_KEYFRAMES = 100
MAX_STEP = 10_000
"""Frames from one keyframe to the next, at most."""
MAX_FRAMES = 20_000
"""Frames that are painted, at most; what is held or played backwards comes on top."""

Method = Literal["anchored", "walk"]
Format = Literal["mp4", "webm", "webp", "gif", "png"]
Easing = Literal["linear", "in", "out", "in_out"]
Blend = Literal["slerp", "lerp"]
InBetweenBy = Literal["latents", "motion"]

ALIKE = (
    "model", "sampler", "sigma_schedule", "num_inference_steps", "width", "height", "vae",
    "clip_skip", "guidance_rescale", "guidance_start", "guidance_end", "strength", "resize_mode",
    "normalize_emphasis",
)  # fmt: skip
"""The fields that all keyframes have in common; the others may differ, and are interpolated."""

NOT_ANIMATED = (
    "num_images", "mask_image", "refiner", "clip_guidance_scale", "outpaint_left", "outpaint_top",
    "outpaint_right", "outpaint_bottom",
)  # fmt: skip
"""The fields that an animation has no use for yet, and leaves at their usual value."""

_FROM_MODEL = {
    "width", "height", "sampler", "sigma_schedule", "num_inference_steps", "guidance_scale",
    "model", "seed", "prompt", "negative_prompt",
}  # fmt: skip


class Leg(BaseModel):
    """How it goes on from a keyframe to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frames: int = Field(24, ge=1, le=MAX_STEP, description="How many until the next keyframe.")
    hold: int = Field(
        0, ge=0, le=MAX_STEP, description="For how many frames more the keyframe stands still."
    )
    easing: Easing = Field(
        "linear", description="Whether it sets out slowly (in), arrives slowly (out), or both."
    )
    zoom: float = Field(
        1.0, ge=0.25, le=4,
        description="How many times as large things look at the next keyframe, by the camera.",
    )  # fmt: skip
    pan_x: float = Field(
        0.0, ge=-1, le=1,
        description="How far the camera moves to the right until the next keyframe, in widths.",
    )  # fmt: skip
    pan_y: float = Field(
        0.0, ge=-1, le=1,
        description="How far the camera moves down until the next keyframe, in heights.",
    )  # fmt: skip
    rotate: float = Field(
        0.0, ge=-360, le=360,
        description="By how many degrees the picture turns clockwise until the next keyframe.",
    )  # fmt: skip


class Film(BaseModel):
    """What holds for the whole animation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Method = Field(
        "walk",
        description="walk: each frame is drawn from noise and words of its own, and keyframes are "
        "the pictures that they would be alone; anchored: all frames share the first part of the "
        "denoising, which keeps the scene as it is in the middle.",
    )
    prompt_strength: float = Field(
        0.8, ge=0, le=1, description="anchored: the share of the steps that a frame's words decide."
    )
    blend: Blend = Field("slerp", description="How words are mixed: on the arc, or straight.")
    in_between: int = Field(
        0, ge=0, le=15,
        description="Frames between two painted ones that are made from these, quickly.",
    )  # fmt: skip
    in_between_by: InBetweenBy = Field(
        "latents",
        description="latents: in-between frames are decoded from a mixture of their neighbours'; "
        "motion: what moves is followed in the pictures and drawn on its way (minterpolate).",
    )
    even_pacing: bool = Field(
        False, description="Measure how much changes first, then spread the frames evenly over it."
    )
    loop: bool = Field(False, description="Go on from the last keyframe to the first.")
    ping_pong: bool = Field(False, description="Return the way it came.")
    fps: int = Field(12, ge=1, le=60, description="Frames a second.")
    format: Format = Field("mp4", description="The file; png is a zip of pictures.")
    quality: int = Field(80, ge=1, le=100, description="Of mp4, webm and webp.")
    sound: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$",
        description="A sound file (base64, or its hash); it plays along in mp4 and webm.",
    )  # fmt: skip
    sound_start: float = Field(
        0.0, ge=0, le=86_400, description="Where in the sound the film begins, in seconds."
    )
    follow_sound: float = Field(
        0.8, ge=0, le=1,
        description="How much the pace follows the sound: 0 not at all; at 1 silence stands still.",
    )  # fmt: skip


class Keyframe(Leg):
    """What is shown at one moment: ``request``, whose ``init_image`` may be a picture to show."""

    request: GenerationRequest


class AnimationRequest(Film):
    """A complete recipe: the same request makes the same frames, to the bit on one machine."""

    keyframes: tuple[Keyframe, ...]

    @property
    def common(self) -> GenerationRequest:
        """What all keyframes have in common, read from the first."""
        return self.keyframes[0].request

    @property
    def legs(self) -> tuple[tuple[int, int], ...]:
        """The ways from one keyframe to the next, by their numbers; a loop has one back."""
        count = len(self.keyframes)
        back = ((count - 1, 0),) if self.loop else ()
        return (*((k, k + 1) for k in range(count - 1)), *back)

    @property
    def follows_sound(self) -> bool:
        """Whether a sound says how the frames are spaced."""
        return bool(self.sound and self.follow_sound)

    def recipe(self) -> dict[str, Any]:
        """The same as it is handed in: what keyframes share once, and in each what is its own."""
        each = [_spoken(keyframe) for keyframe in self.keyframes]
        shared = {
            name: value
            for name, value in each[0].items()
            if all(name in other and other[name] == value for other in each)
        }
        own = [{k: v for k, v in one.items() if k not in shared} for one in each]
        film = {name: getattr(self, name) for name in Film.model_fields}
        return {**film, **shared, "keyframes": own}


def _spoken(keyframe: Keyframe) -> dict[str, Any]:
    """A keyframe as plain values, without what is as usual."""
    usual, values = GenerationRequest(), keyframe.request.model_dump(mode="json")
    ordinary = usual.model_dump(mode="json")
    request = {
        name: values[name]
        for name in given_fields()
        if name in _FROM_MODEL or values[name] != ordinary[name]
    }
    leg = {name: getattr(keyframe, name) for name in Leg.model_fields}
    return {**request, **leg}


def option_label(name: str) -> Sentence:
    """What an option of an animation is called within a sentence."""
    labels: Mapping[str, Sentence] = {
        "frames": say("Frames"),
        "hold": say("Hold"),
        "easing": say("Easing"),
        "zoom": say("Zoom"),
        "pan_x": say("Pan to the right"),
        "pan_y": say("Pan downwards"),
        "rotate": say("Rotation"),
        "method": say("Method"),
        "prompt_strength": say("Prompt strength"),
        "blend": say("Blend"),
        "in_between": say("In-between frames"),
        "in_between_by": say("In-betweens by"),
        "even_pacing": say("Even pacing"),
        "loop": say("Loop"),
        "ping_pong": say("Ping-pong"),
        "fps": say("Frames per second"),
        "format": say("Format"),
        "quality": say("Quality"),
        "sound": say("Sound"),
        "sound_start": say("Sound from"),
        "follow_sound": say("Follow the sound"),
    }
    return labels[name]
