"""Serving: the address that is claimed first, and uvicorn around the application."""

from __future__ import annotations

import errno
import http.client
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from studio.errors import StartupError, system_reason
from studio.sentences import Sentence, say

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_FIRST_PAGE_SECONDS = 60.0

log = logging.getLogger(__name__)


def claim_address(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not yet listening; StartupError says what to change.

    It is claimed before anything slow is imported, so that a port in use is told at once.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise StartupError(
            say("--host “{host}” is not an address of this computer.", host=host)
        ) from error
    listener = socket.socket(family, kind)
    if sys.platform == "win32":  # there SO_REUSEADDR would let two programs share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise StartupError(_bind_sentence(error, host, port)) from error
    return listener


def _bind_sentence(error: OSError, host: str, port: int) -> Sentence:
    if error.errno == errno.EADDRINUSE:
        return say(
            "port {port} is already in use: stop that program, or choose another with --port.",
            port=port,
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return say("--host “{host}” is not an address of this computer.", host=host)
    if error.errno == errno.EACCES:
        return say(
            "port {port} may not be used by you: choose one above 1023 with --port.", port=port
        )
    return say(
        "{host}:{port} cannot be listened on ({reason}).",
        host=host,
        port=port,
        reason=system_reason(error),
    )


class Server(uvicorn.Server):
    """uvicorn on a claimed socket, which says when the page answers and stops within two seconds.

    ``on_ready`` is called in a thread of its own once the page has answered; ``on_stop`` is called
    when a stop is asked for, so that whoever waits on a job lets go.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        config = uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=1
        )
        super().__init__(config)
        self._listener = listener
        self._on_ready = on_ready
        self._on_stop = on_stop

    @property
    def address(self) -> tuple[str, int]:
        """Host and port under which this computer itself reaches the server."""
        host, port = self._listener.getsockname()[:2]
        return _ANY.get(host, host), port

    @property
    def url(self) -> str:
        """The page's address on this computer."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def serve_until_stopped(self) -> None:
        """Serve until SIGINT or SIGTERM; connections that stay open are cut after a second."""
        threading.Thread(target=self._watch_start, name="studio-start", daemon=True).start()
        self.run(sockets=[self._listener])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in good order; the signal is not raised again afterwards."""
        del sig, frame
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # cut connections are meant
        self.force_exit = self.should_exit
        self.should_exit = True
        self._on_stop()

    def _watch_start(self) -> None:
        """Ask for the page as a visitor would, then say that it is there."""
        give_up = time.monotonic() + _FIRST_PAGE_SECONDS
        while not self.should_exit and time.monotonic() < give_up:
            if self.started and self._answers():
                break
            time.sleep(0.02)
        if not self.should_exit:
            self._on_ready()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 500:
                log.error("The page answers with %s", answer.status)
            return True
        except OSError:
            return False
        finally:
            connection.close()
