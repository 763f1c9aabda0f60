"""The one reader: a picture's file or a text of any origin -> a Recipe. Total: nothing in it fails.

Where the studios keep their recipes: PNG text chunks (``parameters``, ``prompt``,
``invokeai_metadata``, ``sd-metadata``), in JPEG and WebP the EXIF UserComment, and for ComfyUI's
WebP the EXIF tags Make and Model, as ``prompt:{…}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from studio import infotext
from studio.complete import given_fields
from studio.recipes import comfyui, files, fooocus, invokeai
from studio.recipes.a1111 import read_lines
from studio.recipes.recipe import Recipe, filled, noted
from studio.request import GenerationRequest

_KEYS: Final = (
    "parameters", "UserComment", "invokeai_metadata", "sd-metadata", "prompt", "Comment",
    "ImageDescription",
)  # fmt: skip
_MOST_LISTED: Final = 100
_ENOUGH: Final = 3  # so many fields tell that a JSON object is a request of ours

_Reader = Callable[[Mapping[str, Any]], Recipe | None]


def read_picture(content: bytes) -> Recipe | None:
    """The recipe in a picture's file; None when it has none that can be read.

    Only what stands beside the pixels is looked at: the file may be of any size in pixels, broken
    or cut off. None too for what is no picture at all.
    """
    texts = files.texts_in(content)
    own = _object(texts.get(infotext.JSON_CHUNK, ""))
    if own is not None:
        return _sound(_own(own))
    found = (recipe for text in _candidates(texts) if (recipe := read_text(text)) is not None)
    return next(found, None)


def read_text(text: str) -> Recipe | None:
    """The recipe in a text: one of the JSON forms, or A1111's lines; None when it is neither."""
    text = text[: files.LONGEST].replace("\0", "").encode("utf-8", "replace").decode()
    data = _object(text)
    if data is None:
        recipe = read_lines(text)
        return _sound(recipe) if recipe else None
    found = (recipe for reader in _READERS if (recipe := reader(data)) is not None)
    return next(map(_sound, found), None)


def _candidates(texts: Mapping[str, str]) -> Iterator[str]:
    """The texts of a picture that may be recipes, the likeliest first."""
    yield from (texts[key] for key in _KEYS if key in texts)
    for key in ("Make", "Model"):
        if texts.get(key, "").startswith("prompt:"):
            yield texts[key].removeprefix("prompt:")


def _own(data: Mapping[str, Any]) -> Recipe:
    unknown = data.keys() - GenerationRequest.model_fields.keys() - {"model_hash"}
    rest = tuple(noted(name, data[name]) for name in data if name in unknown)
    return Recipe(infotext.STUDIO, data, rest, filled({"model": infotext.hash_in(data)}))


def _own_request(data: Mapping[str, Any]) -> Recipe | None:
    known = GenerationRequest.model_fields.keys() & data.keys()
    return _own(data) if len(known) >= _ENOUGH else None


# Fooocus' and InvokeAI's names are partly ours: theirs are asked first.
_READERS: Final[tuple[_Reader, ...]] = (
    invokeai.read_metadata,
    fooocus.read_scheme,
    invokeai.read_old_metadata,
    comfyui.read_graph,
    _own_request,
)


def _sound(recipe: Recipe) -> Recipe:
    """The recipe without what no request could hold; that is listed instead."""
    fields = given_fields()
    known = {name: value for name, value in recipe.values.items() if name in fields}
    held = infotext.recovered(known).model_dump()
    values = {name: held[name] for name in known if _kept(held[name], known[name])}
    lost = [
        noted(name, value)
        for name, value in known.items()
        if name not in values and value is not None
    ]
    rest = (*recipe.unrecognised, *lost)
    return Recipe(recipe.source, values, rest[:_MOST_LISTED], recipe.hashes)


def _kept(held: object, given: object) -> bool:
    """Whether the request holds what was given, rather than its default."""
    if isinstance(held, tuple):
        return isinstance(given, list | tuple) and [*held] == [*given]
    if isinstance(held, float):
        return isinstance(given, int | float | str) and str(float(given)) == str(held)
    return str(held) == str(given)


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
