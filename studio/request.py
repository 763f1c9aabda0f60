"""GenerationRequest: all that is needed to make a picture again. The only list of fields.

The page's controls, the API's body, the infotext and the tests follow from it: a field's bounds,
label, help and infotext key are written here and nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from studio.sentences import Sentence

MAX_PROMPT = 10_000
MAX_SIDE = 2048
MAX_SEED = 2**32 - 1
MAX_NAME = 100
MAX_MODEL = 500
MAX_PICTURES = 64
MAX_STYLES = 20
MAX_OUTPAINT = 1024
MAX_RESULT = 8192
"""The longest side, in pixels, of what is made larger."""
MAX_SCALE = 8
LEAST_TILE = 64


def _infotext(
    key: str, unless: str | int | tuple[()] | None = None, only_with: str | None = None
) -> dict[str, Any]:
    """The key under which the field stands in a picture's parameters, as A1111 writes it.

    ``unless``: the usual value, which is not written. ``only_with``: another field, without which
    this one means nothing and is not written.
    """
    return {"infotext": key, "unless": unless, "only_with": only_with}


def _writable(text: str) -> str:
    """``text``, when every file and database can hold it."""
    if "\0" in text:
        raise ValueError("null")
    return text


Text = Annotated[str, AfterValidator(_writable)]
Texts = Annotated[tuple[Text, ...], Field(max_length=MAX_PICTURES)]
Names = Annotated[
    tuple[Annotated[Text, Field(min_length=1, max_length=MAX_NAME)], ...],
    Field(max_length=MAX_STYLES),
]

Kept = Annotated[Text, Field(pattern=r"^([0-9a-f]{64})?$")]
"""The SHA-256 of a picture that is kept beside the recipes (`studio.sources`); empty for none."""

ResizeMode = Literal["keep", "stretch", "crop", "fill", "latent"]
Tiling = Literal["none", "x", "y", "both"]
InpaintArea = Literal["whole", "masked"]
MaskedContent = Literal["original", "fill", "noise", "nothing"]

RESOLVED: dict[str, Any] = {"resolved": True}
"""Marks what the studio finds out when a request is handed in; nobody gives it."""


class GenerationRequest(BaseModel):
    """A complete recipe: the same request makes the same pictures, on any device type.

    Picture ``k`` of ``num_images`` is drawn with ``seed + k`` and does not depend on the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=False)

    prompt: Text = Field(
        "", max_length=MAX_PROMPT, title="Prompt", description="What the picture shows."
    )
    negative_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Negative prompt",
        description="What the picture should keep away from.",
        json_schema_extra=_infotext("Negative prompt"),
    )
    styles: Names = Field(
        (),
        title="Styles",
        description="Wordings that are put around both prompts, in their order.",
        json_schema_extra=_infotext("Styles", unless=()),
    )
    template: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Template",
        description="The prompt as it was written, before wildcards were drawn and styles added.",
        json_schema_extra=_infotext("Template", unless=""),
    )
    template_styles: Names = Field(
        (),
        title="Template's styles",
        description="The styles that are in the prompt already.",
        json_schema_extra=_infotext("Template styles", unless=()),
    )
    normalize_emphasis: bool = Field(
        True,
        title="Emphasis keeps the mean",
        description="Whether weighted words leave the prompt's mean as it was; off is “no norm”.",
        json_schema_extra=_infotext("Emphasis", unless=True),
    )
    model: Text = Field(
        "pocket",
        min_length=1,
        max_length=MAX_MODEL,
        title="Model",
        description="The model that paints.",
        json_schema_extra=_infotext("Model"),
    )
    sampler: Text = Field(
        "dpmpp_2m",
        max_length=MAX_NAME,
        title="Sampler",
        description="How noise is turned into a picture, step by step.",
        json_schema_extra=_infotext("Sampler"),
    )
    sigma_schedule: Text = Field(
        "automatic",
        max_length=MAX_NAME,
        title="Sigma schedule",
        description="How the noise levels are spread over the steps.",
        json_schema_extra=_infotext("Schedule type"),
    )
    num_inference_steps: int = Field(
        20,
        ge=1,
        le=150,
        title="Steps",
        description="More steps take longer and add detail, up to a point.",
        json_schema_extra=_infotext("Steps"),
    )
    guidance_scale: float = Field(
        7.0,
        ge=1.0,
        le=30.0,
        title="CFG scale",
        description="How closely the picture follows the prompt; 1 switches guidance off.",
        json_schema_extra=_infotext("CFG scale"),
    )
    guidance_rescale: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        title="CFG rescale",
        description="How far a high CFG scale's glaring contrast is brought back.",
        json_schema_extra=_infotext("CFG rescale", unless=0),
    )
    guidance_start: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        title="Guidance from",
        description="The share of the steps before which the CFG scale does not hold yet.",
        json_schema_extra=_infotext("Skip Early CFG", unless=0),
    )
    guidance_end: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        title="Guidance until",
        description="The share of the steps after which the CFG scale does not hold any more.",
        json_schema_extra=_infotext("CFG end", unless=1),
    )
    clip_guidance_scale: float = Field(
        0.0,
        ge=0.0,
        le=10.0,
        title="CLIP guidance",
        description="How strongly CLIP pulls every step towards the prompt; the road before CFG.",
        json_schema_extra=_infotext("CLIP guidance scale", unless=0),
    )
    width: int = Field(
        512,
        ge=64,
        le=MAX_SIDE,
        multiple_of=8,
        title="Width",
        description="In pixels, a multiple of 8.",
        json_schema_extra=_infotext("Size"),
    )
    height: int = Field(
        512,
        ge=64,
        le=MAX_SIDE,
        multiple_of=8,
        title="Height",
        description="In pixels, a multiple of 8.",
        json_schema_extra=_infotext("Size"),
    )
    seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        title="Seed",
        description="The number the noise is drawn from; the same seed, the same picture.",
        json_schema_extra=_infotext("Seed"),
    )
    variation_seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        title="Variation seed",
        description="The noise that is mixed into the seed's own; -1 is a new one each time.",
        json_schema_extra=_infotext("Variation seed", only_with="variation_strength"),
    )
    variation_strength: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        title="Variation strength",
        description="How much of the variation's noise; 0 is none, 1 nothing else.",
        json_schema_extra=_infotext("Variation seed strength", unless=0),
    )
    seed_resize_width: int = Field(
        0,
        ge=0,
        le=MAX_SIDE,
        multiple_of=8,
        title="Seed from width",
        description="The width of a picture whose composition is kept at this size; 0 is off.",
        json_schema_extra=_infotext("Seed resize from", only_with="seed_resize_width"),
    )
    seed_resize_height: int = Field(
        0,
        ge=0,
        le=MAX_SIDE,
        multiple_of=8,
        title="Seed from height",
        description="The height of a picture whose composition is kept at this size; 0 is off.",
        json_schema_extra=_infotext("Seed resize from", only_with="seed_resize_height"),
    )
    clip_skip: int = Field(
        1,
        ge=1,
        le=12,
        title="CLIP skip",
        description="Which of the text encoder's layers is heard, from the last; 1 is usual.",
        json_schema_extra=_infotext("Clip skip", unless=1),
    )
    vae: Text = Field(
        "automatic",
        max_length=MAX_MODEL,
        title="VAE",
        description="What turns latents into pixels: the model's own, or another that fits it.",
        json_schema_extra=_infotext("VAE", unless="automatic"),
    )
    refiner: Text = Field(
        "",
        max_length=MAX_MODEL,
        title="Refiner",
        description="A second model that paints the last steps; empty for none.",
        json_schema_extra=_infotext("Refiner", only_with="refiner"),
    )
    refiner_switch_at: float = Field(
        0.8,
        ge=0.0,
        le=1.0,
        title="Refiner from",
        description="The share of the steps after which the refiner takes over.",
        json_schema_extra=_infotext("Refiner switch at", only_with="refiner"),
    )
    init_image: Kept = Field(
        "",
        title="Start picture",
        description="The picture to start from: its file in base64, or the id of a picture here.",
        json_schema_extra=_infotext("Init image", unless=""),
    )
    mask_image: Kept = Field(
        "",
        title="Mask",
        description="What of the start picture is drawn anew: white is, black stays as it is.",
        json_schema_extra=_infotext("Mask", unless="", only_with="init_image"),
    )
    strength: float = Field(
        0.75,
        ge=0.0,
        le=1.0,
        title="Denoising strength",
        description="How far the result may leave the start picture; that share of the steps runs.",
        json_schema_extra=_infotext("Denoising strength", only_with="init_image"),
    )
    resize_mode: ResizeMode = Field(
        "keep",
        title="Resize mode",
        description="Keep the start picture's size, or bring it to Width and Height: stretch, "
        "crop, fill up the sides, or stretch its latents.",
        json_schema_extra=_infotext("Resize mode", unless="keep", only_with="init_image"),
    )
    mask_blur: int = Field(
        4,
        ge=0,
        le=64,
        title="Mask blur",
        description="How soft the mask's edge is, in pixels.",
        json_schema_extra=_infotext("Mask blur", only_with="mask_image"),
    )
    inpaint_area: InpaintArea = Field(
        "whole",
        title="Inpaint area",
        description="Whether the model sees the whole picture, or only what is masked, enlarged.",
        json_schema_extra=_infotext("Inpaint area", unless="whole", only_with="mask_image"),
    )
    inpaint_padding: int = Field(
        32,
        ge=0,
        le=256,
        title="Masked area padding",
        description="Pixels around the mask that the model sees when only that area is drawn.",
        json_schema_extra=_infotext("Masked area padding", unless=32, only_with="mask_image"),
    )
    masked_content: MaskedContent = Field(
        "original",
        title="Masked content",
        description="What the masked part starts from: itself, the colours around it, noise or "
        "nothing.",
        json_schema_extra=_infotext("Masked content", unless="original", only_with="mask_image"),
    )
    soft_inpainting: bool = Field(
        False,
        title="Soft inpainting",
        description="Grey parts of the mask change a little, white ones fully; needs a soft mask.",
        json_schema_extra=_infotext(
            "Soft inpainting enabled", unless=False, only_with="mask_image"
        ),
    )
    colour_match: bool = Field(
        False,
        title="Colour match",
        description="Bring the result back to the start picture's colours, by what stays of it.",
        json_schema_extra=_infotext("Colour match", unless=False, only_with="init_image"),
    )
    outpaint_left: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint left",
        description="Pixels that are drawn to the left of the start picture, going on from it.",
        json_schema_extra=_infotext("Outpaint left", unless=0, only_with="init_image"),
    )
    outpaint_top: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint top",
        description="Pixels that are drawn above the start picture, going on from it.",
        json_schema_extra=_infotext("Outpaint top", unless=0, only_with="init_image"),
    )
    outpaint_right: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint right",
        description="Pixels that are drawn to the right of the start picture, going on from it.",
        json_schema_extra=_infotext("Outpaint right", unless=0, only_with="init_image"),
    )
    outpaint_bottom: int = Field(
        0,
        ge=0,
        le=MAX_OUTPAINT,
        title="Outpaint bottom",
        description="Pixels that are drawn below the start picture, going on from it.",
        json_schema_extra=_infotext("Outpaint bottom", unless=0, only_with="init_image"),
    )
    upscale_scale: float = Field(
        1.0,
        ge=1.0,
        le=MAX_SCALE,
        title="Upscale by",
        description="How much larger the start picture is made before it is refined; 1 is off.",
        json_schema_extra=_infotext("SD upscale by", unless=1, only_with="init_image"),
    )
    upscaler: Text = Field(
        "lanczos",
        min_length=1,
        max_length=MAX_MODEL,
        title="Upscaler",
        description="What enlarges the start picture: lanczos, nearest, or an upscaler's file.",
        json_schema_extra=_infotext("SD upscale upscaler", only_with="upscales"),
    )
    tile_size: int = Field(
        0,
        ge=0,
        le=MAX_SIDE,
        multiple_of=8,
        title="Tile size",
        description="Draw in overlapping tiles of this side, in the memory of one; 0 is whole.",
        json_schema_extra=_infotext("Tile size", unless=0),
    )
    tile_overlap: int = Field(
        64,
        ge=0,
        le=512,
        multiple_of=8,
        title="Tile overlap",
        description="Pixels over which one tile fades into the next; at most half a tile.",
        json_schema_extra=_infotext("Tile overlap", only_with="tile_size"),
    )
    tiling: Tiling = Field(
        "none",
        title="Seamless",
        description="Whether the picture goes on at its other side: across (x), down (y) or both.",
        json_schema_extra=_infotext("Tiling", unless="none"),
    )
    hires_scale: float = Field(
        1.0,
        ge=1.0,
        le=4.0,
        title="Hires scale",
        description="Draw at Width × Height, then enlarge so much and refine; 1 is off. "
        "For pictures without a start picture.",
        json_schema_extra=_infotext("Hires upscale", unless=1, only_with="hires"),
    )
    hires_width: int = Field(
        0,
        ge=0,
        le=4096,
        multiple_of=8,
        title="Hires width",
        description="The exact width after enlarging, in place of Hires scale; 0 follows.",
        json_schema_extra=_infotext("Hires resize", unless=0, only_with="hires"),
    )
    hires_height: int = Field(
        0,
        ge=0,
        le=4096,
        multiple_of=8,
        title="Hires height",
        description="The exact height after enlarging, in place of Hires scale; 0 follows.",
        json_schema_extra=_infotext("Hires resize", unless=0, only_with="hires"),
    )
    hires_upscaler: Text = Field(
        "lanczos",
        min_length=1,
        max_length=MAX_MODEL,
        title="Hires upscaler",
        description="What enlarges: the latents (latent), the picture (lanczos), or a file.",
        json_schema_extra=_infotext("Hires upscaler", only_with="hires"),
    )
    hires_steps: int = Field(
        0,
        ge=0,
        le=150,
        title="Hires steps",
        description="Steps that refine the enlarged picture; 0 takes as many as Steps.",
        json_schema_extra=_infotext("Hires steps", unless=0, only_with="hires"),
    )
    hires_strength: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        title="Hires strength",
        description="How far refining may leave what was enlarged; latents need 0.6 or more.",
        json_schema_extra=_infotext("Denoising strength", only_with="hires"),
    )
    hires_sampler: Text = Field(
        "",
        max_length=MAX_NAME,
        title="Hires sampler",
        description="The sampler that refines; empty for the same.",
        json_schema_extra=_infotext("Hires sampler", unless="", only_with="hires"),
    )
    hires_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Hires prompt",
        description="What the enlarged picture shows; empty for the same prompt.",
        json_schema_extra=_infotext("Hires prompt", unless="", only_with="hires"),
    )
    hires_negative_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Hires negative prompt",
        description="What the enlarged picture keeps away from; empty for the same.",
        json_schema_extra=_infotext("Hires negative prompt", unless="", only_with="hires"),
    )
    num_images: int = Field(
        1,
        ge=1,
        le=MAX_PICTURES,
        title="Pictures",
        description="How many, with seeds counting up from Seed.",
    )
    batch_size: int = Field(
        1,
        ge=1,
        le=16,
        title="Batch size",
        description="How many are drawn together; it changes the speed, not the pictures.",
    )

    picture_prompts: Texts = Field(
        (),
        title="Pictures' prompts",
        description="What the prompt came to for every picture; empty where it stands as it is.",
        json_schema_extra=RESOLVED,
    )
    picture_negative_prompts: Texts = Field(
        (),
        title="Pictures' negative prompts",
        description="What the negative prompt came to for every picture.",
        json_schema_extra=RESOLVED,
    )

    @property
    def outpaint(self) -> tuple[int, int, int, int]:
        """Pixels that are added on the left, at the top, on the right and at the bottom."""
        return self.outpaint_left, self.outpaint_top, self.outpaint_right, self.outpaint_bottom

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

    @property
    def steps_run(self) -> int:
        """How many of the steps are run: the share ``strength`` of them with a start picture.

        Rounded down as in A1111 and diffusers, but one at least unless the strength is 0.
        """
        if not self.init_image:
            return self.num_inference_steps
        return max(int(self.num_inference_steps * self.strength), int(self.strength > 0))

    def one(self, index: int) -> GenerationRequest:
        """The recipe of picture ``index`` alone: what is written into its file.

        Its words are what the prompt came to for it, so that it does not depend on files of styles
        and wildcards that may change. As in A1111, a variation keeps the seed, and its variation
        seed counts up.
        """
        counted = "variation_seed" if self.variation_strength else "seed"
        changes: dict[str, Any] = {"num_images": 1, "batch_size": 1}
        changes[counted] = (getattr(self, counted) + index) % (MAX_SEED + 1)
        if self.picture_prompts:
            changes["prompt"], changes["negative_prompt"] = self.prompts_of(index)
            changes |= {"styles": (), "picture_prompts": (), "picture_negative_prompts": ()}
            changes |= {"template": self.prompt, "template_styles": self.styles}
        return self.model_copy(update=changes)

    def prompts_of(self, index: int) -> tuple[str, str]:
        """Prompt and negative prompt of picture ``index``."""
        if not self.picture_prompts:
            return self.prompt, self.negative_prompt
        return self.picture_prompts[index], self.picture_negative_prompts[index]


def label_of(field: str) -> Sentence:
    """What a field is called within a sentence; the page's words have it in other languages."""
    return Sentence(GenerationRequest.model_fields[field].title or field)
