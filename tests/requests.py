"""Any request at all, for property tests: made from the fields themselves, so new ones join in."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from studio.complete import given_fields
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS

AWKWARD = [
    "Negative prompt: none of that",
    "Steps: 3, Sampler: Euler, CFG scale: 2",
    'say "cheese", she said: now',
    " leading and trailing \n\n",
    "a\r\nb",
    "夜晚的城市,蓝色的城堡",
    "一" * 300,  # its low byte is zero: the order of UTF-16's bytes is hard to tell
    '"quoted"',
    '{"prompt": "x"}',
    "\u2028 \x85 \x1f",
    "🙂",
    "a\\b\\",
]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "sampler": st.sampled_from(sorted(SAMPLERS)),
    "sigma_schedule": st.sampled_from(["automatic", "karras", "sgm_uniform"]),
    "hires_upscaler": st.sampled_from(["latent", "latent_bicubic", "lanczos", "4x.pth"]),
    "hires_sampler": st.sampled_from(["", *sorted(SAMPLERS)]),
    "init_image": st.just("0123456789abcdef" * 4),
    "mask_image": st.just("fedcba9876543210" * 4),
    "num_images": st.just(1),
    "batch_size": st.just(1),
}


def texts(shortest: int = 0, longest: int = 500) -> st.SearchStrategy[str]:
    """Texts of every kind that a file has trouble with."""
    plain = st.text(CHARACTERS, min_size=shortest, max_size=min(60, longest))
    awkward = st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=3).map("\n".join)
    return plain | awkward.map(lambda text: text[:longest])


def requests() -> st.SearchStrategy[GenerationRequest]:
    """Requests of one picture; each field has its default or any value within its bounds."""
    fields = {
        name: st.just(info.default) | _CHOICES.get(name, _values(info.annotation, info.metadata))
        for name, info in given_fields().items()
    }
    return st.builds(GenerationRequest, **fields)


def _values(kind: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    bounds = {
        name: getattr(item, name)
        for item in metadata
        for name in ("ge", "le", "multiple_of", "min_length", "max_length")
        if hasattr(item, name)
    }
    if kind is str:
        return texts(bounds.get("min_length", 0), min(500, bounds.get("max_length", 500)))
    if kind is int:
        step = bounds.get("multiple_of", 1)
        numbers = st.integers(-(-bounds["ge"] // step), bounds["le"] // step)
        return numbers.map(lambda number: number * step)
    if kind is float:
        return st.floats(bounds["ge"], bounds["le"], allow_nan=False)
    if kind is bool:
        return st.booleans()
    if get_origin(kind) is tuple:
        return st.lists(texts(1, 100), max_size=3).map(tuple)
    if choices := get_args(kind):
        return st.sampled_from(choices)
    raise AssertionError(f"tests/requests.py has no values of type {kind} yet")
