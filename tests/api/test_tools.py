"""What the page does, for gradio_client and for language models, against a real server."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio_client
import pytest
from gradio_client.exceptions import AppError

from studio.errors import StartupError
from studio.request import GenerationRequest
from studio.ui.tools import TOOLS, check_mcp
from tests.api.conftest import RunningStudio, with_model


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[RunningStudio]:
    """A studio that offers its tools to language models too."""
    data_dir = with_model(tmp_path_factory.mktemp("tools"), tiny_model)
    running = RunningStudio(data_dir, flags=("--mcp",))
    yield running
    running.close()


@pytest.fixture
def client(served: RunningStudio) -> Iterator[gradio_client.Client]:
    api = gradio_client.Client(served.url, verbose=False, analytics_enabled=False)
    yield api
    api.close()


def test_generate_change_enlarge_and_find(
    served: RunningStudio, client: gradio_client.Client
) -> None:
    few: dict[str, Any] = {"num_inference_steps": 3, "seed": 4}
    made = client.predict("a lone windmill", num_images=2, **few, api_name="/generate")
    assert [picture["seed"] for picture in made] == [4, 5]
    assert served.http.get(made[0]["url"]).headers["content-type"] == "image/png"
    changed = client.predict(made[0]["id"], "a castle", strength=0.5, **few, api_name="/change")
    assert changed[0]["parameters"].startswith("a castle\n")
    large = client.predict(made[0]["id"], 2, **few, api_name="/enlarge")
    assert (large[0]["width"], large[0]["height"]) == (128, 128)
    assert large[0]["parameters"].startswith("a lone windmill\n")
    found = client.predict("lone windmill", api_name="/find")
    assert {picture["id"] for picture in found} == {large[0]["id"], *(p["id"] for p in made)}
    models = client.predict(api_name="/models")
    assert {model["name"] for model in models} == {"pocket", "tiny"}


def test_what_is_wrong_is_one_sentence(client: gradio_client.Client) -> None:
    with pytest.raises(AppError, match="Width must be a whole number between 64 and 2048"):
        client.predict("x", width=100, api_name="/generate")


def test_nothing_else_of_the_page_is_offered(client: gradio_client.Client) -> None:
    offered: Any = client.view_api(return_format="dict", print_info=False)
    assert {*offered["named_endpoints"]} == {
        *(f"/{tool.name}" for tool in TOOLS), "/find", "/models",
    }  # fmt: skip
    assert not offered["unnamed_endpoints"]


def test_tools_for_language_models(served: RunningStudio) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def talk() -> tuple[dict[str, Any], list[Any]]:
        address = f"{served.url}/gradio_api/mcp/"
        async with (
            streamable_http_client(address) as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            listed = (await session.list_tools()).tools
            few = {"prompt": "a boat", "num_inference_steps": 2}
            right = await session.call_tool("generate", few)
            wrong = await session.call_tool("generate", {"prompt": "a boat", "width": 100})
            return {tool.name: tool for tool in listed}, [right, wrong]

    with ThreadPoolExecutor(1) as thread:  # the browser tests have a running loop in this one
        tools, (right, wrong) = thread.submit(asyncio.run, talk()).result()
    assert {*tools} == {*(tool.name for tool in TOOLS), "find", "models"}
    asked = tools["generate"].inputSchema["properties"]
    help_text = GenerationRequest.model_fields["guidance_scale"].description
    assert asked["guidance_scale"]["description"] == help_text
    picture = ast.literal_eval(right.content[0].text)[0]
    assert served.http.get(picture["url"]).status_code == 200
    assert (wrong.isError, "Width must" in wrong.content[0].text) == (True, True)


def test_without_the_library_the_flag_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(StartupError, match=r"--mcp needs the library mcp: install it with"):
        check_mcp()
