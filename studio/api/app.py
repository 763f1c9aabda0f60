"""The ASGI application without the page: routes, errors, static files, visitors."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from studio.api import (
    animations,
    errors,
    hub,
    jobs,
    masks,
    merges,
    models,
    pictures,
    previews,
    prompts,
    recipes,
    sources,
    translate,
    watching,
    words,
)  # fmt: skip
from studio.api.a1111 import a1111_refusals, a1111_router
from studio.api.answers import ErrorAnswer
from studio.api.counting import Answers
from studio.api.foreign import left_over
from studio.api.language import Tongues
from studio.api.openai import openai_refusals, openai_router
from studio.api.reference import reference_page
from studio.api.visitors import Visitors
from studio.bootstrap import Studio

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Assets(StaticFiles):
    """What ships with the studio, without the bundled models' weights."""

    def lookup_path(self, path: str) -> tuple[str, object]:  # type: ignore[override]
        """Refuse folders that hold a model."""
        first = Path(path).parts[:1]
        if not first or Path(str(self.directory), *first, "model_index.json").exists():
            raise HTTPException(404)
        return super().lookup_path(path)


def create_api(studio: Studio) -> FastAPI:
    """The application with every route of ours; the page can then be mounted at "/".

    Its documents are our own: FastAPI's fetch their scripts from another host.
    """
    app = FastAPI(
        title="Creative Studio",
        description="Words become pictures: hand in jobs, watch them, fetch what they made.",
        version="1",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        responses={status: {"model": ErrorAnswer} for status in ("4XX", "5XX")},
    )
    app.state.studio = studio
    errors.install(app)
    app.add_middleware(Visitors)
    app.add_middleware(Tongues)
    app.state.answers = Counter()
    app.add_middleware(Answers, counts=app.state.answers)
    for room in (
        jobs, pictures, animations, sources, masks, recipes, models, previews, hub, merges, words,
        prompts, translate, watching,
    ):  # fmt: skip
        app.include_router(room.router)
    for router in (a1111_router(), a1111_refusals(), openai_router(), openai_refusals()):
        app.include_router(router)

    @app.get("/healthz", tags=["studio"], summary="Whether the studio is up, and how busy it is")
    def healthz() -> JSONResponse:
        held = studio.keeper.report()
        memory = None if held.used is None else {"used": held.used, "total": held.total}
        model = next((one.name for one in held.resident), None)  # the one that painted last
        busy = {**studio.jobs.counts, "device": held.device, "memory": memory, "model": model}
        return JSONResponse({"status": "ok", **busy})

    @app.get("/docs", include_in_schema=False)
    def documents() -> HTMLResponse:
        return HTMLResponse(reference_page(app.openapi()))

    @app.api_route("/api/{rest:path}", methods=_METHODS, include_in_schema=False)
    def nothing(request: Request) -> None:
        """What is left over under /api must not reach the page, which would answer otherwise."""
        raise left_over(request)

    if studio.settings.assets.is_dir():
        app.mount("/studio", Assets(directory=studio.settings.assets), name="assets")
    return app
