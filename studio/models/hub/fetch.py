"""The files of a plan -> a folder, each checked against the hub's hash. In the child process only.

A file grows as ``<name>.part`` and gets its name once its hash is right; a ``.part`` that was left
behind is gone on with from where it stands.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.errors import HubError
from studio.models.hub.plan import Plan, RepoFile
from studio.sentences import say

PART = ".part"
_CHUNK = 256 * 1024  # bytes kept from disk at most, and so lost when the process is ended
_TELL_SECONDS = 0.2


def fetch(plan: Plan, folder: Path, endpoint: str, token: str | bool) -> Iterator[dict[str, Any]]:
    """What is told on the way: bytes done in all, and each file as it is checked."""
    done = 0
    for file in plan.files:
        path = folder / file.target
        if not (path.is_file() and path.stat().st_size == file.size):
            path.parent.mkdir(parents=True, exist_ok=True)
            for told in _fetch_checked(plan, file, path, endpoint, token):
                yield {"done": done + told} if isinstance(told, int) else told
        done += file.size
        yield {"done": done}


def _fetch_checked(
    plan: Plan, file: RepoFile, path: Path, endpoint: str, token: str | bool
) -> Iterator[Any]:
    """One file; when its hash is wrong after it was gone on with, once more from the start."""
    part = path.with_name(path.name + PART)
    resumed = part.exists()
    while True:
        yield from _fetch_part(plan, file, part, endpoint, token)
        yield {"checking": file.path}
        if is_right(part, file):
            part.replace(path)
            return
        part.unlink()
        if not resumed:
            raise HubError(
                say(
                    "{file} arrived damaged (its hash is not what the hub says); try again.",
                    file=file.path,
                )
            )
        resumed = False


def _fetch_part(
    plan: Plan, file: RepoFile, part: Path, endpoint: str, token: str | bool
) -> Iterator[int]:
    """Bytes of this file that are there, a few times a second, until all are."""
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    constants.DOWNLOAD_CHUNK_SIZE = _CHUNK
    url = hf_hub_url(plan.repo_id, file.path, revision=plan.revision, endpoint=endpoint)
    headers = build_hf_headers(token=token, library_name="creative-studio")
    headers["Accept-Encoding"] = "identity"  # ranges count bytes of the file, not of a gzip
    if part.exists() and part.stat().st_size > file.size:
        part.unlink()
    ended: queue.Queue[BaseException | None] = queue.Queue()

    def run() -> None:
        try:
            with part.open("ab") as growing:
                there = growing.seek(0, 2)
                http_get(
                    url, growing, resume_size=there, headers=headers,
                    expected_size=file.size, tqdm_class=_silent(),
                )  # fmt: skip
            ended.put(None)
        except BaseException as error:
            ended.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TELL_SECONDS)
        yield part.stat().st_size if part.exists() else 0
    error = ended.get()
    if error is not None:
        raise error


def _silent() -> Any:
    """huggingface_hub's own progress bar that draws nothing: the file's size is told instead."""
    from huggingface_hub.utils.tqdm import silent_tqdm

    return silent_tqdm


def is_right(path: Path, file: RepoFile) -> bool:
    """Whether a file has the size and the hash that the hub says: SHA-256, or git's for a blob."""
    size = path.stat().st_size
    if size != file.size:
        return False
    with path.open("rb") as content:
        if file.sha256:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
        if file.blob:
            git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
            while chunk := content.read(1 << 20):
                git.update(chunk)
            return git.hexdigest() == file.blob
    return True
