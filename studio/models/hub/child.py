"""The one program that talks to the hub: ``python -m studio.models.hub.child``, on one command.

It is a process of its own because huggingface_hub reads its environment when it is imported, and
the studio itself keeps it offline; because a process that waits for a name server or hashes a file
can be ended at once; and so that nothing else in the studio can ever reach the hub by accident.

A command comes as one line of JSON on stdin, answers go as lines of JSON to stdout:
``{"do": "look", "repo_id", "revision", "file"}`` -> ``{"plan": …}``;
``{"do": "fetch", "plan": …, "folder": …}`` -> ``{"done": bytes}`` …, ``{"checking": path}`` …,
``{"end": true}``. Anything that goes wrong -> ``{"error": …, "missing": bool}``, the error being
a sentence's JSON values.
It ends when stdin is closed, so that it never outlives the studio.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from studio.errors import HubError, NotFound, StudioError
from studio.models.hub.plan import read_plan
from studio.sentences import say


def main() -> int:
    """Carry out the command on stdin."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    command = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for answer in _carry_out(command):
            _say(answers, answer)
    except StudioError as error:
        _say(answers, {"error": error.sentence.as_json(), "missing": isinstance(error, NotFound)})
        return 1
    except Exception as error:  # whatever it is, the studio is told, in words
        sentence = say(
            "The hub's answer could not be understood ({error}).", error=type(error).__name__
        )
        _say(answers, {"error": sentence.as_json(), "missing": False})
        return 1
    return 0


def _carry_out(command: Mapping[str, Any]) -> Any:
    """The answers to a command, as they come."""
    from studio.models.hub import fetch, look, reach

    endpoint = os.environ.get("HF_ENDPOINT") or reach.DEFAULT_ENDPOINT
    token = os.environ.get("HF_TOKEN") or False  # False: and not the one a login may have left
    reach.probe(endpoint)
    repo_id = str(command.get("repo_id") or command.get("plan", {}).get("repo_id", ""))
    with reach.plain_errors(endpoint, repo_id, bool(token)):
        reach.be_quick()
        if command["do"] == "look":
            plan = look.look(repo_id, command.get("revision"), command.get("file"), endpoint, token)
            yield {"plan": plan.as_values()}
        elif command["do"] == "fetch":
            folder = Path(command["folder"])
            yield from fetch.fetch(read_plan(command["plan"]), folder, endpoint, token)
            yield {"end": True}
        else:
            raise HubError(say("The hub was asked for something unknown."))


def _say(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _end_with_parent() -> None:
    """Nothing more comes on stdin until the studio is gone."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
