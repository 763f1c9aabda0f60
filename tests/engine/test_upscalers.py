"""Upscalers: the published networks' pictures, exact sizes, tiles without edges, no pickles."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from studio.errors import InvalidRequest, ModelError
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.placement import choose
from studio.models.upscalers import enlarge
from studio.models.upscalers.enlarge import Enlarger
from studio.models.upscalers.loading import load_upscaler
from tests import upscalers

MODEL = ModelInfo("pocket", Path())


def photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[:height, :width]
    waves = [128 + 90 * np.sin(x / 7 + k) * np.cos(y / (5 + k)) for k in range(len(mode))]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8))


def run(work: Generator[Any, None, Image.Image]) -> tuple[list[Any], Image.Image]:
    told = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            return told, end.value


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., Catalog]:
    def make(**files: dict[str, torch.Tensor]) -> Catalog:
        (tmp_path / "upscalers").mkdir(exist_ok=True)
        for name, weights in files.items():
            save_file(weights, tmp_path / "upscalers" / f"{name}.safetensors")
        return Catalog([tmp_path])

    return make


@pytest.mark.parametrize("prefix", ["", "params_ema."])
@pytest.mark.parametrize(
    ("layout", "scale"),
    [("new", 1), ("new", 2), ("new", 4), ("trunk", 2), ("trunk", 4), ("old", 1), ("old", 2),
     ("old", 4)],
)  # fmt: skip
def test_an_esrgan_file_makes_the_published_networks_picture(
    shelf: Callable[..., Catalog], layout: str, scale: int, prefix: str
) -> None:
    weights = upscalers.random_weights(upscalers.rrdb_shapes(layout, scale))
    (info,) = shelf(net={prefix + n: t for n, t in weights.items()}).list()
    assert (info.kind, info.variety, info.problem) == ("upscaler", "rrdbnet", None)
    network = load_upscaler(info, choose("cpu", "fp32"))
    given = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    expected = upscalers.rrdb_forward(weights, given, layout, scale)
    assert network.scale == scale
    assert expected.shape == (1, 3, 16 * scale, 24 * scale)
    assert expected.std() > 0.01
    torch.testing.assert_close(network(given), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_compact_file_makes_the_published_networks_picture(
    shelf: Callable[..., Catalog], scale: int
) -> None:
    weights = upscalers.random_weights(upscalers.srvgg_shapes(scale))
    (info,) = shelf(net=weights).list()
    assert (info.kind, info.variety, info.problem) == ("upscaler", "srvgg", None)
    network = load_upscaler(info, choose("cpu", "fp32"))
    given = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(1))
    expected = upscalers.srvgg_forward(weights, given, scale)
    torch.testing.assert_close(network(given), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(101, 67), (142, 90), (30, 90), (400, 268)])
@pytest.mark.parametrize("way", ["lanczos", "nearest", "double", "half-way"])
def test_a_picture_has_exactly_the_size_that_was_asked_for(
    shelf: Callable[..., Catalog], way: str, size: tuple[int, int], mode: str
) -> None:
    catalog = shelf(
        double=upscalers.random_weights(upscalers.rrdb_shapes("new", 2)),
        **{"half-way": upscalers.random_weights(upscalers.srvgg_shapes(1))},
    )
    enlarger = Enlarger(catalog, choose("cpu", "fp32"))
    start = photo(71, 45, mode)
    _, result = run(enlarger.enlarge(start, size, way, MODEL, "hires_upscaler"))
    assert (result.size, result.mode) == (size, mode)


def test_tiles_leave_no_trace(
    shelf: Callable[..., Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = upscalers.random_weights(upscalers.srvgg_shapes(2))
    catalog, start = shelf(net=weights), photo(150, 110)
    enlarger = Enlarger(catalog, choose("cpu", "fp32"))
    one, whole = run(enlarger.enlarge(start, (300, 220), "net", MODEL, "upscaler"))
    monkeypatch.setattr(enlarge, "TILE", 64)
    many, tiled = run(enlarger.enlarge(start, (300, 220), "net", MODEL, "upscaler"))
    assert (one, many[-1]) == ([(1, 1)], (12, 12))
    difference = np.abs(np.asarray(whole, int) - np.asarray(tiled, int))
    assert difference.max() <= 1  # the network sees 4 pixels far, less than the blind quarter


def test_a_seamless_picture_stays_seamless(shelf: Callable[..., Catalog]) -> None:
    catalog = shelf(net=upscalers.random_weights(upscalers.srvgg_shapes(2)))
    enlarger = Enlarger(catalog, choose("cpu", "fp32"))
    start = photo(60, 40)
    turned = Image.fromarray(np.roll(np.asarray(start), (11, 23), (0, 1)))
    _, result = run(enlarger.enlarge(start, (120, 80), "net", MODEL, "upscaler", (True, True)))
    _, other = run(enlarger.enlarge(turned, (120, 80), "net", MODEL, "upscaler", (True, True)))
    expected = np.roll(np.asarray(result, int), (22, 46), (0, 1))
    assert np.abs(np.asarray(other, int) - expected).max() <= 1


def test_what_is_no_such_network_is_said(shelf: Callable[..., Catalog]) -> None:
    weights = upscalers.random_weights(upscalers.rrdb_shapes("new", 4))
    del weights["body.1.rdb2.conv3.bias"]
    compact = upscalers.random_weights(upscalers.srvgg_shapes(2))
    del compact["body.4.bias"]
    grey = upscalers.random_weights(upscalers.rrdb_shapes("trunk", 4))
    grey["conv_last.weight"], grey["conv_last.bias"] = torch.zeros(1, 6, 3, 3), torch.zeros(1)
    for info in shelf(less=weights, compact=compact, grey=grey).list():
        with pytest.raises(ModelError, match="tensors are not those"):
            load_upscaler(info, choose("cpu", "fp32"))


def test_a_pickle_is_refused_and_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "opened",)

    folder = tmp_path / "upscalers"
    folder.mkdir()
    (folder / "RealESRGAN_x4plus.pth").write_bytes(pickle.dumps(Trap()))
    catalog = Catalog([tmp_path])
    (info,) = catalog.list()
    assert info.kind == "upscaler" and "save it as safetensors" in str(info.problem)
    enlarger = Enlarger(catalog, choose("cpu", "fp32"))
    with pytest.raises(InvalidRequest, match="safetensors") as caught:
        run(enlarger.enlarge(photo(8, 8), (16, 16), "RealESRGAN_x4plus", MODEL, "upscaler"))
    assert caught.value.problems[0].field == "upscaler"
    assert not (tmp_path / "opened").exists()


def test_other_makes_need_spandrel(
    shelf: Callable[..., Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = shelf(swin={"layers.0.residual_group.x": torch.zeros(2)})
    monkeypatch.setitem(sys.modules, "spandrel", None)
    monkeypatch.setattr("studio.models.describe.find_spec", lambda _: None)
    (info,) = catalog.rescan()
    assert "spandrel" in str(info.problem)

    class Loader:
        def __init__(self, device: torch.device) -> None:
            self.device = device

        def load_from_state_dict(self, tensors: dict[str, torch.Tensor]) -> Any:
            assert [*tensors] == ["layers.0.residual_group.x"]
            return Described()

    class Described:
        scale, input_channels, output_channels = 2, 3, 3

        def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.interpolate(pictures, scale_factor=2.0)

    monkeypatch.setitem(sys.modules, "spandrel", SimpleNamespace(ModelLoader=Loader))
    monkeypatch.setattr("studio.models.describe.find_spec", lambda _: object())
    (info,) = catalog.rescan()
    assert info.problem is None
    enlarger = Enlarger(catalog, choose("cpu", "fp32"))
    start = photo(20, 10)
    _, result = run(enlarger.enlarge(start, (40, 20), "swin", MODEL, "upscaler"))
    assert np.abs(np.asarray(result)[::2, ::2].astype(int) - np.asarray(start, int)).max() <= 1
