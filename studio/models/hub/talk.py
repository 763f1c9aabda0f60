"""The studio's side of the line: one child process per question, ended at once when told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Self

from studio.errors import HubError, NotFound
from studio.sentences import from_json, say
from studio.settings import REPOSITORY

_OURS = {
    "HF_HUB_DISABLE_XET": "1",  # its transfers cannot be gone on with
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "PYTHONIOENCODING": "utf-8",
}
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # the studio's own wish, not the child's


class Conversation:
    """A command handed to the child, and its answers one by one.

    Iterating raises HubError or NotFound with the child's sentence, and HubError when it ended
    before it was done. ``stop`` may be called from any thread. Use it in a ``with``.
    """

    def __init__(self, command: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        passed = {name: value for name, value in environment.items() if name not in _OFFLINE}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "studio.models.hub.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=REPOSITORY, env={**passed, **_OURS}, encoding="utf-8",
            start_new_session=os.name == "posix",  # Ctrl+C is the studio's to handle
        )  # fmt: skip
        self._command = json.dumps(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was written last found nobody
                    continue

    def __iter__(self) -> Iterator[dict[str, Any]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(self._command + "\n")
            stdin.flush()
        except OSError as error:
            raise HubError(say("The download was interrupted; resume to go on.")) from error
        for line in stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise (NotFound if answer.get("missing") else HubError)(from_json(answer["error"]))
            yield answer
            if "end" in answer or "plan" in answer:
                return
        raise HubError(say("The download was interrupted; resume to go on."))

    def stop(self) -> None:
        """End the child now; what it has written stays."""
        if self._process.poll() is None:
            self._process.kill()


def ask(
    command: Mapping[str, Any], environment: Mapping[str, str], seconds: float
) -> dict[str, Any]:
    """The one answer to a question; HubError when none comes within ``seconds``."""
    with Conversation(command, environment) as talk:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            talk.stop()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            return next(iter(talk))
        except HubError as error:
            if late.is_set():
                raise HubError(say("The hub does not answer; try again in a while.")) from error
            raise
        finally:
            timer.cancel()
