"""Where models are found, what they are called, and that unchanged files are not opened again."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studio.errors import InvalidRequest
from studio.models.catalog import Catalog
from studio.models.folders import OWN_FOLDERS, prepare
from tests.weights import VAE, Shapes, kohya_lora, sd1, sdxl, write_pipeline, write_weights

EMBEDDING: Shapes = {"emb_params": (2, 768)}
UPSCALER: Shapes = {"conv_first.weight": (4, 3, 3, 3), "body.0.rdb1.conv1.weight": (4, 4, 3, 3)}
TINY: Shapes = {"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)}
A1111 = {
    "models/Stable-diffusion/sub/cat.safetensors": sd1(), "models/VAE/ft.safetensors": VAE,
    "models/VAE-approx/taesd.safetensors": TINY, "models/Lora/style.safetensors": kohya_lora(768),
    "models/ESRGAN/big.safetensors": UPSCALER, "models/RealESRGAN/real.safetensors": UPSCALER,
    "embeddings/word.safetensors": EMBEDDING, "models/Codeformer/face.safetensors": VAE,
    "repositories/clip/any.safetensors": VAE,
}  # fmt: skip
COMFY = {
    "models/checkpoints/sub/cat.safetensors": sd1(), "models/vae/ft.safetensors": VAE,
    "models/vae_approx/taesd.safetensors": TINY, "models/loras/style.safetensors": kohya_lora(768),
    "models/upscale_models/big.safetensors": UPSCALER, "models/unet/part.safetensors": {},
    "models/embeddings/word.safetensors": EMBEDDING, "models/clip/text.safetensors": VAE,
    "models/upscale_models/real.safetensors": UPSCALER, "custom_nodes/x/any.safetensors": VAE,
}  # fmt: skip
FOUND = {
    ("checkpoint", "sub/cat"), ("vae", "ft"), ("vae", "taesd"), ("lora", "style"),
    ("upscaler", "big"), ("upscaler", "real"), ("embedding", "word"),
}  # fmt: skip


def names(*roots: Path) -> list[str]:
    return [info.name for info in Catalog(roots).list()]


@pytest.mark.parametrize("layout", [A1111, COMFY], ids=["a1111", "comfyui"])
def test_the_layouts_of_others_are_understood(tmp_path: Path, layout: dict[str, Shapes]) -> None:
    for path, shapes in layout.items():
        write_weights(tmp_path / path, shapes)
    catalog = Catalog([tmp_path])
    usable = {(info.kind, info.name) for info in catalog.list() if not info.problem}
    assert usable == FOUND
    inside = {(info.kind, info.name) for info in Catalog([tmp_path / "models"]).list()}
    missing = {("embedding", "word")} if layout is A1111 else set()
    assert inside >= FOUND - missing
    assert {(info.name, info.family) for info in catalog.of_kind("lora")} == {("style", "sd1")}
    assert catalog.find("ft", "vae").path == tmp_path / next(p for p in layout if "ft." in p)


def test_ones_own_folders_are_made(tmp_path: Path) -> None:
    prepare(tmp_path / "models", [])
    assert {path.name for path in (tmp_path / "models").iterdir()} == set(OWN_FOLDERS)
    for kind in OWN_FOLDERS:
        write_weights(tmp_path / "models" / kind / "cat.safetensors", sd1())
    write_pipeline(tmp_path / "models" / "boats")
    write_pipeline(tmp_path / "models/checkpoints/ships")
    assert {"boats", "ships"} <= set(names(tmp_path / "models"))


def test_an_extra_folder_that_is_not_there_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(tmp_path / "models", [tmp_path / "away"])
    assert f"no folder {tmp_path / 'away'}" in caplog.text
    assert names(tmp_path / "away") == []


def test_a_plain_folder_and_one_of_a_single_kind(tmp_path: Path) -> None:
    write_weights(tmp_path / "disk/cats/cat.safetensors", sd1())
    (tmp_path / "disk/film.mkv").write_text("x")
    (tmp_path / "Lora").mkdir()
    (tmp_path / "Lora/old.pt").write_text("x")
    assert names(tmp_path / "disk") == ["cats/cat"]
    (info,) = Catalog([tmp_path / "Lora"]).list()
    assert (info.kind, info.problem is None) == ("lora", False)


def test_two_of_one_name_both_stay_reachable(tmp_path: Path) -> None:
    first, second = tmp_path / "own/models", tmp_path / "webui"
    write_weights(first / "checkpoints/cat.safetensors", sd1())
    (first / "checkpoints/cat.ckpt").write_text("x")
    write_weights(first / "unet/cat.safetensors", sdxl())
    write_weights(first / "loras/cat.safetensors", kohya_lora(768))
    write_weights(second / "models/Stable-diffusion/cat.safetensors", sdxl(9))
    write_weights(tmp_path / "other/webui/cat.safetensors", sd1(9))
    catalog = Catalog([first, second, tmp_path / "other/webui"])
    found = {info.name: info.path for info in catalog.list() if info.kind == "checkpoint"}
    assert found == {
        "cat": first / "checkpoints/cat.safetensors",
        "cat.ckpt": first / "checkpoints/cat.ckpt",
        "cat (unet)": first / "unet/cat.safetensors",
        "cat (webui)": second / "models/Stable-diffusion/cat.safetensors",
        "cat (webui 2)": tmp_path / "other/webui/cat.safetensors",
    }
    assert catalog.find("cat (webui)").inpainting
    assert catalog.find("cat", "lora").family == "sd1"


def test_a_broken_file_does_not_take_a_name(tmp_path: Path) -> None:
    (tmp_path / "a/models/checkpoints").mkdir(parents=True)
    (tmp_path / "a/models/checkpoints/cat.safetensors").write_text("half")
    good = write_weights(tmp_path / "b/cat.safetensors", sd1())
    assert Catalog([tmp_path / "a", tmp_path / "b"]).find("cat").path == good


def test_what_two_roots_share_is_listed_once(tmp_path: Path) -> None:
    write_weights(tmp_path / "a/models/checkpoints/cat.safetensors", sd1())
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    assert names(tmp_path / "a", tmp_path / "b", tmp_path / "a/models/checkpoints") == ["cat"]


def test_names_of_another_kind_are_explained(tmp_path: Path) -> None:
    write_weights(tmp_path / "style.safetensors", kohya_lora(768))
    catalog = Catalog([tmp_path])
    with pytest.raises(InvalidRequest, match="“style” is no model but of another kind: LoRA"):
        catalog.find("style")
    with pytest.raises(InvalidRequest, match="no VAE called “x”, nor another") as caught:
        catalog.find("x", "vae", field="vae")
    assert caught.value.problems[0].field == "vae"


def test_changes_are_seen_and_unchanged_files_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = Path.open

    def watched(self: Path, *given: object, **more: object) -> object:
        opened.append(self.name)
        return real(self, *given, **more)  # type: ignore[arg-type, call-overload]

    monkeypatch.setattr(Path, "open", watched)
    cat = write_weights(tmp_path / "models/cat.safetensors", sd1())
    catalog = Catalog([tmp_path])
    opened.clear()
    assert [info.family for info in catalog.list()] == ["sd1"]
    assert opened == ["cat.safetensors"]
    assert [info.family for info in catalog.list()] == ["sd1"]
    assert opened == ["cat.safetensors"]
    write_weights(tmp_path / "models/dog.safetensors", sdxl())
    write_weights(cat, sdxl())
    opened.clear()
    assert [info.family for info in catalog.list()] == ["sdxl", "sdxl"]
    assert sorted(opened) == ["cat.safetensors", "dog.safetensors"]
    cat.unlink()
    assert [info.name for info in catalog.list()] == ["models/dog"]
    catalog.rescan()
    assert opened.count("dog.safetensors") == 2


def test_what_was_recognised_is_kept_for_the_next_start(tmp_path: Path) -> None:
    cat = write_weights(tmp_path / "models/cat.safetensors", sd1(9))
    first = Catalog([tmp_path / "models"])
    first.remember(tmp_path / "kept.sqlite")
    models = first.list()
    first.close()
    times, size = cat.stat(), cat.stat().st_size
    cat.write_bytes(b"\0" * 100)  # behind the catalog's back: same size, same time of change
    os.truncate(cat, size)
    os.utime(cat, ns=(times.st_atime_ns, times.st_mtime_ns))
    second = Catalog([tmp_path / "models"])
    second.remember(tmp_path / "kept.sqlite")
    assert second.list() == models
    assert "damaged" in str(second.rescan()[0].problem)
    second.close()


def test_many_may_ask_at_once(tmp_path: Path) -> None:
    for number in range(20):
        write_weights(tmp_path / f"cat{number}.safetensors", sd1())
    catalog = Catalog([tmp_path])
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: catalog.list(), range(24)))
    assert all(each == lists[0] for each in lists)
    assert len(lists[0]) == 20
