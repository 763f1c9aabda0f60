"""What the server says, in the visitor's language: refusals, jobs, models, after a restart too."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from studio.languages import COOKIE
from tests.api.conftest import RunningStudio
from tests.translators import CHINESE as CHINESE_WORDS
from tests.translators import ENGLISH, save_tiny_translator
from tests.weights import write_weights

CHINESE = {"accept-language": "zh-CN,zh;q=0.9"}


def said(answer: httpx.Response) -> str:
    return str(answer.json()["detail"])


def test_programs_read_english_and_a_visitor_what_the_browser_asks_for(
    studio: RunningStudio,
) -> None:
    bad = {"sampler": "nonsense"}
    assert said(studio.http.post("/api/v1/jobs", json=bad)).startswith("There is no sampler")
    chinese = studio.http.post("/api/v1/jobs", json=bad, headers=CHINESE)
    assert said(chinese).startswith("没有名为“nonsense”的采样器；现有：euler、euler_a、")
    assert chinese.json()["problems"] == [{"field": "sampler", "message": said(chinese)}]
    chosen = {**CHINESE, "cookie": f"{COOKIE}=en"}
    assert said(studio.http.post("/api/v1/jobs", json=bad, headers=chosen)).startswith("There is")


def test_every_kind_of_refusal_is_translated(studio: RunningStudio) -> None:
    ask = studio.http
    assert said(ask.get("/api/v1/nothing", headers=CHINESE)).endswith("/docs 列出了全部接口。")
    assert said(ask.put("/api/v1/jobs", headers=CHINESE)).startswith("/api/v1/jobs 不接受 PUT")
    assert said(ask.get("/api/v1/jobs/0", headers=CHINESE)) == "没有任务“0”。"
    assert said(ask.get("/api/v1/pictures?limit=0", headers=CHINESE)) == "limit：最小为 1。"
    assert said(ask.get("/api/v1/pictures?limit=x", headers=CHINESE)) == "limit：应为整数。"
    broken = ask.post("/api/v1/jobs", content=b"{", headers=CHINESE)
    assert said(broken).startswith("请求体不是有效的 JSON（")
    elsewhere = {**CHINESE, "sec-fetch-site": "cross-site"}
    refused = ask.post("/api/v1/jobs", json={}, headers=elsewhere)
    assert said(refused) == "其他网站的页面不能使用这个工作室。"


def test_a_failed_job_is_told_in_each_language_after_a_restart_too(data_dir: Path) -> None:
    write_weights(data_dir / "models" / "other.safetensors", {"double_blocks.0.x": (1,)})
    studio = RunningStudio(data_dir)
    job = studio.submit(prompt="boat", model="tiny", clip_skip=12, num_inference_steps=1)
    failed = studio.end(job)
    assert failed["error"].startswith("CLIP skip can be at most 3 with “tiny”")
    studio.stop()
    again = RunningStudio(data_dir)
    address = f"/api/v1/jobs/{job}"
    assert again.http.get(address).json()["error"] == failed["error"]
    chinese = "“tiny”的文本编码器有 3 层，CLIP 跳层最多为 3；现在是 12。"
    assert again.http.get(address, headers=CHINESE).json()["error"] == chinese
    stream = again.http.get(f"{address}/events", headers=CHINESE).text
    data = next(line for line in stream.splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["error"] == chinese
    _problems_come_from_the_ledger(again)
    again.stop()


def test_translate_answers_or_says_how_to_get_a_translator(data_dir: Path) -> None:
    studio = RunningStudio(data_dir)
    asked = {"text": f"({CHINESE_WORDS[0]}:1.3), AND __颜色__"}
    missing = studio.http.post("/api/v1/translate", json=asked)
    assert missing.status_code == 404
    assert "install “Chinese to English”" in said(missing)
    assert "请在“模型”页安装“中译英”" in said(
        studio.http.post("/api/v1/translate", json=asked, headers=CHINESE)
    )
    save_tiny_translator(data_dir / "models" / "translators" / "zh-en")
    found = studio.http.post("/api/v1/translate", json=asked)
    assert found.json() == {"text": f"({ENGLISH[0]}:1.3), AND __颜色__"}
    assert studio.http.post("/api/v1/translate", json={"text": 3}).status_code == 422
    assert studio.http.post("/api/v1/translate", json={"text": "x" * 20_000}).status_code == 422
    handed_in = studio.job(studio.submit(prompt=CHINESE_WORDS[0], num_inference_steps=1))
    assert handed_in["request"]["prompt"] == CHINESE_WORDS[0], "painted as it is"
    studio.stop()


def _problems_come_from_the_ledger(studio: RunningStudio) -> None:
    """What is wrong with a file was found by an earlier run, and is told in either language."""

    def problem(headers: dict[str, str]) -> str:
        models = studio.http.get("/api/v1/models", headers=headers).json()
        return str(next(each["problem"] for each in models if each["name"] == "other"))

    assert problem({}) == "It is made for Flux; that cannot be run here."
    assert problem(CHINESE) == "这里无法运行这类模型：Flux。"
