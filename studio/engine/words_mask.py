"""A mask by words: where a model sees “the boat” in a picture.

The picture's latents are noised to some middle steps, the UNet is asked about each with the words,
and its attention to their tokens becomes the mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from studio.engine.attention_maps import AttentionMaps, collecting, spread_out
from studio.engine.clip_guidance import said_plainly
from studio.engine.memory import acquire, is_out_of_memory, model_does_not_fit
from studio.engine.pixels import as_pixels
from studio.engine.schedulers import make_scheduler
from studio.errors import InvalidRequest
from studio.images import frame as frames
from studio.images import segment
from studio.images.masks import core
from studio.images.reading import flattened
from studio.models.base import Canvas, LoadedModel, Painting, TextEmbedding
from studio.models.plan import Work
from studio.models.store import ModelStore
from studio.prompt.chunks import Chunk, Tokenize
from studio.prompt.grammar import take_loras
from studio.prompt.plan import plan_prompt
from studio.prompt.words import content_words
from studio.samplers import find_sampler
from studio.sentences import say

MOMENTS = (200, 400, 600)  # of 1000 timesteps: what is where is settled, and not yet drawn over
_RIVALRY = 0.7  # how far another word's place is none of this one's; measured on pocket
_SEED = 0  # of the noise: the same words give the same mask
_WORKED_ON = 512  # the longer side, in pixels, of the picture whose edges the mask follows
_REACH = 1 / 64  # of the longer side: gaps that are closed, and the rim


@dataclass(frozen=True)
class Wanted:
    """What is looked for. ``prompt``: what the picture shows in all, "" when nobody says.

    ``threshold``: from 0 to 1, how sure the model has to be; None finds it itself. ``grow``: pixels
    around what was found; None takes a little, for what is drawn anew needs a rim.
    """

    words: str
    prompt: str = ""
    threshold: float | None = None
    grow: int | None = None


@dataclass(frozen=True)
class Told:
    """What a model is told: token ids, and positions in the sequence, which begins with a mark.

    ``looked_for``: of the words. ``others``: of each other word of the prompt.
    """

    text: Sequence[int]
    looked_for: Sequence[int]
    others: Sequence[Sequence[int]]


def mask_by_words(
    store: ModelStore, model: str, picture: Image.Image, wanted: Wanted
) -> Image.Image:
    """The mask (mode L, 0 or 255) of the picture's size.

    Raises InvalidRequest when the model sees nothing of that, ModelError, OutOfMemory.
    """
    info = store.catalog.find(model)
    room = _room(picture.size, info.native_size)
    loaded = acquire(store, info.name, Work(*room))
    frame = frames.frame((0, 0, *picture.size), room, loaded.vae_scale_factor)
    wanted = replace(wanted, prompt=said_plainly(plan_prompt(take_loras(wanted.prompt)[0], 1)))
    told = tokens_of(wanted, loaded.tokenize, loaded.chunk_length)
    seen = flattened(picture)
    try:
        maps = look(loaded, frame.lay(seen), loaded.encode_tokens([Chunk.of(told.text)]))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise model_does_not_fit(info.name, store) from None
    rough = _where(maps, told).numpy().astype(np.float64)
    seen.thumbnail((_WORKED_ON, _WORKED_ON))
    large = _enlarged(rough, frame, seen.size)
    place = max(frame.canvas) / max(rough.shape) * max(seen.size) / max(frame.size)
    certain = spread_out(torch.from_numpy(segment.along_edges(large, seen, round(place * 3 / 4))))
    region = certain.numpy() >= _threshold(certain.numpy(), wanted)
    return _finished(region, picture.size, wanted)


def _where(maps: AttentionMaps, told: Told) -> torch.Tensor:
    """Where the words are seen (rows, columns), from 0 to 1; less where another word is."""
    here = maps.gathered(told.looked_for)
    if told.others:
        elsewhere = torch.stack([maps.gathered(each) for each in told.others]).amax(0)
        here = here - _RIVALRY * elsewhere
    return spread_out(here.clamp(min=0))


def look(model: LoadedModel, picture: Image.Image, told: TextEmbedding) -> AttentionMaps:
    """What a model looks at in a picture (RGB, of a size that it can draw) when it is told so."""
    latents = model.encode(as_pixels(picture).to(model.placement.device))
    canvas = Canvas(torch.zeros_like(latents[:, :1]), latents) if model.takes_canvas else None
    conditions = model.conditions(told, Painting(*picture.size, canvas=canvas))
    scheduler = make_scheduler(find_sampler("ddim"), "automatic", 10, model.scheduler_config)
    generator = torch.Generator("cpu").manual_seed(_SEED)
    noise = torch.randn(latents.shape, generator=generator).to(latents.device)
    rows, columns = latents.shape[2:]
    with collecting(model.parts["unet"], (rows, columns)) as maps:
        for moment in MOMENTS:
            timestep = torch.tensor([moment])
            noised = scheduler.add_noise(latents, noise, timestep.to(latents.device))
            model.predict(noised, timestep[0].to(latents.device), conditions)
    return maps


def tokens_of(wanted: Wanted, tokenize: Tokenize, most: int) -> Told:
    """What the model is told, and which of its tokens are looked for.

    It is told the prompt, when the words stand in it, for a thing is found best among what else
    there is; else the words alone. Raises InvalidRequest when there are none.
    """
    words = content_words(wanted.words) or [wanted.words]
    prompt, asked = (tokenize(text)[:most] for text in (wanted.prompt, wanted.words))
    phrase = [" ".join(words)]
    for text, named in ((prompt, phrase), (prompt, words), (asked, words)):
        found = {place for each in named for place in _places(text, tokenize(each))}
        if found:
            others = _others(text, found, tokenize, wanted.prompt) if text is prompt else []
            return Told(text, _behind_the_mark(found), [_behind_the_mark(each) for each in others])
    if not asked:
        sentence = say("Say in words what to look for, such as “the boat”.")
        raise InvalidRequest.of("words", sentence)
    return Told(asked, _behind_the_mark(range(len(asked))), [])


def _others(
    text: Sequence[int], found: set[int], tokenize: Tokenize, prompt: str
) -> list[list[int]]:
    """The places of each other word; not of the one before, which says how the thing is."""
    others = []
    for word in content_words(prompt):
        places = _places(text, tokenize(word))
        if places and not found & {*places, max(places) + 1}:
            others.append(places)
    return others


def _behind_the_mark(places: Iterable[int]) -> list[int]:
    """Positions in the sequence, which begins with a mark."""
    return sorted(place + 1 for place in places)


def _places(text: Sequence[int], phrase: Sequence[int]) -> list[int]:
    """Where the tokens of a phrase stand in a text, each time that it does."""
    length = len(phrase)
    starts = [k for k in range(len(text)) if length and [*text[k : k + length]] == [*phrase]]
    return [start + k for start in starts for k in range(length)]


def _room(size: frames.Size, native: int) -> frames.Size:
    """The room in which the picture has as many pixels as those that the model learnt from."""
    scale = min((native * native / (size[0] * size[1])) ** 0.5, 4 * native / max(size))
    return frames.on_grid((round(size[0] * scale), round(size[1] * scale)), 8)


def _enlarged(rough: segment.Map, frame: frames.Frame, size: frames.Size) -> segment.Map:
    """A map of the canvas as one of the picture on it, ``size`` large."""
    image = Image.fromarray(rough.astype(np.float32))
    across, down = (image.size[k] / frame.canvas[k] * frame.size[k] for k in (0, 1))
    part = image.resize(size, Image.Resampling.BICUBIC, box=(0, 0, across, down))
    return np.asarray(part, dtype=np.float64)


def _threshold(certain: segment.Map, wanted: Wanted) -> float:
    if wanted.threshold is not None:
        return wanted.threshold
    return segment.otsu(certain)


def _finished(region: segment.Region, size: frames.Size, wanted: Wanted) -> Image.Image:
    """The region cleaned, with its rim, as a mask of the picture's size."""
    side, scale = max(region.shape), max(region.shape) / max(size)
    reach = max(1, round(side * _REACH))
    rim = reach if wanted.grow is None else wanted.grow * scale
    region = segment.grown(segment.cleaned(region, reach), rim)
    if not region.any():
        sentence = say("Nothing of that was found in the picture; other words may do.")
        raise InvalidRequest.of("words", sentence)
    mask = Image.fromarray(region.astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
    return core(mask)
