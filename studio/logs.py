"""What the studio writes to its log: lines for people or JSON for programs, with the job's id."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TEXT = "%(asctime)s %(levelname)s %(name)s%(about)s: %(message)s"
_job: ContextVar[str] = ContextVar("job", default="")


@contextmanager
def about(job: str) -> Iterator[None]:
    """While the block runs, what this thread logs is about a job."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


def start_logging(form: str, level: str) -> None:
    """Write to stderr from now on; ``form``: "text" or "json", ``level``: a name of logging's."""
    handler = logging.StreamHandler()
    handler.addFilter(_knows_the_job)
    handler.setFormatter(_Json() if form == "json" else logging.Formatter(_TEXT, "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("studio").setLevel(level.upper())
    logging.captureWarnings(True)


def _knows_the_job(record: logging.LogRecord) -> bool:
    """Write the job's id into a record; it may bring its own as ``extra``."""
    job = getattr(record, "job", None) or _job.get()
    vars(record).update(job=job, about=f" [{job}]" if job else "")
    return True


class _Json(logging.Formatter):
    """One object a line: time (UTC), level, logger, message; job and error where there are."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        said = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "job": getattr(record, "job", ""),
            "error": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: text for name, text in said.items() if text}, ensure_ascii=False)
