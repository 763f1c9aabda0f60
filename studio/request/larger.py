"""How a picture becomes larger than the model draws it, or goes on at its other side."""

from __future__ import annotations

from pydantic import Field

from studio.request.bounds import (
    MAX_MODEL,
    MAX_NAME,
    MAX_PROMPT,
    MAX_SCALE,
    MAX_SIDE,
    Text,
    Tiling,
    infotext,
)
from studio.request.start import Start


class Larger(Start):
    """Tiled upscale of a start picture, hires fix of a drawn one, and seamless tiling."""

    upscale_scale: float = Field(
        1.0,
        ge=1.0,
        le=MAX_SCALE,
        title="Upscale by",
        description="How much larger the start picture is made before it is refined; 1 is off.",
        json_schema_extra=infotext("SD upscale by", unless=1, only_with="init_image"),
    )
    upscaler: Text = Field(
        "lanczos",
        min_length=1,
        max_length=MAX_MODEL,
        title="Upscaler",
        description="What enlarges the start picture: lanczos, nearest, or an upscaler's file.",
        json_schema_extra=infotext("SD upscale upscaler", only_with="upscales"),
    )
    tile_size: int = Field(
        0,
        ge=0,
        le=MAX_SIDE,
        multiple_of=8,
        title="Tile size",
        description="Draw in overlapping tiles of this side, in the memory of one; 0 is whole.",
        json_schema_extra=infotext("Tile size", unless=0),
    )
    tile_overlap: int = Field(
        64,
        ge=0,
        le=512,
        multiple_of=8,
        title="Tile overlap",
        description="Pixels over which one tile fades into the next; at most half a tile.",
        json_schema_extra=infotext("Tile overlap", only_with="tile_size"),
    )
    tiling: Tiling = Field(
        "none",
        title="Seamless",
        description="Whether the picture goes on at its other side: across (x), down (y) or both.",
        json_schema_extra=infotext("Tiling", unless="none"),
    )
    hires_scale: float = Field(
        1.0,
        ge=1.0,
        le=4.0,
        title="Hires scale",
        description="Draw at Width × Height, then enlarge so much and refine; 1 is off. "
        "For pictures without a start picture.",
        json_schema_extra=infotext("Hires upscale", unless=1, only_with="hires"),
    )
    hires_width: int = Field(
        0,
        ge=0,
        le=4096,
        multiple_of=8,
        title="Hires width",
        description="The exact width after enlarging, in place of Hires scale; 0 follows.",
        json_schema_extra=infotext("Hires resize", unless=0, only_with="hires"),
    )
    hires_height: int = Field(
        0,
        ge=0,
        le=4096,
        multiple_of=8,
        title="Hires height",
        description="The exact height after enlarging, in place of Hires scale; 0 follows.",
        json_schema_extra=infotext("Hires resize", unless=0, only_with="hires"),
    )
    hires_upscaler: Text = Field(
        "lanczos",
        min_length=1,
        max_length=MAX_MODEL,
        title="Hires upscaler",
        description="What enlarges: the latents (latent), the picture (lanczos), or a file.",
        json_schema_extra=infotext("Hires upscaler", only_with="hires"),
    )
    hires_steps: int = Field(
        0,
        ge=0,
        le=150,
        title="Hires steps",
        description="Steps that refine the enlarged picture; 0 takes as many as Steps.",
        json_schema_extra=infotext("Hires steps", unless=0, only_with="hires"),
    )
    hires_strength: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        title="Hires strength",
        description="How far refining may leave what was enlarged; latents need 0.6 or more.",
        json_schema_extra=infotext("Denoising strength", only_with="hires"),
    )
    hires_sampler: Text = Field(
        "",
        max_length=MAX_NAME,
        title="Hires sampler",
        description="The sampler that refines; empty for the same.",
        json_schema_extra=infotext("Hires sampler", unless="", only_with="hires"),
    )
    hires_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Hires prompt",
        description="What the enlarged picture shows; empty for the same prompt.",
        json_schema_extra=infotext("Hires prompt", unless="", only_with="hires"),
    )
    hires_negative_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Hires negative prompt",
        description="What the enlarged picture keeps away from; empty for the same.",
        json_schema_extra=infotext("Hires negative prompt", unless="", only_with="hires"),
    )

    @property
    def hires(self) -> bool:
        """Whether the picture is drawn small, enlarged and refined."""
        larger = self.hires_scale > 1 or self.hires_width or self.hires_height
        return bool(larger) and not self.init_image

    @property
    def hires_size(self) -> tuple[int, int]:
        """Width and height of the refined picture; of one side given the other follows."""
        width, height = self.hires_width, self.hires_height
        if not width and not height:
            return round(self.width * self.hires_scale), round(self.height * self.hires_scale)
        return (
            width or round(self.width * height / self.height),
            height or round(self.height * width / self.width),
        )

    @property
    def upscales(self) -> bool:
        """Whether the start picture is enlarged before it is refined."""
        return bool(self.init_image) and self.upscale_scale > 1

    @property
    def around(self) -> tuple[bool, bool]:
        """Whether the picture goes on at its other side, across and down."""
        return self.tiling in ("x", "both"), self.tiling in ("y", "both")
