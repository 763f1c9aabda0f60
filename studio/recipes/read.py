"""The one reader: a picture or a text of any origin -> a Recipe. Total: nothing in it can fail.

Where the studios keep their recipes: PNG text chunks (``parameters``, ``prompt``,
``invokeai_metadata``, ``sd-metadata``), in JPEG and WebP the EXIF UserComment, and for ComfyUI's
WebP the EXIF tags Make and Model, as ``prompt:{…}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from PIL import Image

from studio import infotext
from studio.recipes import comfyui, fooocus, invokeai
from studio.recipes.recipe import Recipe, noted
from studio.request import GenerationRequest

OURS: Final = "Creative Studio"
_EXIF_IFD, _USER_COMMENT, _MAKE, _MODEL = 0x8769, 0x9286, 0x010F, 0x0110
_UNIMPORTANT: Final = {
    "Version",
    "Model hash",
    "Lora hashes",
    "TI hashes",
    "Hashes",
    "App",
    "Parser",
}
_APPS: Final = (("fooocus", "Fooocus"), ("comfyui", "ComfyUI"), ("f", "Forge"), ("neo", "Forge"))

_Reader = Callable[[Mapping[str, Any]], Recipe | None]
_READERS: Final[tuple[_Reader, ...]] = (
    invokeai.read_metadata,
    fooocus.read_scheme,
    invokeai.read_old_metadata,
    comfyui.read_graph,
)


def read_picture(image: Image.Image) -> Recipe | None:
    """The recipe that a picture carries; None when it carries none that can be read."""
    texts = {key: value for key, value in image.info.items() if isinstance(value, str)}
    own = _object(texts.get(infotext.JSON_CHUNK, ""))
    if own is not None:
        return _sound(Recipe(OURS, own))
    ordered = ("parameters", "invokeai_metadata", "sd-metadata", "prompt", "Comment")
    for text in (*(texts[key] for key in ordered if key in texts), *_exif_texts(image)):
        recipe = read_text(text)
        if recipe.values:
            return recipe
    return None


def read_text(text: str) -> Recipe:
    """The recipe of a text: one of the JSON forms, or A1111's lines."""
    data = _object(text)
    if data is not None:
        found = (recipe for reader in _READERS if (recipe := reader(data)) is not None)
        return _sound(next(found, Recipe("unknown", {}, (noted("JSON", text),))))
    pairs = infotext.parameters(text)
    values = infotext.read(text)
    return _sound(Recipe(_app(pairs), values, _left_over(pairs, values)))


def _sound(recipe: Recipe) -> Recipe:
    """The recipe without what no request could hold; that is listed instead."""
    known = {k: v for k, v in recipe.values.items() if k in GenerationRequest.model_fields}
    held = infotext.recovered(known).model_dump()
    values = {name: held[name] for name in known if _kept(held[name], known[name])}
    lost = [
        noted(name, value)
        for name, value in recipe.values.items()
        if name not in values and name in GenerationRequest.model_fields
    ]
    return Recipe(recipe.source, values, (*recipe.unrecognised, *lost))


def _kept(held: object, given: object) -> bool:
    """Whether the request holds what was given, rather than its default."""
    if isinstance(held, tuple):
        return isinstance(given, list | tuple) and list(held) == list(given)
    if isinstance(held, float):
        return isinstance(given, int | float | str) and str(float(given)) == str(held)
    return str(held) == str(given)


def _app(pairs: Mapping[str, str]) -> str:
    if infotext.RECIPE in pairs:
        return OURS
    if "SD.Next" in pairs.get("App", ""):
        return "SD.Next"
    version = pairs.get("Version", "").casefold()
    return next((name for start, name in _APPS if version.startswith(start)), "A1111")


def _left_over(pairs: Mapping[str, str], values: Mapping[str, Any]) -> tuple[str, ...]:
    known = set(infotext.keys().values()) | _UNIMPORTANT | {infotext.RECIPE}
    rest = [noted(key, value) for key, value in pairs.items() if key not in known]
    if "Sampler" in pairs and "sampler" not in values:
        rest.append(noted("Sampler", pairs["Sampler"]))
    if "Schedule type" in pairs and "sigma_schedule" not in values:
        rest.append(noted("Schedule type", pairs["Schedule type"]))
    return tuple(rest)


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _exif_texts(image: Image.Image) -> list[str]:
    """Texts in a picture's EXIF data; none when that is broken."""
    try:
        exif = image.getexif()
        comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
        named = [exif.get(_MAKE), exif.get(_MODEL)]
    except Exception:  # Pillow's readers of broken EXIF raise nearly anything
        return []
    texts = [_decoded(comment) if isinstance(comment, bytes) else str(comment)]
    for value in named:
        if isinstance(value, str) and value.startswith("prompt:"):
            texts.append(value.removeprefix("prompt:"))
    return [text for text in texts if text.strip()]


def _decoded(comment: bytes) -> str:
    """An EXIF UserComment: eight bytes name the encoding. Source: EXIF 2.32, 4.6.6."""
    code, body = comment[:8], comment[8:]
    if not code.startswith(b"UNICODE"):
        return (body if code.startswith((b"ASCII", b"\0" * 8)) else comment).decode(
            "utf-8", "replace"
        )
    # The order of the bytes is the file's, which writers get wrong: text has more zero high bytes.
    high_first = body[0::2].count(0) >= body[1::2].count(0)
    return body.decode("utf-16-be" if high_first else "utf-16-le", "replace")
