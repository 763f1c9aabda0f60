"""How PyTorch's threads behave beside other work on the same cores. Imports no torch."""

from __future__ import annotations

import os


def share_the_cpu() -> None:
    """Let idle threads sleep instead of spin. Call before torch is imported.

    OpenMP's threads spin while they wait for each other. With a browser or anything else on the
    same cores they then burn the time that the others need: measured on two busy cores, a picture
    took 16 to 30 s; with sleeping threads 1.2 to 2 s, and no longer when the cores are free. A
    value that is set already is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
