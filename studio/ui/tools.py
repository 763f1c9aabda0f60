"""What the page does, for programs: functions for gradio_client, and tools for language models.

Their parameters are fields of a request, with the types, bounds and help that stand there.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import UnionType
from typing import Any, Final, Literal, get_origin

import gradio as gr

from studio import infotext
from studio.bootstrap import Studio
from studio.complete import given_fields
from studio.errors import NotFound, StartupError, StudioError
from studio.gallery import Picture
from studio.jobs.waiting import ended
from studio.languages import COOKIE, wanted_language
from studio.sentences import say
from studio.ui.desk import VISITOR_COOKIE

PROGRAM: Final = "api"  # a visitor without a cookie
_MOST_FOUND = 50


@dataclass(frozen=True)
class Tool:
    """One way to a job: the fields it takes, of which ``needed`` must be given.

    ``usual``: values that are not what is usual otherwise. ``same_words``: whether a picture of the
    gallery keeps the words and the model that it was painted with, where nothing else is said.
    """

    name: str
    about: str
    fields: Sequence[str]
    needed: Sequence[str]
    usual: Mapping[str, Any]
    same_words: bool = False


_DRAWN = ("negative_prompt", "model", "num_inference_steps", "guidance_scale", "sampler", "seed")
TOOLS = (
    Tool(
        "generate",
        "Paint pictures from words.",
        ("prompt", "width", "height", "num_images", *_DRAWN),
        ("prompt",),
        {},
    ),
    Tool(
        "change",
        "Paint a picture anew from one that is there; with a mask, only where that is white.",
        ("init_image", "prompt", "mask_image", "strength", "num_images", *_DRAWN),
        ("init_image", "prompt"),
        {},
    ),
    Tool(
        "enlarge",
        "Make a picture larger, and refine it in overlapping tiles unless the strength is 0.",
        ("init_image", "upscale_scale", "prompt", "strength", "upscaler", *_DRAWN),
        ("init_image", "upscale_scale"),
        {"strength": 0.3},
        same_words=True,
    ),
)


def offer_tools(studio: Studio) -> None:
    """Add them to the page that is being built; none of them is seen there."""
    options: Any = {"concurrency_limit": None}  # they wait for a job and do nothing else
    for tool in TOOLS:
        gr.api(_calling(studio, tool), api_name=tool.name, **options)
    gr.api(_finding(studio), api_name="find", **options)
    gr.api(_listing(studio), api_name="models", **options)


def check_mcp() -> None:
    """Raise StartupError with one sentence when what ``--mcp`` needs is not installed."""
    if find_spec("mcp") is None:
        raise StartupError(say("--mcp needs the library mcp: install it with pip install “mcp<2”."))


def _calling(studio: Studio, tool: Tool) -> Callable[..., Any]:
    """A function of the tool's fields that hands in a job, and answers when that has ended."""
    infos = given_fields()

    async def call(request: gr.Request, *given: Any) -> list[dict[str, Any]]:
        values = {n: v for n, v in zip(tool.fields, given, strict=True) if v is not None}
        if tool.same_words:
            values = await asyncio.to_thread(_same_words, studio, values)
        return await _made(studio, {**tool.usual, **values}, request)

    kinds = {name: _kind(infos[name].annotation, name in tool.needed) for name in tool.fields}
    parameter, anywhere = inspect.Parameter, inspect.Parameter.POSITIONAL_OR_KEYWORD
    ordered = sorted(tool.fields, key=lambda name: name not in tool.needed)
    assert ordered == list(tool.fields), "what is needed comes first"
    asked = [
        parameter(
            name, anywhere, annotation=kinds[name],
            default=parameter.empty if name in tool.needed else None,
        )
        for name in ordered
    ]  # fmt: skip
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter("request", anywhere, annotation=gr.Request), *asked],
        return_annotation=list[dict[str, Any]],
    )
    call.__annotations__ = {"request": gr.Request, **kinds, "return": list[dict[str, Any]]}
    call.__name__ = tool.name
    helps = [f"    {name}: {infos[name].description}" for name in tool.fields]
    call.__doc__ = "\n".join([tool.about, "", "Args:", *helps])
    return call


def _same_words(studio: Studio, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, and what they leave out of the recipe of the picture that they start from."""
    try:
        recipe = studio.recipe_of(studio.gallery.get(str(values["init_image"])))
    except NotFound:
        return dict(values)
    words = {name: getattr(recipe, name) for name in ("prompt", "negative_prompt", "model")}
    return {**words, **values}


def _kind(annotation: Any, needed: bool) -> type | UnionType:
    """A field's type as JSON knows it."""
    kind: type = str if get_origin(annotation) is Literal else annotation
    return kind if needed else kind | None


async def _made(
    studio: Studio, values: Mapping[str, Any], request: gr.Request
) -> list[dict[str, Any]]:
    """The pictures of a job, once it has ended. Raises gr.Error with one sentence."""
    language = wanted_language(request.cookies.get(COOKIE), request.headers.get("accept-language"))
    speaker = studio.speakers[language]
    visitor = request.cookies.get(VISITOR_COOKIE, PROGRAM)
    try:
        job = await asyncio.to_thread(studio.submit, values, visitor)
        end = await ended(studio.jobs, job)
    except StudioError as error:
        raise gr.Error(speaker(error.sentence), print_exception=False) from None
    if end.state != "done":
        reason = end.error or say("The job was cancelled.")
        raise gr.Error(speaker(reason), print_exception=False)
    made = await asyncio.to_thread(studio.gallery.of_job, end.id)
    return [_told(picture, request) for picture in made]


def _finding(studio: Studio) -> Callable[..., Any]:
    async def find(request: gr.Request, query: str = "", limit: int = 10) -> list[dict[str, Any]]:
        """Search the gallery: newest first, every word of the query in the prompt.

        Args:
            query: words of the prompt, in any language; empty finds all
            limit: how many pictures at most, up to 50
        """
        most = min(max(limit, 1), _MOST_FOUND)
        found = await asyncio.to_thread(studio.gallery.search, query[:1000], limit=most)
        return [_told(picture, request) for picture in found]

    find.__annotations__ = {
        "request": gr.Request, "query": str, "limit": int, "return": list[dict[str, Any]],
    }  # fmt: skip
    return find


def _listing(studio: Studio) -> Callable[..., Any]:
    async def models() -> list[dict[str, Any]]:
        """The models that can paint, and what is usual for each."""
        found = await asyncio.to_thread(studio.catalog.of_kind, "checkpoint")
        return [
            {"name": info.name, "family": info.family, "native_size": info.native_size,
             "languages": [*info.languages], "defaults": info.defaults.as_values()}
            for info in found
        ]  # fmt: skip

    models.__annotations__ = {"return": list[dict[str, Any]]}
    return models


def _told(picture: Picture, request: gr.Request) -> dict[str, Any]:
    """A picture: its id (for init_image), its address, its size and its recipe as text."""
    base = str(request.request.base_url) if request.request else "/"
    return {
        "id": picture.id,
        "url": f"{base}api/v1/pictures/{picture.id}",
        "width": picture.width,
        "height": picture.height,
        "seed": picture.request.seed,
        "parameters": infotext.write(picture.request, picture.model_hash),
    }
