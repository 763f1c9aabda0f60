"""Pocket's training: what its parts promise, on its own networks, in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.models.addons.lora import ActiveLora, Loras
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.architecture import make_text_encoder, make_unet
from studio.pocket.attributes import ATTRIBUTES, labels
from studio.pocket.captions import WORDINGS, Captions, shortened
from studio.pocket.classifier import ClassifierStage
from studio.pocket.data import Renders, Resident, scene_at
from studio.pocket.fewsteps import FILE, fill_base, make_student, write_lora
from studio.pocket.loop import Settings, fit, load_averaged
from studio.pocket.measures import accuracies
from studio.pocket.muon import Muon, orthogonalized
from studio.pocket.warm import copy_tokenizer
from studio.pocket.world import render
from studio.settings import REPOSITORY

POCKET = REPOSITORY / "assets" / "pocket"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Renders:
    """A dozen pictures and their captions."""
    drawn = Renders(tmp_path_factory.mktemp("training"), 12)
    copy_tokenizer(POCKET, drawn.folder)
    assert list(drawn.draw(1)) == [12]
    Captions(drawn).write(1)
    return drawn


def test_pictures_are_chosen_as_they_were_drawn(renders: Renders) -> None:
    resident = Resident(renders, CPU)
    chosen = resident.choose(5, torch.Generator().manual_seed(0))
    for index, picture in zip(chosen.tolist(), resident.pictures[chosen], strict=True):
        assert np.array_equal(picture.numpy(), np.asarray(render(scene_at(0, index))))


def test_captions_come_in_both_languages_and_stay(renders: Renders) -> None:
    captions = Captions(renders)
    ids = captions.ids(CPU)
    assert ids.shape == (12, WORDINGS, 77)
    written = captions.path.read_bytes()
    captions.write(1)
    assert captions.path.read_bytes() == written
    english, chinese = captions.tokenizer().batch_decode(ids[0, :2], skip_special_tokens=True)
    assert english.isascii()
    assert not chinese.isascii()


def test_a_shortened_text_is_read_as_the_whole(renders: Renders) -> None:
    captions = Captions(renders)
    encoder = make_text_encoder(len(captions.tokenizer())).eval()
    ids = captions.ids(CPU)[0, :4]
    short = shortened(ids)
    assert short.shape[1] < 77
    with torch.no_grad():
        whole, cut = (encoder(input_ids=each).pooler_output for each in (ids.long(), short))
    assert torch.allclose(whole, cut, atol=1e-5)


def test_steps_of_matrices_are_orthogonal() -> None:
    spread = torch.linalg.svdvals(orthogonalized(torch.randn(3, 20, 50)).float())
    assert spread.min() > 0.5
    assert spread.max() < 1.4


def test_matrices_of_one_shape_step_as_each_alone() -> None:
    torch.manual_seed(0)
    first, second = (torch.nn.Parameter(torch.randn(6, 4, 3, 3)) for _ in range(2))
    alone = torch.nn.Parameter(first.detach().clone())
    first.grad, second.grad = torch.randn(2, 6, 4, 3, 3)
    assert first.grad is not None
    alone.grad = first.grad.clone()
    Muon([first, second], lr=0.1, momentum=0.9, decay=0.01).step()
    Muon([alone], lr=0.1, momentum=0.9, decay=0.01).step()
    assert torch.allclose(first, alone, atol=1e-3)


def test_a_stage_goes_on_where_it_was_and_is_loaded(renders: Renders) -> None:
    def trained(samples: int) -> int:
        stage = ClassifierStage(renders, Settings(folder=renders.folder))
        stage.batch, stage.samples, stage.examined = 4, samples, 8
        stage.open()
        return fit(stage, Settings(folder=renders.folder)).steps

    assert trained(24) == 8  # what is done is looked at every few steps
    assert trained(60) == 16
    fresh = ClassifierStage(renders, Settings(folder=renders.folder)).learner
    before = fresh.mix.weight.clone()
    load_averaged(renders.folder, ClassifierStage.name, fresh)
    assert not torch.equal(fresh.mix.weight, before)


def test_the_few_step_add_on_starts_as_nothing_and_travels(tmp_path: Path) -> None:
    store = ModelStore(Catalog([POCKET]), "cpu", "fp32")
    model: Any = store.acquire("pocket")
    student = make_student().eval()
    base = make_unet().eval()
    base.load_state_dict(model.unet.state_dict())
    fill_base(student, base)
    given = (torch.randn(1, 4, 16, 16), torch.tensor([500]), torch.randn(1, 77, 192))
    with torch.no_grad():
        plain = base(*given).sample
        assert torch.allclose(student(*given).sample, plain, atol=1e-5)
        for name, weight in student.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.2)
        path = tmp_path / FILE
        write_lora(student, path)
        wanted = student(*given).sample
        with Loras().applied(model, [ActiveLora(ModelInfo(path.stem, path, "lora"), 1.0, 1.0)]):
            found = model.unet(*given).sample
    change = (wanted - plain).abs().mean()
    assert change > 0.05
    assert (found - wanted).abs().mean() < 0.02 * change  # the file is in fp16


def test_accuracies_are_whole_for_what_is_true_and_none_for_nothing() -> None:
    scenes = [scene_at(0, index) for index in range(40)]
    right = labels(scenes)
    assert set(accuracies(scenes, right).values()) == {1.0}
    sizes = torch.tensor([len(options) for options in ATTRIBUTES.values()])
    wrong = accuracies(scenes, (right + 1) % sizes)
    assert wrong["style"] == wrong["binding"] == wrong["colour"] == 0.0
