"""The hub's side of the line: whether it can be reached at all, and what its errors mean."""

from __future__ import annotations

import errno
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from studio.errors import HubError, NotFound, system_reason
from studio.sentences import Sentence, say, together

DEFAULT_ENDPOINT = "https://huggingface.co"
CONNECT_SECONDS = 3.0


def host_of(endpoint: str) -> str:
    """The hub's host, as a person would say it."""
    return urlsplit(endpoint).netloc or endpoint


def offline(endpoint: str) -> HubError:
    """The sentence for a hub that cannot be reached."""
    return HubError(
        say(
            "{host} cannot be reached: this computer seems to be offline. "
            "Models that are installed work without it.",
            host=host_of(endpoint),
        )
    )


def probe(endpoint: str) -> None:
    """Raise HubError within about three seconds when nothing answers at the hub's address.

    In a thread of its own, for looking up a name takes as long as the system likes.
    """
    reached = threading.Event()

    def connect() -> None:
        try:
            with socket.create_connection(_first_hop(endpoint), timeout=CONNECT_SECONDS):
                reached.set()
        except (OSError, UnicodeError, ValueError):
            pass

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not reached.is_set():
        raise offline(endpoint)


def _first_hop(endpoint: str) -> tuple[str, int]:
    """Host and port of the hub, or of the proxy that leads to it."""
    url = urlsplit(endpoint)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(url.netloc):
        url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def be_quick() -> None:
    """Give every later connection three seconds too, whatever its own patience."""
    from huggingface_hub import get_session

    def hurry(request: Any) -> None:
        request.extensions.setdefault("timeout", {})["connect"] = CONNECT_SECONDS

    client = get_session()
    hooks = client.event_hooks
    hooks["request"].append(hurry)
    client.event_hooks = hooks


@contextmanager
def plain_errors(endpoint: str, repo_id: str, token: bool) -> Iterator[None]:
    """Turn what huggingface_hub raises into one sentence each."""
    from httpx2 import ConnectError, ConnectTimeout, HTTPError, InvalidURL, TimeoutException
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    host = host_of(endpoint)
    try:
        yield
    except HfHubHTTPError as error:
        raise _refusal(error, host, endpoint, repo_id, token) from error
    except (HFValidationError, InvalidURL) as error:
        raise NotFound(
            say("“{repo_id}” cannot be a repository of {host}.", repo_id=repo_id, host=host)
        ) from error
    except (ConnectError, ConnectTimeout) as error:
        raise offline(endpoint) from error
    except TimeoutException as error:
        raise HubError(say("{host} does not answer; try again in a while.", host=host)) from error
    except HTTPError as error:
        raise HubError(
            say("The connection to {host} broke; try again, what came is kept.", host=host)
        ) from error
    except OSError as error:
        raise _disk_or_line(error, host) from error


def _refusal(error: Any, host: str, endpoint: str, repo_id: str, token: bool) -> Exception:
    """What an HTTP error of the hub means for this repository."""
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return HubError(gate(f"{endpoint}/{repo_id}", token))
    if isinstance(error, DisabledRepoError):
        return HubError(say("{host} has blocked “{repo_id}”.", host=host, repo_id=repo_id))
    if isinstance(error, RevisionNotFoundError):
        return NotFound(
            say("“{repo_id}” has no such revision on {host}.", repo_id=repo_id, host=host)
        )
    if isinstance(error, RemoteEntryNotFoundError):
        return NotFound(
            say(
                "“{repo_id}” has no such file on {host} any more; look at it again.",
                repo_id=repo_id,
                host=host,
            )
        )
    status = getattr(error.response, "status_code", 0)
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        none = say("{host} has no model “{repo_id}”.", host=host, repo_id=repo_id)
        private = say("If it is private, set HF_TOKEN and start the studio again.")
        return NotFound(none if token else together([none, private]))
    if status in (401, 403):
        if token:
            return HubError(
                say(
                    "{host} refuses the token in HF_TOKEN for “{repo_id}”.",
                    host=host,
                    repo_id=repo_id,
                )
            )
        return HubError(
            say(
                "{host} wants a token for “{repo_id}”: set HF_TOKEN and start again.",
                host=host,
                repo_id=repo_id,
            )
        )
    if status == 429:
        return HubError(
            say("{host} is asked too often just now; try again in a few minutes.", host=host)
        )
    return HubError(
        say(
            "{host} answered with an error ({status}); try again in a while.",
            host=host,
            status=status,
        )
    )


def gate(page: str, token: bool) -> Sentence:
    """What to do about a licence that must be accepted first."""
    if token:
        return say(
            "Its licence must be accepted first: do so at {page}, then install it here.", page=page
        )
    return say(
        "Its licence must be accepted first: do so at {page}, then set "
        "HF_TOKEN to a token of yours and start the studio again.",
        page=page,
    )


def _disk_or_line(error: OSError, host: str) -> HubError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HubError(say("The disk is full: free some space, then resume."))
    if error.errno is not None:
        return HubError(say("The files cannot be written ({reason}).", reason=system_reason(error)))
    return HubError(say("{host} sent less than it said; try again, what came is kept.", host=host))
