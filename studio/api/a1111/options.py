"""/sdapi/v1/options: what holds for every request of a program that does not say otherwise.

Each is a small file that is read anew each time: they survive a restart, are never stale, and two
programs that set two of them at once do not undo each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from studio.api.a1111 import names
from studio.api.foreign import Refused
from studio.bootstrap import Studio
from studio.errors import InvalidRequest
from studio.models.base import ModelInfo
from studio.sentences import say
from studio.storage import write_whole

CHECKPOINT, CHECKPOINT_HASH = "sd_model_checkpoint", "sd_checkpoint_hash"
FORMAT, QUALITY = "samples_format", "jpeg_quality"
_FOLDER = "a1111-options"


@dataclass(frozen=True)
class Option:
    """An option that can be set, and the field of a request that it stands for, if it does."""

    name: str
    usual: Any
    known: tuple[Any, ...] = ()
    bounds: tuple[int, int] | None = None
    ours: str = ""
    into: Callable[[Any], Any] = lambda value: value

    def checked(self, value: Any) -> Any:
        """The value when it is possible; Refused with one sentence otherwise."""
        kind = type(self.usual)
        try:
            value = TypeAdapter(kind).validate_python(value)
        except ValidationError:
            value = None
        if self.bounds and value is not None and not self.bounds[0] <= value <= self.bounds[1]:
            value = None
        if value is None or (self.known and value not in self.known):
            allowed = self.known or (self.bounds and (f"{self.bounds[0]}–{self.bounds[1]}",))
            raise Refused(
                422,
                say("“{name}” must be one of: {known}.", name=self.name, known=_words(allowed))
                if allowed
                else say("“{name}” must be text.", name=self.name),
            )
        return value


OPTIONS = (
    Option("sd_vae", "Automatic", ours="vae", into=names.vae_named),
    Option("CLIP_stop_at_last_layers", 1, bounds=(1, 12), ours="clip_skip"),
    Option(
        "emphasis", "Original", ("Original", "No norm"),
        ours="normalize_emphasis", into=lambda said: said == "Original",
    ),
    Option(FORMAT, "png", ("png", "jpg", "jpeg", "webp")),
    Option(QUALITY, 92, bounds=(1, 100)),
)  # fmt: skip
FIXED: Mapping[str, Any] = {
    "samples_save": True,
    "grid_save": False,
    "return_grid": False,
    "enable_pnginfo": True,
    "live_previews_enable": True,
    "randn_source": "CPU",
    "eta_noise_seed_delta": 0,
    "img2img_fix_steps": False,
    "token_merging_ratio": 0,
    "api_enable_requests": False,
    "face_restoration_model": None,
    "sd_unet": "None",
}
"""What cannot be otherwise here: it may be set to what it is."""


def options(studio: Studio) -> dict[str, Any]:
    """Every option as it is now."""
    kept = _kept(studio)
    model = checkpoint(studio, kept)
    settable = {each.name: kept.get(each.name, each.usual) for each in OPTIONS}
    return {
        CHECKPOINT: names.title(model),
        CHECKPOINT_HASH: model.sha256,
        **settable,
        **FIXED,
    }


def checkpoint(studio: Studio, kept: Mapping[str, Any]) -> ModelInfo:
    """The checkpoint that requests are drawn with: the one set here, else the studio's."""
    chosen = kept.get(CHECKPOINT)
    if isinstance(chosen, str):
        with suppress(InvalidRequest):  # it may have been removed meanwhile
            return names.checkpoint_named(studio.catalog, chosen)
    return studio.catalog.find(studio.keeper.default)


def checked(studio: Studio, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that ``given`` sets. Raises Refused with one sentence; then none is set."""
    known = {each.name: each for each in OPTIONS}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name == CHECKPOINT:
            values[name] = _checkpoint_title(studio, value)
        elif name in known:
            values[name] = known[name].checked(value)
        elif name in FIXED and value != FIXED[name]:
            fixed = _words((FIXED[name],))
            raise Refused(422, say("“{name}” must be one of: {known}.", name=name, known=fixed))
        elif name not in FIXED and name != CHECKPOINT_HASH:
            sentence = say(
                "There is no option “{name}” here; GET /sdapi/v1/options lists what there is.",
                name=name[:60],
            )
            raise Refused(422, sentence)
    return values


def keep(studio: Studio, values: Mapping[str, Any]) -> None:
    """Set options for good. Raises StorageError."""
    folder = studio.settings.data_dir / _FOLDER
    for name, value in values.items():
        write_whole(folder / f"{name}.json", json.dumps(value, ensure_ascii=False).encode())


def standing(studio: Studio, override: Mapping[str, Any]) -> dict[str, Any]:
    """The options that hold for a request with ``override_settings``, the model among them."""
    now = options(studio)
    return {**now, **checked(studio, override)}


def as_fields(now: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request that options stand for, beside its model."""
    return {each.ours: each.into(now[each.name]) for each in OPTIONS if each.ours}


def _checkpoint_title(studio: Studio, given: Any) -> str:
    try:
        return names.title(names.checkpoint_named(studio.catalog, str(given)))
    except InvalidRequest as error:
        raise Refused(500, error.sentence) from None  # as A1111's RuntimeError


def _kept(studio: Studio) -> dict[str, Any]:
    """The options that were set; a file that cannot be read is as one that is not there."""
    kept: dict[str, Any] = {}
    for name in (CHECKPOINT, *(each.name for each in OPTIONS)):
        path = studio.settings.data_dir / _FOLDER / f"{name}.json"
        with suppress(OSError, ValueError):
            kept[name] = json.loads(path.read_text("utf-8"))
    return kept


def _words(values: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(json.dumps(each, ensure_ascii=False).strip('"') for each in values)
