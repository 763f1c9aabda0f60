"""Creative Studio: words become pictures, in the browser.

    python app.py --host … --port … --data-dir … --device … --model … --share --open-browser

Flags -> Settings -> Studio -> one ASGI application (page and API) -> uvicorn. torch is not imported
on the way: the worker's thread does that once the page answers.
"""

from __future__ import annotations

import inspect
import logging
import os
import shutil
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from studio.errors import StartupError
from studio.flags import read_settings
from studio.imports import lasting_imports
from studio.logs import start_logging
from studio.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from studio.bootstrap import Studio
    from studio.server import Server


def main(arguments: list[str] | None = None) -> int:
    """Run the studio until it is told to stop; the exit code: 2 when it cannot start."""
    try:
        settings = read_settings(arguments)
        start_logging(settings.log_format, settings.log_level)
        stay_at_home(settings)
        return serve(settings)
    except KeyboardInterrupt:
        return 130
    except StartupError as error:
        print(f"Creative Studio cannot start: {error}", file=sys.stderr)
        return 2


def stay_at_home(settings: Settings) -> None:
    """Keep the libraries from asking other hosts, and from writing outside the data directory.

    They read these when they are imported, so this comes before them.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = str(settings.temporary)


def serve(settings: Settings) -> int:
    """Claim the port and the folder first, then build and serve: what is wrong shows at once."""
    from studio.server import Server, claim_address

    with claim_address(settings.host, settings.port) as listener:
        from studio.bootstrap import Studio

        studio = Studio(settings)  # from here on the folder is ours alone
        shutil.rmtree(settings.temporary, ignore_errors=True)
        server = Server(
            build(studio),
            listener,
            on_ready=lambda: welcome(studio, server),
            on_stop=studio.jobs.close_streams,
        )
        server.serve_until_stopped()
        if settings.share:
            from studio.ui.share import close_public_link

            close_public_link()
        studio.stop()
    return 0


def welcome(studio: Studio, server: Server) -> None:
    """The page answers: say where, then let the worker begin (importing torch slows the page)."""
    print(f"Creative Studio is at {server.url}", flush=True)
    studio.start()
    if studio.settings.open_browser:
        webbrowser.open(server.url)
    if studio.settings.share:
        from studio.ui.share import public_link

        try:
            print(f"Everyone can reach it at {public_link(*server.address)}", flush=True)
        except StartupError as error:
            print(error, file=sys.stderr, flush=True)


def build(studio: Studio) -> FastAPI:
    """The API with the page mounted at "/"."""
    with quick_imports():
        from studio.api import create_api
        from studio.ui.page import mount

        return mount(create_api(studio), studio)


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import gradio in half the time.

    For each component it parses the component's source and writes a stub for editors next to it,
    unless the source cannot be found.
    """
    real = inspect.getfile

    def getfile(thing: Any) -> str:
        if isinstance(thing, type) and hasattr(thing, "EVENTS"):
            raise OSError("no stubs are wanted")
        return real(thing)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        with lasting_imports():
            yield
    finally:
        inspect.getfile = real


def leave(code: int) -> NoReturn:
    """End the process now: everything is on disk, and taking torch apart would take seconds.

    The worker may also be in the middle of a long step or an import that cannot be ended.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
