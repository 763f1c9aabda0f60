"""The kinds of models the studio can run: one row a family.

Their modules are imported when they are called for: they import diffusers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from studio.models.base import Family


def _sd1() -> Family:
    from studio.models.sd1 import StableDiffusion1

    return StableDiffusion1()


def _sd2() -> Family:
    from studio.models.sd2 import StableDiffusion2

    return StableDiffusion2()


def _sdxl() -> Family:
    from studio.models.sdxl import StableDiffusionXL

    return StableDiffusionXL()


def _sdxl_refiner() -> Family:
    from studio.models.sdxl_refiner import StableDiffusionXLRefiner

    return StableDiffusionXLRefiner()


FAMILIES: Mapping[str, Callable[[], Family]] = {
    "sd1": _sd1,
    "sd2": _sd2,
    "sdxl": _sdxl,
    "sdxl_refiner": _sdxl_refiner,
}
