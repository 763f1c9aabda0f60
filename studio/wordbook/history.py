"""Past prompts, each visitor's own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from studio.storage import Database

MAX_KEPT: Final = 1000
"""Prompts of one visitor; the oldest are forgotten."""
MAX_KEPT_IN_ALL: Final = 100_000
ANONYMOUS: Final = frozenset({"api", "page"})
"""What everybody is called who sends no cookie: nothing is remembered of them."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS prompts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    visitor TEXT NOT NULL,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    words TEXT NOT NULL,
    used REAL NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    UNIQUE (visitor, prompt, negative_prompt)
);
CREATE INDEX IF NOT EXISTS newest ON prompts (visitor, used);
"""


@dataclass(frozen=True)
class PastPrompt:
    """A prompt that was used, when last (seconds since 1970), and how often."""

    id: int
    prompt: str
    negative_prompt: str
    used: float
    times: int


class PromptHistory:
    """Any thread may call it. No visitor ever sees another's. Raises StorageError."""

    def __init__(self, path: Path, kept: int = MAX_KEPT) -> None:
        self._kept = kept
        self._database = Database(path, _SCHEMA)

    def add(self, visitor: str, prompt: str, negative_prompt: str) -> None:
        """Remember that ``visitor`` used a prompt; one without words is not remembered."""
        if visitor in ANONYMOUS or not prompt.strip():
            return
        words = f"{prompt}\n{negative_prompt}".casefold()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO prompts (visitor, prompt, negative_prompt, words, used)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (visitor, prompt, negative_prompt)"
                " DO UPDATE SET used = excluded.used, times = times + 1",
                (visitor, prompt, negative_prompt, words, time.time()),
            )
            connection.execute(
                "DELETE FROM prompts WHERE visitor = ? AND number NOT IN (SELECT number FROM"
                " prompts WHERE visitor = ? ORDER BY used DESC, number DESC LIMIT ?)",
                (visitor, visitor, self._kept),
            )
            connection.execute(
                "DELETE FROM prompts WHERE number <= (SELECT max(number) FROM prompts) - ?",
                (MAX_KEPT_IN_ALL,),
            )

    def search(self, visitor: str, query: str = "", limit: int = 50) -> list[PastPrompt]:
        """Prompts with every word of ``query`` in them, the last used first."""
        parts = query.casefold().split()
        found = " AND ".join(["visitor = ?", *["words LIKE ? ESCAPE '\\'"] * len(parts)])
        rows = self._database.rows(
            f"SELECT * FROM prompts WHERE {found} ORDER BY used DESC, number DESC LIMIT ?",
            (visitor, *[f"%{_plain(part)}%" for part in parts], limit),
        )
        return [
            PastPrompt(r["number"], r["prompt"], r["negative_prompt"], r["used"], r["times"])
            for r in rows
        ]

    def beginning(self, visitor: str, text: str, limit: int = 3) -> list[str]:
        """Prompts that begin with ``text`` and go on, the last used first."""
        rows = self._database.rows(
            "SELECT prompt FROM prompts WHERE visitor = ? AND words LIKE ? ESCAPE '\\'"
            " AND length(prompt) > ? GROUP BY prompt ORDER BY max(used) DESC LIMIT ?",
            (visitor, f"{_plain(text.casefold())}%", len(text), limit),
        )
        return [row["prompt"] for row in rows]

    def forget(self, visitor: str, number: int | None = None) -> int:
        """Forget one prompt of a visitor, or all of them; how many that were."""
        with self._database.transaction() as connection:
            done = connection.execute(
                "DELETE FROM prompts WHERE visitor = ? AND (? IS NULL OR number = ?)",
                (visitor, number, number),
            )
            return done.rowcount

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _plain(part: str) -> str:
    """``part`` without a meaning of its own to LIKE."""
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
