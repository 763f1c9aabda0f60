"""A stand-in of Hugging Face's hub: a real server that answers as it does, and can misbehave."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?P<rest>/revision/[^/]+|/auth-check)?")
_ELSEWHERE = "/elsewhere"
_FILE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@dataclass
class Repo:
    """What the stand-in holds under one name."""

    files: dict[str, bytes]
    gated: bool = False
    licence: str = "creativeml-openrail-m"
    pipeline: str | None = "StableDiffusionPipeline"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    range: str | None
    token: str | None


@dataclass
class StandIn:
    """The server's state: what it holds, how it behaves, what it was asked."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    token: str = "hf_right"
    asked: list[Asked] = field(default_factory=list)
    pace: float = 0.0  # seconds between two pieces of a file
    piece: int = 64 * 1024
    cut_after: int | None = None  # bytes of a file after which the next connection breaks
    damage: bool = False  # send other bytes than it says
    silent: bool = False  # accept, then say nothing
    away: bool = False  # break every connection
    elsewhere: bool = False  # send to another host for the files, as the hub does
    sending: int = 0  # files on their way just now
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def other_url(self) -> str:
        """This server under its other name."""
        return self.url.replace("127.0.0.1", "localhost")

    def files_asked(self) -> list[Asked]:
        """The requests for files' contents."""
        return [each for each in self.asked if "/resolve/" in each.path]


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A running stand-in on a free port of this computer."""
    state = StandIn()
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: StandIn

    def log_message(self, *given: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        asked = Asked(self.command, path, self.headers.get("Range"), token)
        self.state.asked.append(asked)
        if self.state.away:
            self.close_connection = True
            return
        if self.state.silent:
            self.state.ended.wait(60)
            self.close_connection = True
            return
        if path.startswith(_ELSEWHERE):
            found = _FILE.fullmatch(path.removeprefix(_ELSEWHERE))
            assert found is not None, path
            self._send_file(self.state.repos[found["repo"]].files[found["path"]], asked)
            return
        found = _API.fullmatch(path) or _FILE.fullmatch(path)
        repo = self.state.repos.get(found["repo"]) if found else None
        if found is None or repo is None:
            self._refuse(401 if token is None else 404, "RepoNotFound")
            return
        closed = repo.gated and token != self.state.token
        if "path" in found.groupdict():
            if closed:
                self._refuse(403 if token else 401, "GatedRepo")
            elif found["path"] not in repo.files:
                self._refuse(404, "EntryNotFound")
            elif self.state.elsewhere:
                self._send_elsewhere(path)
            else:
                self._send_file(repo.files[found["path"]], asked)
        elif found["rest"] == "/auth-check":
            self._refuse(403, "GatedRepo") if closed else self._send_json({})
        else:
            self._send_json(_description(found["repo"], repo))

    def _refuse(self, status: int, code: str) -> None:
        self._send_json({"error": code}, status, {"X-Error-Code": code, "X-Error-Message": code})

    def _send_json(
        self, values: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        content = json.dumps(values).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_elsewhere(self, path: str) -> None:
        """The same computer by another name: to a client, another host."""
        self.send_response(302)
        self.send_header("Location", f"{self.state.other_url}{_ELSEWHERE}{path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_file(self, content: bytes, asked: Asked) -> None:
        start, end = _span(asked.range, len(content))
        self.send_response(206 if asked.range else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Repo-Commit", COMMIT)
        if asked.range:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.state.damage:
            content = bytes(len(content))
        self.state.sending += 1
        try:
            self._write(content[start:end])
        except OSError:  # the other side is gone
            self.close_connection = True
        finally:
            self.state.sending -= 1

    def _write(self, content: bytes) -> None:
        sent = 0
        while sent < len(content) and not self.state.ended.is_set():
            if self.state.away:
                self.close_connection = True
                return
            if self.state.cut_after is not None and sent >= self.state.cut_after:
                self.state.cut_after = None
                self.close_connection = True
                return
            piece = content[sent : sent + self.state.piece]
            self.wfile.write(piece)
            sent += len(piece)
            if self.state.pace:
                time.sleep(self.state.pace)


def _span(given: str | None, size: int) -> tuple[int, int]:
    if given is None:
        return 0, size
    first, _, last = given.removeprefix("bytes=").partition("-")
    return int(first), min(size, int(last) + 1) if last else size


def _description(name: str, repo: Repo) -> dict[str, Any]:
    """What the hub says of a repository, with the files' sizes and hashes."""
    siblings = []
    for path, content in repo.files.items():
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": blob}
        if path.endswith((".safetensors", ".bin", ".ckpt")):
            sha256 = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
        siblings.append(entry)
    config = {"diffusers": {"_class_name": repo.pipeline}} if repo.pipeline else {}
    return {
        "id": name, "sha": COMMIT, "gated": "auto" if repo.gated else False, "private": False,
        "tags": [f"license:{repo.licence}"], "cardData": {"license": repo.licence},
        "siblings": siblings, "config": config,
    }  # fmt: skip


def safetensors(keys: tuple[str, ...] = ("weight",), size: int = 64) -> bytes:
    """A whole safetensors file with tensors of these names, ``size`` bytes of data in all."""
    each = size // len(keys)
    header = {
        key: {"dtype": "U8", "shape": [each], "data_offsets": [each * at, each * (at + 1)]}
        for at, key in enumerate(keys)
    }
    text = json.dumps(header).encode()
    data = (bytes(range(256)) * (size // 256 + 1))[: each * len(keys)]
    return len(text).to_bytes(8, "little") + text + data


def diffusers_files(size: int = 64) -> dict[str, bytes]:
    """A repository as they are: two number formats, pickles, and more than the studio needs."""
    files: dict[str, bytes] = {
        "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
        "README.md": b"# A model",
        "v1.ckpt": b"pickle",
        "tokenizer/vocab.json": b"{}",
        "tokenizer/merges.txt": b"#version",
        "scheduler/scheduler_config.json": b"{}",
        "safety_checker/model.safetensors": safetensors(),
        "unet/config.json": b'{"in_channels": 4, "sample_size": 64}',
    }
    for part, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        files.setdefault(f"{part}/config.json", b"{}")
        files[f"{part}/{stem}.bin"] = b"pickle"
        files[f"{part}/{stem}.safetensors"] = safetensors(size=size * 2)
        files[f"{part}/{stem}.fp16.safetensors"] = safetensors(size=size)
    return files
