"""Installs from the hub, against a stand-in of it that is a real server."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.errors import HubError, InvalidRequest, NotFound
from studio.models.catalog import Catalog
from studio.models.hub.address import read_address
from studio.models.hub.choose import file_name, folder_files, kind_of, single_files
from studio.models.hub.download import Download
from studio.models.hub.hub import Hub
from studio.models.hub.plan import RepoFile
from studio.models.hub.talk import ask
from studio.settings import REPOSITORY
from tests.stand_in import Repo, StandIn, diffusers_files, safetensors, stand_in
from tests.translators import save_tiny_translator

SECONDS = 60.0
LARGE = 2_000_000
OFFERS = REPOSITORY / "presets" / "models.json"


@pytest.fixture
def hub_server() -> Iterator[StandIn]:
    with stand_in() as running:
        running.repos["someone/boats"] = Repo(diffusers_files())
        yield running


@pytest.fixture
def make_hub(tmp_path: Path, hub_server: StandIn) -> Iterator[Callable[..., Hub]]:
    """A hub whose models folder outlives it; ``environment`` is added to the test's own."""
    opened: list[Hub] = []

    def make(**environment: str) -> Hub:
        clean = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
        ours = {"HF_ENDPOINT": hub_server.url, "NO_PROXY": "127.0.0.1", "HF_HUB_OFFLINE": "1"}
        hub = Hub(tmp_path / "models", OFFERS, {**clean, **ours, **environment})
        opened.append(hub)
        return hub

    yield make
    for hub in opened:
        hub.close()


def until(hub: Hub, *states: str, more: Callable[[Download], bool] | None = None) -> Download:
    """The one download, once it is in one of ``states``."""
    deadline = time.monotonic() + SECONDS
    while True:
        (download,) = hub.downloads()
        if download.state in states and (more is None or more(download)):
            return download
        assert time.monotonic() < deadline, download
        assert download.state != "failed" or "failed" in states, download
        time.sleep(0.02)


def wait(true: Callable[[], bool]) -> None:
    """Until it is."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_plan_names_what_is_needed_and_its_size(
    make_hub: Callable[..., Hub], hub_server: StandIn
) -> None:
    look = make_hub().plan("someone/boats")
    files = hub_server.repos["someone/boats"].files
    assert {file.path for file in look.plan.files} == {
        "model_index.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
        "scheduler/scheduler_config.json", "unet/config.json", "vae/config.json",
        "text_encoder/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors", "text_encoder/model.fp16.safetensors",
    }  # fmt: skip
    assert look.plan.total == sum(len(files[file.path]) for file in look.plan.files)
    assert (look.plan.licence, look.plan.gated) == ("creativeml-openrail-m", False)
    assert (look.plan.problem, look.installed, look.kept) == (None, False, 0)
    assert hub_server.files_asked() == []


def test_an_install_is_listed_by_the_catalog_once_it_is_whole(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    hub_server.repos["someone/boats"].files.update(diffusers_files(1_000_000))
    hub_server.pace = 0.02
    hub = make_hub()
    catalog = Catalog([tmp_path / "models"])
    needed = [file.path for file in hub.plan("someone/boats").plan.files]
    hub.install("https://huggingface.co/someone/boats/tree/main")
    seen = []
    while (now := hub.downloads()[0]).state != "done":
        seen.append(now.done)
        for info in catalog.list():  # whole at once, in the moment before it is told
            assert all((info.path / file).exists() for file in needed)
        time.sleep(0.02)
        assert now.state != "failed", now
    assert seen == sorted(seen) and any(0 < done < now.total for done in seen)
    assert now.done == now.total and now.where == str(tmp_path / "models/checkpoints/boats")
    (info,) = catalog.list()
    assert info.path == tmp_path / "models/checkpoints/boats"
    assert list((tmp_path / "models").rglob("*.part")) == []
    assert not (tmp_path / "models/checkpoints/.downloads").exists()
    assert hub.plan("someone/boats").installed
    with pytest.raises(InvalidRequest, match="is installed already, as checkpoints/boats"):
        hub.install("someone/boats")


def test_cancelled_and_gone_on_with_in_another_run(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    hub_server.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
    hub_server.pace = 0.05
    hub = make_hub()
    first = hub.install("someone/one")
    until(hub, "downloading", more=lambda now: now.done > 300_000)
    hub.cancel(first.id)
    assert hub.downloads()[0].state == "cancelled"
    hub.close()
    asked = len(hub_server.asked)

    again = make_hub()
    (left,) = again.downloads()
    assert left.state == "cancelled" and 300_000 < left.done < left.total
    assert len(hub_server.asked) == asked  # not before it is told to
    hub_server.pace = 0.0
    resumed = again.install("someone/one")
    assert resumed.id == left.id
    done = until(again, "done")
    ranges = [each.range for each in hub_server.files_asked()[-1:]]
    assert ranges == [f"bytes={left.done}-"]
    assert done.where is not None
    content = hub_server.repos["someone/one"].files["one.safetensors"]
    assert Path(done.where).read_bytes() == content
    again.cancel(done.id)
    assert again.downloads() == [] and Path(done.where).exists()


def test_a_stopped_one_is_forgotten_with_what_came(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    hub_server.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
    hub_server.pace = 0.05
    hub = make_hub()
    begun = hub.install("someone/one")
    until(hub, "downloading", more=lambda now: now.done > 0)
    hub.cancel(begun.id)
    hub.cancel(begun.id)
    assert hub.downloads() == []
    assert list((tmp_path / "models").rglob("*.part")) == []
    with pytest.raises(NotFound, match="There is no download"):
        hub.cancel(begun.id)


def test_a_cut_connection_is_gone_on_with_by_itself(
    make_hub: Callable[..., Hub], hub_server: StandIn
) -> None:
    hub_server.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
    hub = make_hub()
    hub.plan("someone/one")  # its header is read here: not the request that is cut
    hub_server.asked.clear()
    hub_server.cut_after = 600_000
    hub.install("someone/one")
    until(hub, "done")
    began = [each.range for each in hub_server.files_asked() if each.range != "bytes=0-100000"]
    assert began[0] is None and began[1] is not None and began[1] != "bytes=0-"


def test_a_hub_that_goes_away_is_told_and_gone_on_with_when_it_is_back(
    make_hub: Callable[..., Hub], hub_server: StandIn
) -> None:
    hub_server.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
    hub_server.pace = 0.05
    hub = make_hub()
    hub.install("someone/one")
    until(hub, "downloading", more=lambda now: now.done > 300_000)
    hub_server.away = True
    failed = until(hub, "failed")
    assert "broke; try again, what came is kept." in str(failed.error)
    assert failed.done > 300_000
    hub_server.away, hub_server.pace = False, 0.0
    hub_server.asked.clear()
    assert hub.install("someone/one").id == failed.id
    done = until(hub, "done")
    assert hub_server.files_asked()[0].range not in (None, "bytes=0-")
    content = hub_server.repos["someone/one"].files["one.safetensors"]
    assert Path(str(done.where)).read_bytes() == content


def test_a_killed_child_is_told_and_gone_on_with(
    make_hub: Callable[..., Hub], hub_server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[subprocess.Popen[str]] = []

    class Noted(subprocess.Popen[str]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            children.append(self)

    monkeypatch.setattr("studio.models.hub.talk.subprocess.Popen", Noted)
    hub_server.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
    hub_server.pace = 0.05
    hub = make_hub()
    hub.install("someone/one")
    until(hub, "downloading", more=lambda now: now.done > 300_000)
    children[-1].kill()
    failed = until(hub, "failed")
    assert failed.error == "The download was interrupted; resume to go on."
    hub_server.pace = 0.0
    hub_server.asked.clear()
    hub.install("someone/one")
    done = until(hub, "done")
    assert hub_server.files_asked()[0].range not in (None, "bytes=0-")
    content = hub_server.repos["someone/one"].files["one.safetensors"]
    assert Path(str(done.where)).read_bytes() == content


def test_two_models_of_one_name_neither_mix_nor_replace_each_other(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    ours, theirs = safetensors(size=LARGE), safetensors(("other",), size=LARGE + 1)
    hub_server.repos["we/boats"] = Repo({"boats.safetensors": ours})
    hub_server.repos["they/boats"] = Repo({"boats.safetensors": theirs})
    assert len(ours) == len(theirs)
    hub_server.pace = 0.05
    hub = make_hub()
    first = hub.install("we/boats")
    until(hub, "downloading", more=lambda now: now.done > 300_000)
    hub.cancel(first.id)
    hub_server.pace = 0.0
    hub.install("they/boats")
    folder = tmp_path / "models/checkpoints"
    wait(lambda: hub.downloads()[1].state == "done")
    assert hub.downloads()[1].where == str(folder / "boats.safetensors")
    hub.install("we/boats")
    wait(lambda: hub.downloads()[0].state == "done")
    assert hub.downloads()[0].where == str(folder / "boats-we.safetensors")
    assert (folder / "boats.safetensors").read_bytes() == theirs
    assert (folder / "boats-we.safetensors").read_bytes() == ours
    assert hub.plan("we/boats").installed and hub.plan("they/boats").installed


def test_the_token_goes_to_the_hub_and_to_no_other_host(
    make_hub: Callable[..., Hub], hub_server: StandIn
) -> None:
    hub_server.elsewhere = True
    hub_server.repos["someone/boats"].gated = True
    hub = make_hub(HF_TOKEN="hf_right", NO_PROXY="127.0.0.1,localhost")
    hub.install("someone/boats")
    until(hub, "done")
    away = [each.token for each in hub_server.asked if each.path.startswith("/elsewhere")]
    home = [each.token for each in hub_server.asked if not each.path.startswith("/elsewhere")]
    assert away and set(away) == {None}
    assert home and set(home) == {"hf_right"}


def test_what_arrives_damaged_is_refused(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    hub_server.damage = True
    hub = make_hub()
    hub.install("someone/boats")
    assert "arrived damaged (its hash is not what the hub says)" in str(until(hub, "failed").error)
    assert Catalog([tmp_path / "models"]).list() == []
    hub_server.damage = False
    hub.install("someone/boats")
    until(hub, "done")


def test_a_damaged_beginning_is_fetched_once_more(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    hub_server.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
    hub_server.pace = 0.05
    hub = make_hub()
    begun = hub.install("someone/one")
    until(hub, "downloading", more=lambda now: now.done > 300_000)
    hub.cancel(begun.id)
    hub_server.pace = 0.0
    (part,) = (tmp_path / "models").rglob("*.part")
    time.sleep(0.2)  # its process is gone by then
    part.write_bytes(bytes(part.stat().st_size))
    hub.install("someone/one")
    until(hub, "done")


def test_a_gate_is_explained_and_opened_by_the_token_of_the_environment(
    make_hub: Callable[..., Hub], hub_server: StandIn
) -> None:
    hub_server.repos["someone/boats"].gated = True
    plan = make_hub().plan("someone/boats").plan
    page = f"{hub_server.url}/someone/boats"
    assert plan.gated and not plan.allowed and plan.total > 0
    assert plan.problem is not None
    assert f"accepted first: do so at {page}, then set HF_TOKEN" in plan.problem
    assert all(each.token is None for each in hub_server.asked)
    closed = make_hub()
    closed.install("someone/boats")
    assert until(closed, "failed").error == plan.problem
    assert "hf_right" not in repr(make_hub(HF_TOKEN="hf_right").plan("someone/boats"))
    opened = make_hub(HF_TOKEN="hf_right")
    opened.install("someone/boats")
    until(opened, "done")


def test_what_the_hub_does_not_have_is_one_sentence(
    make_hub: Callable[..., Hub], hub_server: StandIn
) -> None:
    with pytest.raises(NotFound, match="has no model “someone/nothing”"):
        make_hub().plan("someone/nothing")
    with pytest.raises(NotFound, match="has no safetensors file called “x"):
        make_hub().plan("someone/boats", "x.bin")


def test_offline_is_said_at_once(make_hub: Callable[..., Hub]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    hub = make_hub(HF_ENDPOINT=f"http://127.0.0.1:{port}")
    with pytest.raises(HubError, match="cannot be reached: this computer seems to be offline"):
        hub.plan("someone/boats")
    nowhere = make_hub(HF_ENDPOINT="https://hub.invalid")
    with pytest.raises(HubError, match=r"hub\.invalid cannot be reached"):
        nowhere.plan("someone/boats")


def test_a_hub_that_says_nothing_is_not_waited_for(hub_server: StandIn) -> None:
    hub_server.silent = True
    environment = {**os.environ, "HF_ENDPOINT": hub_server.url, "NO_PROXY": "127.0.0.1"}
    with pytest.raises(HubError, match="does not answer"):
        ask({"do": "look", "repo_id": "someone/boats"}, environment, seconds=2)


def test_pickles_are_never_planned(make_hub: Callable[..., Hub], hub_server: StandIn) -> None:
    files = diffusers_files()
    hub_server.repos["someone/old"] = Repo(
        {path: content for path, content in files.items() if not path.endswith(".safetensors")}
    )
    assert "pickled weights only" in str(make_hub().plan("someone/old").plan.problem)


def test_another_kind_of_model_is_named(make_hub: Callable[..., Hub], hub_server: StandIn) -> None:
    hub_server.repos["someone/boats"].pipeline = "FluxPipeline"
    assert "made for FluxPipeline" in str(make_hub().plan("someone/boats").plan.problem)


def test_one_file_goes_where_its_kind_goes(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    lora = safetensors(("lora_unet_down.lora_up.weight",))
    hub_server.repos["someone/ink-lora"] = Repo(
        {"pytorch_lora_weights.safetensors": lora}, pipeline=None
    )
    hub = make_hub()
    assert hub.plan("someone/ink-lora").where == tmp_path / "models/loras/ink-lora.safetensors"
    hub.install("someone/ink-lora")
    until(hub, "done")
    assert (tmp_path / "models/loras/ink-lora.safetensors").read_bytes() == lora


def test_of_several_files_one_is_chosen(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    keys = ("model.diffusion_model.input_blocks.0.0.weight",)
    hub_server.repos["someone/two"] = Repo(
        {"a.safetensors": safetensors(keys), "b.safetensors": safetensors(keys)}, pipeline=None
    )
    hub = make_hub()
    plan = hub.plan("someone/two").plan
    assert [file.path for file in plan.choices] == ["a.safetensors", "b.safetensors"]
    assert "choose one of its files" in str(plan.problem)
    hub.install("someone/two", "b.safetensors")
    assert until(hub, "done").where == str(tmp_path / "models/checkpoints/b.safetensors")


def test_a_full_disk_is_told_before_anything_is_fetched(
    make_hub: Callable[..., Hub], hub_server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("studio.models.hub.staging.shutil.disk_usage", lambda path: usage)
    hub = make_hub()
    hub.install("someone/boats")
    assert "has 1 MB free: make room" in str(until(hub, "failed").error)
    assert hub_server.files_asked() == []


def test_nothing_is_asked_unasked(make_hub: Callable[..., Hub], hub_server: StandIn) -> None:
    hub = make_hub()
    assert [offer.repo_id for offer in hub.offers()]
    assert hub.downloads() == []
    with pytest.raises(InvalidRequest):
        hub.plan("not an address")
    assert hub_server.asked == []


@pytest.mark.parametrize(
    ("text", "repo", "file"),
    [
        (" a/b ", "a/b", None),
        ("https://huggingface.co/a/b-1.0", "a/b-1.0", None),
        ("https://huggingface.co/a/b/blob/main/c/d.safetensors", "a/b", "c/d.safetensors"),
        ("a/b/d.safetensors", "a/b", "d.safetensors"),
    ],
)
def test_addresses_as_people_paste_them(text: str, repo: str, file: str | None) -> None:
    address = read_address(text)
    assert (address.repo_id, address.file) == (repo, file)


@pytest.mark.parametrize("text", ["", "boats", "../../etc", "a/..", "a/b c", None, 3, "x" * 600])
def test_what_is_no_address_is_refused(text: object) -> None:
    with pytest.raises(InvalidRequest, match="owner/name"):
        read_address(text)


def test_shards_and_their_index_go_together() -> None:
    paths = [
        "model_index.json", "vae/diffusion_pytorch_model.safetensors",
        "text_encoder_2/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors", "../evil.safetensors",
    ]  # fmt: skip
    files = [RepoFile(path, 1) for path in paths]
    assert {file.target for file in folder_files(files)} == set(paths[:6])
    assert single_files(files[3:6]) == []


def test_kinds_by_the_names_of_tensors() -> None:
    assert kind_of(["model.diffusion_model.out.0.bias"]) == "checkpoint"
    assert kind_of(["unet.down.lora_A.weight"]) == "lora"
    assert kind_of(["decoder.mid.block_1.norm1.bias", "encoder.conv_in.bias"]) == "vae"
    assert kind_of(["emb_params"]) == kind_of(["clip_g", "clip_l"]) == "embedding"
    assert kind_of(["body.0.rdb1.conv1.weight"]) == "upscaler"


def test_a_file_is_named_after_what_says_more() -> None:
    assert file_name("diffusion_pytorch_model.fp16.safetensors", "sd-vae") == "sd-vae"
    assert file_name("x/Ink Wash!.safetensors", "repo") == "Ink-Wash-"


def test_a_translator_is_installed_whole_and_at_the_revision_of_the_list(
    make_hub: Callable[..., Hub], hub_server: StandIn, tmp_path: Path
) -> None:
    name = "Helsinki-NLP/opus-mt-zh-en"
    made = save_tiny_translator(tmp_path / "made")
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    others = {"pytorch_model.bin": b"pickle", "rust_model.ot": b"rust", "README.md": b"#"}
    hub_server.repos[name] = Repo({**files, **others}, pipeline=None)
    hub = make_hub()
    plan = hub.plan(name).plan
    assert (plan.kind, plan.problem) == ("translator", None)
    assert {file.path for file in plan.files} == set(files)
    (offer,) = [offer for offer in hub.offers() if offer.kind == "translator"]
    assert offer.repo_id == name
    assert any(f"/revision/{offer.revision}" in asked.path for asked in hub_server.asked)
    hub.install(name)
    done = until(hub, "done")
    assert done.where == str(tmp_path / "models/translators/opus-mt-zh-en")
    (info,) = Catalog([tmp_path / "models"]).list()
    assert (info.kind, info.problem, info.languages) == ("translator", None, ("zh", "en"))
    assert [each.installed for each in hub.offers() if each.kind == "translator"] == [True]
