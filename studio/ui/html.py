"""Places in Gradio's page that our own modules fill."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import gradio as gr


def mount_point(name: str, **data: object) -> Any:
    """An empty element ``#studio-<name>``; ``data`` is left on it as JSON in data-facts."""
    facts = escape(json.dumps(data, ensure_ascii=False), quote=True)
    return raw(f'<div id="studio-{name}" data-facts="{facts}"></div>')


def raw(html: str) -> Any:
    """A piece of HTML as it is, without Gradio's frame and type."""
    return gr.HTML(html, apply_default_css=False, js_on_load=None, padding=False, min_height=0)
