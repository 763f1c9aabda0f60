"""The desk's controls: one per field of GenerationRequest, labelled by the field itself.

Bounds are left to the request (one validation, one sentence per field): the number boxes take
anything, so that what is wrong is said beside the field and not swallowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr

from studio.request import GenerationRequest
from studio.samplers import SAMPLERS, SIGMA_SCHEDULES

SHAPES = ("square", "portrait", "landscape", "custom")


@dataclass(frozen=True)
class Maker:
    """Makes labelled controls: every one carries its field's name as an id, a label and help."""

    words: Any
    values: Mapping[str, Any]

    def text(self, name: str, lines: int, most: int) -> Any:
        """A box for text that grows with what is written."""
        return gr.Textbox(
            **self._common(name),
            lines=lines,
            max_lines=most,
            placeholder=self.words(f"placeholder.{name}"),
        )

    def number(self, name: str) -> Any:
        """A box for a whole number."""
        return gr.Number(**self._common(name), precision=0)

    def slider(self, name: str, step: float) -> Any:
        """A slider between the field's bounds."""
        low, high = _bounds(name)
        return gr.Slider(low, high, step=step, buttons=[], **self._common(name))

    def choice(self, name: str, choices: list[tuple[str, str]]) -> Any:
        """A list to choose one of."""
        return gr.Dropdown(choices, **self._common(name))

    def one_of(self, name: str) -> Any:
        """A list of all that the field can be; each has its word ``<field>.<choice>``."""
        known = get_args(GenerationRequest.model_fields[name].annotation)
        return self.choice(name, [(self.words(f"{name}.{each}"), each) for each in known])

    def switch(self, name: str) -> Any:
        """A box to tick."""
        return gr.Checkbox(**self._common(name))

    def shape(self) -> Any:
        """The proportions, as a row of small rectangles; sets width and height."""
        return gr.Radio(
            [(self.words(f"shape.{name}"), name) for name in SHAPES],
            value="square",
            label=self.words("field.shape"),
            elem_id="field-shape",
            interactive=True,
        )

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "value": self.values.get(name),
            "label": self.words(f"field.{name}"),
            "info": self.words(f"help.{name}"),
            "elem_id": f"field-{name}",
            "interactive": True,  # a control without it, and without an event, is drawn disabled
        }


def _bounds(name: str) -> tuple[float, float]:
    given = GenerationRequest.model_fields[name].metadata
    low = next(item.ge for item in given if hasattr(item, "ge"))
    high = next(item.le for item in given if hasattr(item, "le"))
    return float(low), float(high)


def sampler_choices() -> list[tuple[str, str]]:
    """Label and name of every sampler of the table."""
    return [(row.label, row.name) for row in SAMPLERS.values()]


def schedule_choices() -> list[tuple[str, str]]:
    """Label and name of every sigma schedule; the page shows those a sampler can do."""
    return [(label, name) for name, label in SIGMA_SCHEDULES.items()]
