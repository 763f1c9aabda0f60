"""What loading a model costs, against reading its files: in a process of its own, for the peak.

``python -m studio.bench.loading PATH DEVICE ROUNDS`` prints the figures of one model as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from studio.errors import StudioError
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.threads import share_the_cpu
from studio.models.weights import weight_files
from studio.sentences import say
from studio.settings import REPOSITORY

_BLOCK = 16 * 2**20
_PARTS = ("text_encoder", "text_encoder_2", "unet", "vae")


@dataclass(frozen=True)
class LoadingCost:
    """Medians: seconds to load and to only read, and their ratio; bytes of files and of the peak.

    ``cold``: whether the files had to come from the disk each time. ``peak`` is how far the
    process's memory rose, None where that cannot be told.
    """

    seconds: float
    read_seconds: float
    ratio: float
    file_bytes: int
    peak: int | None
    cold: bool


def measure_loading(path: Path, device: str, rounds: int) -> LoadingCost:
    """Load the model at ``path`` in a new process. Raises StudioError when that fails."""
    done = subprocess.run(
        [sys.executable, "-m", "studio.bench.loading", str(path), device, str(rounds)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StudioError(say("Loading could not be measured: {reason}", reason=reason))
    return LoadingCost(**json.loads(done.stdout))


def load_here(path: Path, device: str, rounds: int) -> LoadingCost:
    """Load and read by turns in this process."""
    from studio.bench.meters import Peak, now
    from studio.models.store import ModelStore

    store = ModelStore(Catalog([path.parent]), device)
    info = store.catalog.find(path.stem)
    files, place = files_of(info), store.placement.device
    store.acquire(info.name)  # once before: classes are imported, kernels are chosen
    store.release()
    turns: list[tuple[float, float]] = []
    peaks: list[int | None] = []
    cold = True
    for _ in range(rounds):
        cold = forget(files) and cold
        began = now(place)
        read(files)
        reading = now(place) - began
        cold = forget(files) and cold
        peak = Peak()
        began = now(place)
        store.acquire(info.name)
        turns.append((now(place) - began, reading))
        peaks.append(peak.rise())
        store.release()
    seconds, reading = (statistics.median(column) for column in zip(*turns, strict=True))
    return LoadingCost(
        seconds,
        reading,
        statistics.median(load / bare for load, bare in turns),
        sum(file.stat().st_size for file in files),
        max((peak for peak in peaks if peak is not None), default=None),
        cold,
    )


def files_of(info: ModelInfo) -> list[Path]:
    """The files that a model's weights are read from."""
    if info.path.is_file():
        return [info.path]
    return [file for part in _PARTS for file in weight_files(info.path / part)]


def read(files: Sequence[Path]) -> int:
    """Read files to their ends and keep nothing; how many bytes they held."""
    block, total = bytearray(_BLOCK), 0
    for file in files:
        with file.open("rb", buffering=0) as opened:
            while count := opened.readinto(block):
                total += count
    return total


def forget(files: Sequence[Path]) -> bool:
    """Have the system forget what it keeps of some files; False where it cannot be asked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())  # what is not on the disk yet cannot be forgotten
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def main(arguments: Sequence[str]) -> int:
    """Measure one model and print the figures; 2 with a sentence when it cannot be."""
    path, device, rounds = arguments
    share_the_cpu()
    try:
        print(json.dumps(asdict(load_here(Path(path), device, int(rounds)))))
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
