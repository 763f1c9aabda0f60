"""Every path, port, limit and switch, in one place: flag, then environment, then default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent

Device = Literal["auto", "cpu", "cuda", "mps"]


def _absolute(path: Path) -> Path:
    return path.expanduser().resolve()


def _separate(given: Any) -> Any:
    """The folders of an environment variable, which are parted as those of PATH are."""
    return [each for each in given.split(os.pathsep) if each] if isinstance(given, str) else given


class Settings(BaseSettings):
    """What a run of the studio is told from outside.

    Each field is a flag (``--data-dir``) and an environment variable (``STUDIO_DATA_DIR``).
    """

    model_config = SettingsConfigDict(env_prefix="STUDIO_", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(7860, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=lambda: user_data_path("creative-studio"),
        description="where pictures, jobs and models are kept",
    )
    models_dir: Annotated[
        tuple[Annotated[Path, AfterValidator(_absolute)], ...],
        NoDecode,
        BeforeValidator(_separate),
    ] = Field(
        (),
        description="another folder with models, in A1111's or ComfyUI's layout or plain",
    )
    device: Device = Field("auto", description="where the model runs")
    model: str = Field("pocket", description="the model that a new page starts with")
    memory: Literal["auto", "full", "text_off", "tiled", "low", "minimal"] = Field(
        "auto",
        description="how a model is kept on the device while it paints: by what is free, whole, "
        "without text encoder, decoded in tiles, part by part, layer by layer",
    )
    vram_gib: float = Field(0, ge=0, description="GPU memory for models, in GiB; 0 decides itself")
    ram_gib: float = Field(0, ge=0, description="main memory for models, in GiB; 0 decides itself")
    keep_alive: float = Field(
        0, ge=0, description="minutes after which an unused model is let go; 0 keeps it"
    )
    attention: Literal["auto", "sdpa", "xformers"] = Field(
        "auto", description="which attention a GPU uses; auto measures once and keeps the faster"
    )
    compile: Literal["auto", "off", "on", "graphs"] = Field(
        "auto", description="compile the model's blocks; auto does so on an NVIDIA GPU"
    )
    mcp: bool = Field(
        False, description="offer the studio as tools to language models, at /gradio_api/mcp"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="how the log is written: for people, or one JSON object a line"
    )
    log_level: Literal["warning", "info"] = Field(
        "warning", description="what the log tells; info adds every job's beginning and end"
    )
    share: bool = Field(False, description="make a public link through Gradio's tunnel")
    open_browser: bool = Field(False, description="open the page in the browser at start")

    @property
    def assets(self) -> Path:
        """The folder with what ships: the bundled model, styles, scripts, example pictures."""
        return REPOSITORY / "assets"

    @property
    def presets(self) -> Path:
        """The folder with data that ships: examples, styles."""
        return REPOSITORY / "presets"

    @property
    def pictures(self) -> Path:
        """The folder that the gallery writes its pictures to."""
        return self.data_dir / "pictures"

    @property
    def sources(self) -> Path:
        """The folder with the pictures and masks that requests start from."""
        return self.data_dir / "sources"

    @property
    def animations(self) -> Path:
        """The folder with animations: their frames and films."""
        return self.data_dir / "animations"

    @property
    def wildcards(self) -> Path:
        """The folder in which a person puts wildcard files."""
        return self.data_dir / "wildcards"

    @property
    def temporary(self) -> Path:
        """The folder for what need not outlive a run; it is emptied at start."""
        return self.data_dir / "temporary"

    @property
    def models(self) -> Path:
        """The folder in which a person puts models."""
        return self.data_dir / "models"

    @property
    def models_dirs(self) -> tuple[Path, ...]:
        """Every folder in which models are looked for: what ships, one's own, then the others."""
        return (self.assets, self.models, *self.models_dir)
