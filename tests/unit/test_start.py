"""Flags, environment, the address, and the public link that cannot be had."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from studio.errors import StartupError
from studio.flags import read_settings
from studio.server import claim_address


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDIO_PORT", "1234")
    monkeypatch.setenv("STUDIO_SHARE", "true")
    monkeypatch.setenv("STUDIO_DATA_DIR", str(tmp_path))
    assert read_settings([]).port == 1234
    settings = read_settings(["--port", "4321", "--no-share", "--open-browser"])
    assert (settings.port, settings.share, settings.open_browser) == (4321, False, True)
    assert settings.data_dir == tmp_path


def test_the_defaults_are_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDIO_DATA_DIR", raising=False)
    settings = read_settings([])
    assert (settings.host, settings.port, settings.share) == ("127.0.0.1", 7860, False)
    assert settings.data_dir.is_absolute()
    assert settings.assets not in settings.data_dir.parents


def test_folders_with_models_can_be_several(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert read_settings([]).models_dir == ()
    settings = read_settings(["--models-dir", str(one), "--models-dir", str(two / ".." / "two")])
    assert settings.models_dir == (one, two)
    assert settings.models_dirs == (settings.assets, settings.models, one, two)
    monkeypatch.setenv("STUDIO_MODELS_DIR", os.pathsep.join([str(two), "", "~/more"]))
    assert read_settings([]).models_dir == (two, Path.home() / "more")
    assert read_settings(["--models-dir", str(one)]).models_dir == (one,)


def test_the_help_lists_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--help"])
    text = capsys.readouterr().out
    assert "--models-dir FOLDER" in text
    assert "STUDIO_MODELS_DIR" in text


def test_a_home_folder_is_understood() -> None:
    assert read_settings(["--data-dir", "~/pictures"]).data_dir == Path.home() / "pictures"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--port", "-1"], "--port (or STUDIO_PORT) cannot be “-1”"),
        (["--port"], "--port"),
        (["--por", "1"], "--por"),
        (["--device", "gpu"], "--device (or STUDIO_DEVICE) cannot be “gpu”"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_flag_is_named(flags: list[str], sentence: str) -> None:
    with pytest.raises(StartupError) as caught:
        read_settings(flags)
    assert sentence in str(caught.value)


def test_a_port_can_be_claimed_once() -> None:
    with claim_address("127.0.0.1", 0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StartupError, match=f"port {port} is already in use"):
            claim_address("127.0.0.1", port)
    claim_address("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid", "x" * 300])
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(StartupError, match="is not an address of this computer"):
        claim_address(host, 0)


def test_every_address_of_the_computer_can_be_listened_on() -> None:
    with claim_address("0.0.0.0", 0) as listener:
        assert listener.family == socket.AF_INET


def test_a_share_server_that_is_out_of_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio import networking

    from studio.ui.share import public_link

    def unreachable(*_: object) -> str:
        raise RuntimeError("Could not get share link from Gradio API Server.")

    monkeypatch.setattr(networking, "setup_tunnel", unreachable)
    with pytest.raises(StartupError, match="There is no public link") as caught:
        public_link("127.0.0.1", 7860)
    assert "works as before" in str(caught.value)


def test_the_page_does_not_wait_for_torch() -> None:
    """Everything on the way to the page, imported in a process that has not seen torch."""
    import subprocess

    check = (
        "import sys, app, studio.server, studio.bootstrap, studio.api, studio.ui.page;"
        "slow = {'torch', 'diffusers', 'transformers', 'scipy', 'xformers'} & set(sys.modules);"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=120)
