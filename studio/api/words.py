"""/api/v1/styles, /presets and /wildcards: the words that the studio keeps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from studio.api.inputs import Body, TheStudio, content, json_body
from studio.bootstrap import Studio
from studio.errors import InvalidRequest
from studio.sentences import say
from studio.sides import request_schema
from studio.wordbook.presets import Preset
from studio.wordbook.styles import ListedStyle

router = APIRouter(prefix="/api/v1", tags=["words"])


class StyleAnswer(BaseModel):
    """A style. ``own``: not one that ships. ``thumbnail``: the address of a small picture.

    ``prompt`` and ``negative_prompt`` may hold the slot ``{prompt}``; ``pocket`` names the nearest
    style that the bundled model knows.
    """

    id: str
    name: str
    name_zh: str
    group: str
    prompt: str
    negative_prompt: str
    pocket: str
    own: bool
    thumbnail: str | None

    @classmethod
    def of(cls, listed: ListedStyle, studio: Studio) -> StyleAnswer:
        """The answer for a style."""
        file = f"styles/{listed.style.id}.webp"
        there = (studio.settings.assets / file).is_file()
        picture = f"/studio/{file}" if there else None
        return cls(**vars(listed.style), own=listed.own, thumbnail=picture)


class PresetAnswer(BaseModel):
    """Some of a request's fields under a name."""

    id: str
    name: str
    values: dict[str, Any]

    @classmethod
    def of(cls, preset: Preset) -> PresetAnswer:
        """The answer for a preset."""
        return cls(id=preset.id, name=preset.name, values=dict(preset.values))


class WildcardAnswer(BaseModel):
    """A wildcard's name, as it stands between two underscores on each side, and its choices."""

    name: str
    lines: list[str]


class WildcardsAnswer(BaseModel):
    """All wildcards, and the folder in which own ones are put."""

    folder: str
    wildcards: list[WildcardAnswer]


class OwnStyle(BaseModel):
    """What an own style is made of."""

    name: str = Field(max_length=100, description="What it is called.")
    prompt: str = Field("", description="Wording with the slot {prompt}; without it, it follows.")
    negative_prompt: str = Field("", description="The same for the negative prompt.")


class OwnPreset(BaseModel):
    """What a preset is made of."""

    name: str = Field(max_length=100, description="What it is called.")
    values: dict[str, Any] = Field(description="Fields of a request; what is left out stays.")


class StyleFile(BaseModel):
    """A file with styles."""

    text: str = Field(description="A1111's styles.csv or Fooocus-type JSON.")


@router.get("/styles", summary="Every style: one's own first, then those that ship")
def styles(studio: TheStudio) -> list[StyleAnswer]:
    """An own style with the id of one that ships stands in its place."""
    return [StyleAnswer.of(each, studio) for each in studio.wordbook.styles.list()]


@router.get(
    "/styles/export",
    summary="One's own styles as a file",
    response_class=Response,
    responses=content("text/csv"),
)
def export_styles(studio: TheStudio, form: Literal["csv", "json"] = "csv") -> Response:
    """A1111's ``styles.csv``, or a JSON list as Fooocus keeps it."""
    kind = "text/csv" if form == "csv" else "application/json"
    named = {"content-disposition": f'attachment; filename="styles.{form}"'}
    text = studio.wordbook.styles.export(form)
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=named)


@router.post(
    "/styles/import",
    summary="Keep the styles of an A1111 or Fooocus file",
    openapi_extra=json_body(StyleFile.model_json_schema()),
)
def import_styles(studio: TheStudio, values: Body) -> list[StyleAnswer]:
    """What was kept. An own style of the same name is replaced, one that ships never is."""
    text = values.get("text")
    if not isinstance(text, str):
        raise InvalidRequest.of("text", say("The body needs “text”: what is in the file."))
    return [StyleAnswer.of(each, studio) for each in studio.wordbook.styles.take_in(text)]


@router.put(
    "/styles/{style_id}",
    summary="Keep an own style under an id",
    openapi_extra=json_body(OwnStyle.model_json_schema()),
)
def put_style(studio: TheStudio, style_id: str, values: Body) -> StyleAnswer:
    """New, changed, or in place of one that ships."""
    return StyleAnswer.of(studio.wordbook.styles.put(style_id, values), studio)


@router.delete("/styles/{style_id}", status_code=204, summary="Delete an own style")
def delete_style(studio: TheStudio, style_id: str) -> None:
    """One that ships and stood behind it is there again."""
    studio.wordbook.styles.remove(style_id)


@router.get("/presets", summary="Every preset")
def presets(studio: TheStudio) -> list[PresetAnswer]:
    """In the order in which they were first kept."""
    return [PresetAnswer.of(preset) for preset in studio.wordbook.presets.list()]


_preset_schema = OwnPreset.model_json_schema()
_preset_schema["properties"]["values"] = request_schema()


@router.put(
    "/presets/{preset_id}",
    summary="Keep a part of a request under an id",
    openapi_extra=json_body(_preset_schema),
)
def put_preset(studio: TheStudio, preset_id: str, values: Body) -> PresetAnswer:
    """Each value is checked as a job's would be."""
    given = values.get("values")
    if not isinstance(given, dict):
        raise InvalidRequest.of(
            "values", say("A preset needs “values”: fields of a request by name.")
        )
    return PresetAnswer.of(studio.wordbook.presets.put(preset_id, values.get("name"), given))


@router.delete("/presets/{preset_id}", status_code=204, summary="Delete a preset")
def delete_preset(studio: TheStudio, preset_id: str) -> None:
    """For good."""
    studio.wordbook.presets.remove(preset_id)


@router.get("/wildcards", summary="Every wildcard and what can be drawn from it")
def wildcards(
    studio: TheStudio, limit: Annotated[int, Query(ge=1, le=20_000)] = 200
) -> WildcardsAnswer:
    """At most ``limit`` lines of each. New files are there at once."""
    return WildcardsAnswer(
        folder=str(studio.settings.wildcards),
        wildcards=[
            WildcardAnswer(name=name, lines=list(lines[:limit]))
            for name, lines in studio.wordbook.wildcards.now().items()
        ],
    )
