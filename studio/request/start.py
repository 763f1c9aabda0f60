"""What a picture starts from: another picture, of which a mask may keep a part."""

from __future__ import annotations

from pydantic import Field

from studio.request.bounds import (
    MAX_OUTPAINT,
    InpaintArea,
    Kept,
    MaskedContent,
    ResizeMode,
    infotext,
)
from studio.request.sampling import Sampling


class Start(Sampling):
    """Image to image, inpainting and outpainting; all of it off without ``init_image``."""

    init_image: Kept = Field(
        "",
        title="Start picture",
        description="The picture to start from: its file in base64, or the id of a picture here.",
        json_schema_extra=infotext("Init image", unless=""),
    )
    mask_image: Kept = Field(
        "",
        title="Mask",
        description="What of the start picture is drawn anew: white is, black stays as it is.",
        json_schema_extra=infotext("Mask", unless="", only_with="init_image"),
    )
    strength: float = Field(
        0.75,
        ge=0.0,
        le=1.0,
        title="Denoising strength",
        description="How far the result may leave the start picture; that share of the steps runs.",
        json_schema_extra=infotext("Denoising strength", only_with="init_image"),
    )
    resize_mode: ResizeMode = Field(
        "keep",
        title="Resize mode",
        description="Keep the start picture's size, or bring it to Width and Height: stretch, "
        "crop, fill up the sides, or stretch its latents.",
        json_schema_extra=infotext("Resize mode", unless="keep", only_with="init_image"),
    )
    mask_blur: int = Field(
        4,
        ge=0,
        le=64,
        title="Mask blur",
        description="How soft the mask's edge is, in pixels.",
        json_schema_extra=infotext("Mask blur", only_with="mask_image"),
    )
    inpaint_area: InpaintArea = Field(
        "whole",
        title="Inpaint area",
        description="Whether the model sees the whole picture, or only what is masked, enlarged.",
        json_schema_extra=infotext("Inpaint area", unless="whole", only_with="mask_image"),
    )
    inpaint_padding: int = Field(
        32,
        ge=0,
        le=256,
        title="Masked area padding",
        description="Pixels around the mask that the model sees when only that area is drawn.",
        json_schema_extra=infotext("Masked area padding", unless=32, only_with="mask_image"),
    )
    masked_content: MaskedContent = Field(
        "original",
        title="Masked content",
        description="What the masked part starts from: itself, the colours around it, noise or "
        "nothing.",
        json_schema_extra=infotext("Masked content", unless="original", only_with="mask_image"),
    )
    soft_inpainting: bool = Field(
        False,
        title="Soft inpainting",
        description="Grey parts of the mask change a little, white ones fully; needs a soft mask.",
        json_schema_extra=infotext("Soft inpainting enabled", unless=False, only_with="mask_image"),
    )
    colour_match: bool = Field(
        False,
        title="Colour match",
        description="Bring the result back to the start picture's colours, by what stays of it.",
        json_schema_extra=infotext("Colour match", unless=False, only_with="init_image"),
    )
    outpaint_left: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint left",
        description="Pixels that are drawn to the left of the start picture, going on from it.",
        json_schema_extra=infotext("Outpaint left", unless=0, only_with="init_image"),
    )
    outpaint_top: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint top",
        description="Pixels that are drawn above the start picture, going on from it.",
        json_schema_extra=infotext("Outpaint top", unless=0, only_with="init_image"),
    )
    outpaint_right: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint right",
        description="Pixels that are drawn to the right of the start picture, going on from it.",
        json_schema_extra=infotext("Outpaint right", unless=0, only_with="init_image"),
    )
    outpaint_bottom: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint bottom",
        description="Pixels that are drawn below the start picture, going on from it.",
        json_schema_extra=infotext("Outpaint bottom", unless=0, only_with="init_image"),
    )

    @property
    def outpaint(self) -> tuple[int, int, int, int]:
        """Pixels that are added on the left, at the top, on the right and at the bottom."""
        return self.outpaint_left, self.outpaint_top, self.outpaint_right, self.outpaint_bottom

    @property
    def steps_run(self) -> int:
        """How many of the steps are run: the share ``strength`` of them with a start picture.

        Rounded down as in A1111 and diffusers, but one at least unless the strength is 0.
        """
        if not self.init_image:
            return self.num_inference_steps
        return max(int(self.num_inference_steps * self.strength), int(self.strength > 0))
