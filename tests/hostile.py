"""A folder of damaged and hostile files, as a models folder may hold them."""

from __future__ import annotations

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

from tests.weights import sd1, write_header, write_weights

ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


class Bomb:
    """Would make a folder if anyone unpickled it."""

    def __init__(self, mark: Path) -> None:
        self._mark = str(mark)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self._mark,)


def header(path: Path, content: object, size: int = 4) -> None:
    write_header(path, content if isinstance(content, str) else json.dumps(content), size)


def entry(**change: object) -> dict[str, object]:
    return {"w": {**ENTRY, **change}}


HEADERS: dict[str, tuple[object, str]] = {
    "no_json": ("{ not json", "not JSON"),
    "a_list": ("[]", "not a safetensors file"),
    "nan": ('{"w": {"dtype": "F32", "shape": [1], "data_offsets": [NaN, 4]}}', "not a number"),
    "negative": (entry(data_offsets=[-4, 0]), "does not say where"),
    "backwards": (entry(data_offsets=[4, 0]), "does not fit its shape"),
    "true": (entry(shape=[True]), "does not say where"),
    "floats": (entry(data_offsets=[0.0, 4.0]), "does not say where"),
    "huge_shape": (entry(shape=[2**62] * 19), "does not say where"),
    "endless_shape": (entry(shape=[2**62] * 10_000), "does not say where"),
    "wrong_shape": (entry(shape=[3]), "does not fit its shape"),
    "no_shape": ({"w": {"dtype": "F32"}}, "does not say where"),
    "text_entry": ({"w": "F32"}, "does not say where"),
    "odd_format": (entry(dtype="Q7"), "not known here (Q7)"),
    "overlapping": ({"a": ENTRY, "b": ENTRY}, "overlap"),
    "gaps": ({"a": {**ENTRY, "data_offsets": [4, 8]}}, "overlap, or leave gaps"),
    "twice": (f'{{"w": {json.dumps(ENTRY)}, "w": {json.dumps(ENTRY)}}}', "names a tensor twice"),
    "deep": ('{"w":' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON"),
    "half_character": ('{"\\ud800": {}}', "does not say where"),
    "too_long": (entry(), "longer than its header says"),
    "nothing": ("{}", "longer than its header says"),
}


def make_hostile(folder: Path, mark: Path) -> dict[str, str]:
    """All the files in ``folder``, and for each name a part of the sentence about it.

    ``mark``: the folder that would be there if any of them were unpickled.
    """
    words = {name: sentence for name, (_, sentence) in HEADERS.items()}
    for name, (content, _) in HEADERS.items():
        header(folder / f"{name}.safetensors", content, 8 if name == "too_long" else 4)
    raw: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "It is empty"),
        "short": (b"\x05\0\xff", "too short"),
        "web_page": (b"\n<!DOCTYPE html><html>", "web page"),
        "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        "text": ("Gemälde, 绘画\n".encode() * 40, "text file"),
        "gguf": (b"GGUF" + b"\1\0\0\0" * 40, "GGUF"),
        "renamed_zip": (b"PK\x03\x04" + b"\0" * 60, "It is a pickle"),
        "renamed": (pickle.dumps(Bomb(mark)), "It is a pickle"),
        "random": (bytes(range(256)) * 4, "damaged or not"),
        "huge_header": (struct.pack("<Q", 2**40) + b"{" + b" " * 600, "larger than any"),
        "cut_header": (struct.pack("<Q", 5000) + b'{"w"' + b" " * 600, "cut short"),
    }
    for name, (content, sentence) in raw.items():
        (folder / f"{name}.safetensors").write_bytes(content)
        words[name] = sentence
    for ending in ("ckpt", "pt", "pth", "bin"):
        (folder / f"pickle_{ending}.{ending}").write_bytes(pickle.dumps(Bomb(mark)))
        words[f"pickle_{ending}"] = "save it as safetensors"
    write_weights(folder / "cut.safetensors", sd1())
    os.truncate(folder / "cut.safetensors", 100_000)
    (folder / "notes.txt").write_text("buy milk")
    (folder / "a_folder.safetensors").mkdir()
    (folder / "dangling.safetensors").symlink_to(folder / "nowhere")
    (folder / "circle.safetensors").symlink_to(folder / "circle.safetensors")
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "device.safetensors").symlink_to("/dev/zero")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    write_weights(folder / "locked.safetensors", {"w": (2,)}).chmod(0)
    write_weights(Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.safetensors")), sd1())
    write_weights(folder / ("deep/" + "x" * 200) / ("y" * 220 + ".safetensors"), sd1())
    return words | {
        "cut": "cut short", "notes.txt": "text file", "a_folder": "is a folder",
        "dangling": "a file that is not there", "circle": "leads back to itself",
        "pipe": "not an ordinary file", "device": "not an ordinary file", "locked": "",
        "caf�": "not valid UTF-8",
    }  # fmt: skip
