"""Ways to enlarge that need no file: their names, A1111's labels, what they do. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class LatentWay(NamedTuple):
    """How latents are enlarged: what A1111 calls it, and torch's ``interpolate`` options."""

    label: str
    mode: str
    antialias: bool = False


LATENT: Mapping[str, LatentWay] = MappingProxyType(
    {
        "latent": LatentWay("Latent", "bilinear"),
        "latent_bicubic": LatentWay("Latent (bicubic)", "bicubic"),
        "latent_bicubic_antialiased": LatentWay("Latent (bicubic antialiased)", "bicubic", True),
        "latent_nearest": LatentWay("Latent (nearest)", "nearest"),
        "latent_nearest_exact": LatentWay("Latent (nearest-exact)", "nearest-exact"),
    }
)
PIXEL: Mapping[str, str] = MappingProxyType({"lanczos": "Lanczos", "nearest": "Nearest"})
"""Name -> A1111's label of the ways to enlarge a picture."""

# Of "Latent (antialiased)" there is no more than of "Latent" when a picture grows; A1111's "None"
# leaves the work to Lanczos.
_ALSO = {"Latent (antialiased)": "latent", "None": "lanczos"}


def label_of_upscaler(name: str) -> str:
    """What A1111 writes for a way to enlarge; a file's name stands for itself."""
    return LATENT[name].label if name in LATENT else PIXEL.get(name, name)


def upscaler_labelled(label: str) -> str:
    """The name for what A1111 writes; of a file, the name as it stands."""
    labels = {way.label: name for name, way in LATENT.items()}
    labels |= {said: name for name, said in PIXEL.items()} | _ALSO
    return labels.get(label, label)
