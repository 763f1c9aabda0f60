"""Small files whole: what an add-on's file holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from studio.errors import ModelError, system_reason
from studio.models.header import DamagedFile
from studio.models.weights_reader import WeightsReader
from studio.sentences import say


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors of a safetensors file and its metadata.

    Raises ModelError with a sentence without its full stop.
    """
    with reading(path), WeightsReader(path) as file:
        tensors = {name: file.read(name) for name in file.tensors}
        return tensors, {str(key): str(value) for key, value in file.metadata.items()}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system or a damaged file says into a ModelError, a sentence without its end."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            say("{file} cannot be read ({reason})", file=path.name, reason=system_reason(error))
        ) from error
    except DamagedFile as error:
        raise ModelError(error.sentence) from error
