"""Whether what a request asks for to become larger can be had. No torch here."""

from __future__ import annotations

from collections.abc import Iterator

from studio.errors import FieldProblem, InvalidRequest
from studio.models.addons.listing import Catalog, find_addon
from studio.models.base import ModelInfo
from studio.request import LEAST_TILE, MAX_RESULT, GenerationRequest, label_of
from studio.samplers import find_sampler
from studio.sentences import say
from studio.upscaling import LATENT, PIXEL


def check_larger(catalog: Catalog, request: GenerationRequest, model: ModelInfo) -> None:
    """Raise InvalidRequest with a sentence for each field that cannot be had."""
    if problems := [*_problems(catalog, request, model)]:
        raise InvalidRequest(tuple(problems))


def too_large(field: str, size: tuple[int, int]) -> InvalidRequest:
    """The refusal of a size that is more than can be made."""
    return InvalidRequest.of(
        field,
        say(
            "{label}: the picture would be {width} × {height}, and a side may have at most {most}.",
            label=label_of(field), width=size[0], height=size[1], most=MAX_RESULT,
        ),
    )  # fmt: skip


def _problems(
    catalog: Catalog, request: GenerationRequest, model: ModelInfo
) -> Iterator[FieldProblem]:
    if 0 < request.tile_size < LEAST_TILE:
        sentence = say("Tile size must be 0 (off) or at least {least}.", least=LEAST_TILE)
        yield FieldProblem("tile_size", sentence)
    if request.upscales:
        yield from _about_way(catalog, request.upscaler, "upscaler", model)
    if not request.hires:
        return
    field = "hires_width" if request.hires_width or request.hires_height else "hires_scale"
    if max(request.hires_size) > MAX_RESULT:
        yield from too_large(field, request.hires_size).problems
    yield from _about_way(catalog, request.hires_upscaler, "hires_upscaler", model)
    if request.hires_sampler:
        try:
            find_sampler(request.hires_sampler)
        except InvalidRequest as error:
            yield FieldProblem("hires_sampler", error.sentence)


def _about_way(catalog: Catalog, way: str, field: str, model: ModelInfo) -> Iterator[FieldProblem]:
    """What is wrong with the name of a way to enlarge."""
    if way in PIXEL or (way in LATENT and field == "hires_upscaler"):
        return
    if way in LATENT:
        sentence = say(
            "“{name}” enlarges what a model is drawing; for a picture choose {known} or a file.",
            name=way, known=tuple(PIXEL),
        )  # fmt: skip
        yield FieldProblem(field, sentence)
        return
    try:
        find_addon(catalog, "upscaler", way, field, model)
    except InvalidRequest as error:
        yield from error.problems
