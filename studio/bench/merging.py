"""What merging two models costs, against writing the result's bytes: in a process of its own.

``python -m studio.bench.merging FOLDER NAME TWIN`` prints the figures as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from studio.bench.loading import files_of
from studio.bench.subject import Subject
from studio.errors import StudioError
from studio.models.catalog import Catalog
from studio.models.threads import share_the_cpu
from studio.sentences import verbatim
from studio.settings import REPOSITORY

_BLOCK = 16 * 2**20


@dataclass(frozen=True)
class MergingCost:
    """Seconds to merge and to only write as many bytes; bytes of the larger model and of the peak.

    ``peak`` is how far the process's memory rose, None where that cannot be told.
    """

    seconds: float
    write_seconds: float
    largest: int
    peak: int | None


def measure_merging(subject: Subject) -> MergingCost:
    """Merge a model with its twin in a new process. Raises StudioError when that fails."""
    names = [str(subject.info.path.parent), subject.info.name, subject.twin]
    done = subprocess.run(
        [sys.executable, "-m", "studio.bench.merging", *names],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StudioError(verbatim(f"Merging could not be measured: {reason}"))
    return MergingCost(**json.loads(done.stdout))


def merge_here(folder: Path, name: str, twin: str) -> MergingCost:
    """Merge two models of a folder in this process; the result stays in its folder ``merging``."""
    from studio.bench.meters import Peak
    from studio.models.merging.merge import merge
    from studio.models.merging.order import find_all
    from studio.models.merging.recipe import Recipe

    catalog = Catalog([folder])
    order = find_all(catalog, Recipe("merged", (name, twin), weights=(0.5, 0.5)))
    room = folder / "merging"
    room.mkdir()
    peak = Peak()
    began = time.perf_counter()
    where = merge(order, room, lambda done, total: None)
    seconds = time.perf_counter() - began
    rise = peak.rise()
    whole = sum(each.stat().st_size for each in [where, *where.rglob("*")] if each.is_file())
    began = time.perf_counter()
    _write(room / "plain", whole)
    written = time.perf_counter() - began
    sizes = [sum(file.stat().st_size for file in files_of(info)) for info in order.models]
    return MergingCost(seconds, written, max(sizes), rise)


def _write(path: Path, size: int) -> None:
    """A file of that many bytes, on the disk to the last one."""
    block = os.urandom(_BLOCK)
    with path.open("wb") as file:
        while size > 0:
            size -= file.write(block[:size])
        file.flush()
        os.fsync(file.fileno())


def main(arguments: Sequence[str]) -> int:
    """Measure one merge and print the figures; 2 with a sentence when it cannot be."""
    folder, name, twin = arguments
    share_the_cpu()
    try:
        print(json.dumps(asdict(merge_here(Path(folder), name, twin))))
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
