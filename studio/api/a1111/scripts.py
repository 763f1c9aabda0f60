"""Scripts by A1111's names: what the studio does of them, and a refusal of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.api.foreign import Refused
from studio.sentences import say
from studio.upscaling import PIXEL, upscaler_labelled

SD_UPSCALE, SOFT = "sd upscale", "soft inpainting"
_EXTENSIONS = {
    "controlnet": "ControlNet",
    "sam": "Segment Anything",
    "tagger": "Tagger",
    "rembg": "rembg",
    "promptgen": "Prompt generator",
    "model_keyword": "Model keyword",
    "instruct-pix2pix": "Instruct-pix2pix",
    "adetailer": "ADetailer",
    "deforum_api": "Deforum",
    "agent-scheduler": "Agent scheduler",
}
"""The first part of an address -> the extension that answers there in A1111."""


def extension_at(path: str) -> str | None:
    """The name of the extension whose address this is; None for another address."""
    return _EXTENSIONS.get(path.strip("/").partition("/")[0])


def extensions() -> tuple[str, ...]:
    """The first parts of the extensions' addresses."""
    return tuple(_EXTENSIONS)


def scripted(
    name: str | None, arguments: Sequence[Any], values: Mapping[str, Any], kinds: Sequence[str]
) -> dict[str, Any]:
    """The values with what a script changes; ``kinds``: upscalers in the order of /upscalers.

    Raises Refused for a script that is not there.
    """
    if not name:
        return dict(values)
    if name.casefold() != SD_UPSCALE or "init_image" not in values:
        raise Refused(
            422, say("Script “{name}” not found: it is not part of this studio.", name=name)
        )
    try:
        _, overlap, chosen, scale = arguments
        way = kinds[chosen] if isinstance(chosen, int) else str(chosen)
        overlap, scale = int(overlap), float(scale)
    except (ValueError, TypeError, IndexError):
        raise Refused(
            422,
            say("“sd upscale” takes four arguments: nothing, overlap, upscaler, scale factor."),
        ) from None
    whole = {**values, "resize_mode": "keep", "tile_size": values["width"]}
    if way in ("None", *PIXEL.values()):
        way = upscaler_labelled(way)
    return whole | {"tile_overlap": overlap, "upscaler": way, "upscale_scale": scale}


def always_on(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The values that always-on scripts stand for; those that ask for nothing are let pass.

    Raises Refused for one that is not there.
    """
    values: dict[str, Any] = {}
    for name, given in asked.items():
        arguments = given.get("args", ()) if isinstance(given, Mapping) else given
        wanted = arguments and not (isinstance(arguments, list) and arguments[0] in (False, None))
        if isinstance(arguments, list) and name.casefold() == SOFT:
            values["soft_inpainting"] = bool(wanted)
        elif wanted:
            sentence = say(
                "always on script “{name}” not found: it is not part of this studio.", name=name
            )
            raise Refused(422, sentence)
    return values


SCRIPTS: Mapping[str, Sequence[str]] = {"txt2img": (), "img2img": (SD_UPSCALE, SOFT)}


def script_infos() -> list[dict[str, Any]]:
    """What /script-info tells of each script."""
    upscale = [
        _argument("info", ""),
        _argument("Tile overlap", 64, 0, 256, 16),
        _argument("Upscaler", "None"),
        _argument("Scale Factor", 2.0, 1.0, 4.0, 0.05),
    ]
    return [
        {"name": SD_UPSCALE, "is_alwayson": False, "is_img2img": True, "args": upscale},
        {
            "name": SOFT, "is_alwayson": True, "is_img2img": True,
            "args": [_argument("Soft inpainting", False)],
        },
    ]  # fmt: skip


def _argument(
    label: str, value: Any, minimum: Any = None, maximum: Any = None, step: Any = None
) -> dict[str, Any]:
    return {
        "label": label, "value": value, "minimum": minimum, "maximum": maximum, "step": step,
        "choices": None,
    }  # fmt: skip
