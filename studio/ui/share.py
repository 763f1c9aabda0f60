"""The public link: Gradio's tunnel to this computer."""

from __future__ import annotations

import secrets

from studio.errors import StartupError
from studio.sentences import say


def public_link(host: str, port: int) -> str:
    """An https address under which everyone reaches the page, until the studio stops.

    Raises StartupError with one sentence when the tunnel cannot be had; the page is not affected.
    """
    from gradio import networking

    try:
        link: str = networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # whatever goes wrong out there, the studio goes on
        raise StartupError(
            say(
                "There is no public link: Gradio's share server could not be reached "
                "({error}). The page on this computer works as before.",
                error=str(error),
            )
        ) from error
    return link.replace("http://", "https://", 1)


def close_public_link() -> None:
    """End the tunnel's own process, if there is one."""
    from gradio.tunneling import CURRENT_TUNNELS

    for tunnel in CURRENT_TUNNELS:
        tunnel.kill()
