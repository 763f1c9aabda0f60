"""SHA-256 of models: right, kept, found out in the background, and made anew after a change."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.models.catalog import Catalog
from tests.weights import VAE, sd1, write_json, write_pipeline, write_weights

SECONDS = 60.0
SMALL = {"emb_params": (2, 768)}


def sha256(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    (tmp_path / "models").mkdir()
    made = Catalog([tmp_path / "models"])
    made.remember(tmp_path / "kept.sqlite")
    yield made
    made.stop()
    made.close()


def settled(catalog: Catalog) -> dict[str, str | None]:
    """The hashes once all are known."""
    catalog.list()
    assert catalog.settled(SECONDS)
    return {info.name: info.sha256 for info in catalog.list()}


def test_files_are_hashed_in_the_background(tmp_path: Path, catalog: Catalog) -> None:
    path = write_weights(tmp_path / "models/word.safetensors", SMALL)
    broken = tmp_path / "models/broken.safetensors"
    broken.write_text("x")
    assert [info.sha256 for info in catalog.list()] == [None, None]
    catalog.start()
    assert settled(catalog) == {"word": sha256(path), "broken": None}
    later = write_weights(tmp_path / "models/later.safetensors", SMALL, {"a": "b"})
    assert settled(catalog)["later"] == sha256(later)


def test_a_hash_is_kept_until_the_file_changes(tmp_path: Path, catalog: Catalog) -> None:
    path = write_weights(tmp_path / "models/word.safetensors", SMALL)
    catalog.start()
    first = settled(catalog)["word"]
    again = Catalog([tmp_path / "models"])
    again.remember(tmp_path / "kept.sqlite")
    assert [info.sha256 for info in again.list()] == [first]  # its thread was never started
    os.utime(path, ns=(1, 1))
    assert [info.sha256 for info in again.list()] == [None]
    write_weights(path, SMALL, {"other": "bytes"})
    assert [info.sha256 for info in again.list()] == [None]
    again.close()
    assert settled(catalog)["word"] == sha256(path) != first


def test_a_folder_goes_by_its_unet(tmp_path: Path, catalog: Catalog) -> None:
    folder = write_pipeline(tmp_path / "models/boats")
    unet = folder / "unet"
    catalog.start()
    whole = unet / "diffusion_pytorch_model.safetensors"
    assert settled(catalog)["boats"] == sha256(whole)
    whole.unlink()
    shards = [unet / f"diffusion_pytorch_model-{n}.safetensors" for n in (1, 2)]
    for shard in shards:
        write_weights(shard, {shard.stem: (100,)})
    index = {"weight_map": {path.stem: path.name for path in shards}}
    write_json(unet / "diffusion_pytorch_model.safetensors.index.json", index)
    assert settled(catalog)["boats"] == sha256(*shards)


def test_the_model_in_use_is_found_by_its_short_hash(tmp_path: Path, catalog: Catalog) -> None:
    small = {name: (4,) * len(shape) for name, shape in sd1().items()}
    path = write_weights(tmp_path / "models/sub/cat.safetensors", small)
    write_weights(tmp_path / "models/dog.safetensors", small, {"other": "bytes"})
    write_weights(tmp_path / "models/vae.safetensors", dict.fromkeys(VAE, (4,) * 4))
    assert catalog.short_hash("sub/cat") is None
    catalog.hash_soon(catalog.find("sub/cat"))
    catalog.start()
    settled(catalog)
    short = sha256(path)[:10]
    assert catalog.short_hash("sub/cat") == short
    assert catalog.short_hash("nobody") is None

    def matched(name: str | None, short_hash: str | None) -> str | None:
        info = catalog.match(name, short_hash)
        return info.name if info else None

    assert matched("dog", short) == "sub/cat"  # the hash goes first
    assert matched("dog", short.upper()) == "sub/cat"
    assert matched("dog", "0123456789") == "dog"
    assert matched("Cat", None) == "sub/cat"  # A1111 leaves the folders out
    assert matched("x\\cat", None) == "sub/cat"
    assert matched("vae", None) is None
    assert matched(None, "") is None


def test_hashing_can_be_ended_in_the_middle(tmp_path: Path, catalog: Catalog) -> None:
    write_weights(tmp_path / "models/large.safetensors", {"emb_params": (50_000_000, 768)})
    catalog.list()  # 77 GB of holes
    catalog.start()
    assert not catalog.settled(0.1)
    catalog.stop()
    assert "studio-hashes" not in {thread.name for thread in threading.enumerate()}
    assert [info.sha256 for info in catalog.list()] == [None]
