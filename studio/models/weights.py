"""A component's folder looked at from outside: its JSON, its weight files, whether they are whole.

Only safetensors are ever opened: the other formats are pickles, which can run code. No torch here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.models.header import HOW_TO_CONVERT, DamagedFile, read_header
from studio.sentences import Sentence, say

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
NAMES = ("diffusion_pytorch_model", "model")
"""What diffusers and transformers call a component's weights."""
LARGEST_JSON = 16_000_000


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty when the file is missing, unreadable or something else."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_JSON:
            return {}
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that are loaded of one component: one file, or the shards of one.

    Those in full precision when they are there, else those of the variant. Missing shards are in
    the list too.
    """
    for name in NAMES:
        for variant_name in ("", ".fp16"):
            whole = folder / f"{name}{variant_name}.safetensors"
            if whole.is_file():
                return [whole]
            if shards := _shards(folder, name, variant_name):
                return shards
    return []


def _shards(folder: Path, name: str, variant_name: str) -> list[Path]:
    """The files that an index lists, sorted by name; those of a damaged index are none."""
    index = read_object(folder / f"{name}.safetensors.index{variant_name}.json")
    listed = index.get("weight_map")
    if not isinstance(listed, dict):
        return []
    names = {str(value) for value in listed.values()}
    if any(Path(each).name != each for each in names):  # never out of the folder
        return []
    return [folder / each for each in sorted(names)]


def weights_size(folder: Path) -> int:
    """Bytes of the safetensors that are loaded of one component."""
    return sum(path.stat().st_size for path in weight_files(folder) if path.is_file())


def variant(folder: Path) -> str | None:
    """The ``variant`` to load ("fp16") when a component has no weights under its plain name."""
    return "fp16" if any(".fp16" in path.name for path in weight_files(folder)) else None


def weights_problem(folder: Path) -> Sentence | None:
    """What is wrong with a component's weights, as the end of a sentence; None when nothing is."""
    files = weight_files(folder)
    if not files:
        try:
            names = [path.name for path in folder.iterdir()]
        except OSError:
            names = []
        if any(name.endswith(PICKLES) for name in names):
            return say(
                "has pickled weights only, which are never opened: {advice}.",
                advice=HOW_TO_CONVERT,
            )
        if any(name.endswith(".safetensors") or ".index." in name for name in names):
            return say("has safetensors, but none by the names that diffusers gives them.")
        return say("has no safetensors weights.")
    for path in files:
        if not path.is_file():
            return say("lacks {file}, a part of its weights: download it again.", file=path.name)
        try:
            read_header(path)
        except DamagedFile as error:
            return say(
                "holds {file}, which is damaged or not a safetensors file. {reason}",
                file=path.name,
                reason=error.sentence,
            )
    return None


def is_whole(path: Path) -> bool:
    """Whether a file has a safetensors header and is exactly as long as that header says."""
    try:
        read_header(path)
    except DamagedFile:
        return False
    return True
