"""The page as a whole: build it from a Studio, and mount it on the API's application."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import FastAPI

from studio.bootstrap import Studio
from studio.ui.first_paint import FirstPaint, page_head
from studio.ui.html import mount_point
from studio.ui.tabs import TABS
from studio.ui.theme import make_theme
from studio.ui.tools import check_mcp, offer_tools
from studio.ui.words import gradio_words, load_words

TITLE = "Creative Studio"


def build_page(studio: Studio) -> tuple[gr.Blocks, dict[str, Any]]:
    """The page's Blocks, and the options that gr.mount_gradio_app needs with them."""
    words = gradio_words(load_words(studio.settings.assets))
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as blocks:
        mount_point("top", tabs=list(TABS), title=TITLE)
        for name, build in TABS.items():
            with gr.Column(elem_id=f"room-{name}", elem_classes="room"):
                build(studio, words)
        offer_tools(studio)
    options = {
        "theme": make_theme(),
        "i18n": words,
        "run_history": False,  # prompts stay on the server, in the gallery
        "footer_links": [],
        "show_error": False,
        "mcp_server": studio.settings.mcp,
        "favicon_path": str(studio.settings.assets / "icons" / "studio.svg"),
    }
    return blocks, options


def mount(app: FastAPI, studio: Studio) -> FastAPI:
    """``app`` with the page at "/"; call it after every other route has been added."""
    if studio.settings.mcp:
        check_mcp()
    blocks, options = build_page(studio)
    words = load_words(studio.settings.assets)
    data = {"words": words}
    scripts = studio.settings.assets / "js"
    found = sorted(script.relative_to(scripts).as_posix() for script in scripts.rglob("*.js"))
    modules = [name for name in found if name != "boot.js"]
    app.add_middleware(FirstPaint, head=page_head(TITLE, data, modules))
    mounted: FastAPI = gr.mount_gradio_app(app, blocks, path="/", **options)
    return mounted
