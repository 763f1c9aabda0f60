"""The theme: Gradio's variables point to the page's own (assets/css/tokens.css), light and dark."""

from __future__ import annotations

from typing import Any

import gradio as gr

_FONT = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)
_MONO = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace")

_PAPER = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--ink-soft)",
    "background_fill_primary": "var(--sheet)",
    "background_fill_secondary": "var(--paper)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--line)",
    "color_accent": "var(--accent)",
    "color_accent_soft": "var(--wash)",
    "block_background_fill": "transparent",
    "block_border_color": "transparent",
    "block_label_text_color": "var(--ink-soft)",
    "block_title_text_color": "var(--ink-soft)",
    "block_info_text_color": "var(--ink-soft)",
    "panel_background_fill": "transparent",
    "input_background_fill": "var(--sheet)",
    "input_background_fill_focus": "var(--sheet)",
    "input_background_fill_hover": "var(--sheet)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--ink-soft)",
    "input_border_color_hover": "var(--line-strong)",
    "input_placeholder_color": "var(--ink-faint)",
    "input_shadow_focus": "none",
    "input_shadow": "none",
    "slider_color": "var(--ink)",
    "button_primary_background_fill": "var(--accent-fill)",
    "button_primary_background_fill_hover": "var(--accent-fill-hover)",
    "button_primary_text_color": "#ffffff",
    "button_primary_text_color_hover": "#ffffff",
    "button_primary_border_color": "transparent",
    "button_secondary_background_fill": "transparent",
    "button_secondary_background_fill_hover": "var(--wash)",
    "button_secondary_text_color": "var(--ink)",
    "button_secondary_border_color": "var(--line)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--wash)",
    "checkbox_label_background_fill_selected": "var(--wash)",
    "checkbox_label_text_color": "var(--ink)",
    "checkbox_label_text_color_selected": "var(--ink)",
    "checkbox_label_border_color": "transparent",
    "block_shadow": "none",
}
_SHAPE = {
    "block_border_width": "0px",
    "block_padding": "0px",
    "block_radius": "0px",
    "block_label_text_weight": "400",
    "block_title_text_weight": "400",
    "block_title_text_size": "13px",
    "block_info_text_size": "13px",
    "container_radius": "0px",
    "form_gap_width": "0px",
    "layout_gap": "0px",
    "input_border_width": "1px",
    "input_radius": "10px",
    "input_padding": "10px 12px",
    "input_text_size": "15px",
    "button_large_radius": "12px",
    "button_large_text_size": "15px",
    "button_large_text_weight": "600",
    "button_transform_hover": "none",
    "button_transform_active": "none",
    "embed_radius": "0px",
}


def make_theme() -> Any:
    """A Base theme without a colour of its own: light and dark are one set of CSS variables."""
    theme = gr.themes.Base(font=list(_FONT), font_mono=list(_MONO))
    known = set(vars(theme))
    dark = {f"{name}_dark": value for name, value in _PAPER.items() if f"{name}_dark" in known}
    return theme.set(**_PAPER, **_SHAPE, **dark)
