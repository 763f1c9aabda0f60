"""What A1111 calls models: a title, "file.safetensors [0123456789]"; a VAE by its file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from studio.errors import InvalidRequest
from studio.models.addons.listing import AUTOMATIC, OWN_VAE
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.sentences import say
from studio.wordbook.styles import Styles

_HASH_BEHIND = re.compile(r"^(?P<name>.*?)\s*\[(?P<hash>[0-9a-fA-F]{8,64})\]$")
_ENDINGS = (".safetensors", ".ckpt", ".sft", ".pt")
VAES = {"Automatic": AUTOMATIC, "None": OWN_VAE}


def filename(info: ModelInfo) -> str:
    """The model's name with its file's ending; of a folder, the name alone."""
    return info.name + (info.path.suffix if info.layout == "file" else "")


def title(info: ModelInfo) -> str:
    """The name that A1111 chooses a checkpoint by; without the hash until that is known."""
    return f"{filename(info)} [{info.short_hash}]" if info.short_hash else filename(info)


def without_ending(name: str) -> str:
    """A file's name without the ending of a model's file."""
    ending = next((each for each in _ENDINGS if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)]


def checkpoint_named(catalog: Catalog, given: str, field: str = "model") -> ModelInfo:
    """The checkpoint with this title, name, file or hash. Raises InvalidRequest for ``field``."""
    parts = _HASH_BEHIND.match(given)
    name, its_hash = (parts["name"], parts["hash"]) if parts else (given, given)
    info = catalog.match(without_ending(name), its_hash)
    return info or catalog.find(given, field=field)


def vae_named(given: str) -> str:
    """Our name of a VAE; whether it is there is found out with the request."""
    return VAES.get(given, without_ending(given))


def vae_told(name: str) -> str:
    """A1111's name of a VAE."""
    return {ours: theirs for theirs, ours in VAES.items()}.get(name, name)


def styles_named(styles: Styles, given: Sequence[str]) -> tuple[str, ...]:
    """The ids of styles by their names (or ids). Raises InvalidRequest for one that is not there.

    "None" is none, as in A1111.
    """
    known = {each.style.id: each.style.id for each in styles.list()}
    known |= {each.style.name: each.style.id for each in reversed(styles.list())}
    for name in given:
        if name not in known and name != "None":
            sentence = say("There is no style “{style}”: choose it again, or not.", style=name[:60])
            raise InvalidRequest.of("styles", sentence)
    return tuple(known[name] for name in given if name != "None")
