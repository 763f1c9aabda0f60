"""The words of a request: prompts, styles, and the template that they came from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from studio.request.bounds import MAX_PROMPT, Names, Text, infotext


class Words(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=False)

    prompt: Text = Field(
        "", max_length=MAX_PROMPT, title="Prompt", description="What the picture shows."
    )
    negative_prompt: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Negative prompt",
        description="What the picture should keep away from.",
        json_schema_extra=infotext("Negative prompt"),
    )
    styles: Names = Field(
        (),
        title="Styles",
        description="Wordings that are put around both prompts, in their order.",
        json_schema_extra=infotext("Styles", unless=()),
    )
    template: Text = Field(
        "",
        max_length=MAX_PROMPT,
        title="Template",
        description="The prompt as it was written, before wildcards were drawn and styles added.",
        json_schema_extra=infotext("Template", unless=""),
    )
    template_styles: Names = Field(
        (),
        title="Template's styles",
        description="The styles that are in the prompt already.",
        json_schema_extra=infotext("Template styles", unless=()),
    )
    normalize_emphasis: bool = Field(
        True,
        title="Emphasis keeps the mean",
        description="Whether weighted words leave the prompt's mean as it was; off is “no norm”.",
        json_schema_extra=infotext("Emphasis", unless=True),
    )
