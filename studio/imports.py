"""Heavy imports: quicker, and out of the garbage collector's way afterwards.

What several threads may be the first to import is imported from the package that gathers it, not
from the module: Python locks the module first and its package next, and the package's own import
the other way round, so that one of two threads ends in a deadlock error.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Import what stays until the process ends.

    The garbage collector has nothing to find meanwhile, and never looks at it again: with torch and
    diffusers imported, half a second for each model that gives way to another. Only imports belong
    in here, for what is made here is let go only when nothing refers to it, circles not at all.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
