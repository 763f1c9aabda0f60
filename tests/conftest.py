"""What all tests share."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """What was imported stays: a collection of garbage need not look at torch each time."""
    gc.collect()
    gc.freeze()
