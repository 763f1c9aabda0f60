"""The real Marian road at tiny size: found, loaded, asked, remembered, let go."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from studio.errors import ModelError, NotFound
from studio.models.catalog import Catalog
from studio.translation import translator as room
from studio.translation.marian import Marian
from studio.translation.translator import Translator, load_marian
from tests.translators import CHINESE, ENGLISH, save_tiny_translator

SECONDS = 60


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_translator(tmp_path_factory.mktemp("models") / "translators" / "opus")


def test_it_is_found_by_what_is_in_its_folder(tiny: Path, tmp_path: Path) -> None:
    [info] = Catalog([tiny.parent.parent]).list()
    assert (info.kind, info.problem, info.languages) == ("translator", None, ("zh", "en"))
    assert info.size == (tiny / "model.safetensors").stat().st_size
    for file, sentence in (
        ("source.spm", "Its source.spm is missing."),
        ("model.safetensors", "Its folder has no safetensors weights."),
    ):
        shutil.copytree(tiny, tmp_path / file / "broken")
        (tmp_path / file / "broken" / file).unlink()
        [broken] = Catalog([tmp_path / file]).list()
        assert broken.problem == sentence
    other = shutil.copytree(tiny, tmp_path / "other" / "one")
    (other / "tokenizer_config.json").write_text('{"source_lang": "eng", "target_lang": "zho"}')
    [wrong] = Catalog([tmp_path / "other"]).list()
    assert wrong.problem is not None
    assert wrong.problem.startswith("It translates from en to zh;")


def test_it_translates_in_order_and_does_not_depend_on_the_company(tiny: Path) -> None:
    network = Marian(tiny, "opus")
    assert network([*CHINESE, *CHINESE * 5]) == [*ENGLISH, *ENGLISH * 5]
    assert network(CHINESE[:1]) == ENGLISH[:1]
    assert network([]) == []
    assert len(network(["猫" * 2_000])) == 1  # longer than it can read


def test_prompts_keep_their_marks_and_are_remembered(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    catalog = Catalog([tiny.parent.parent])

    def load(info: object) -> room.Network:
        loads.append(info)
        return load_marian(info)  # type: ignore[arg-type]

    translator = Translator(catalog, load)
    prompt = f"({CHINESE[0]}:1.3), <lora:墨:0.5> BREAK {CHINESE[1]} AND __颜色__"
    first = translator.translate(prompt).result(SECONDS)
    assert first == f"({ENGLISH[0]}:1.3), <lora:墨:0.5> BREAK {ENGLISH[1]} AND __颜色__"
    held = translator._held
    assert held is not None
    monkeypatch.setattr(translator, "_held", (held[0], lambda _: pytest.fail("asked again")))
    assert translator.translate(prompt).result(SECONDS) == first
    assert translator.translate("a cat").result(SECONDS) == "a cat"
    translator.rest(-1)
    deadline = time.monotonic() + SECONDS
    while translator._held is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert translator.translate(CHINESE[2]).result(SECONDS) == ENGLISH[2]
    assert len(loads) == 2
    translator.close()
    with pytest.raises(CancelledError):
        translator.translate("猫").result(SECONDS)


def test_without_one_it_says_how_to_get_it(tmp_path: Path) -> None:
    translator = Translator(Catalog([tmp_path]))
    with pytest.raises(NotFound, match="install “Chinese to English” on the Models tab"):
        translator.translate("猫")


def test_a_damaged_one_is_told_in_a_sentence(tiny: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(tiny, tmp_path / "opus")
    (broken / "vocab.json").write_text("{")
    translator = Translator(Catalog([tmp_path]))
    with pytest.raises(ModelError, match="The translator “opus” cannot be loaded: "):
        translator.translate("猫").result(SECONDS)
    translator.close()
