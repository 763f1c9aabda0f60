"""Styles, presets, wildcards and what helps with writing, over HTTP, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import SECONDS, RunningStudio


@pytest.fixture
def two(studio: RunningStudio) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two visitors, each with the cookie that the page gives."""
    options = {"base_url": studio.url, "timeout": SECONDS}
    with (
        httpx.Client(**options, cookies={"studio_visitor": "ann"}) as ann,  # type: ignore[arg-type]
        httpx.Client(**options, cookies={"studio_visitor": "bob"}) as bob,  # type: ignore[arg-type]
    ):
        yield ann, bob


def test_styles_are_kept_changed_and_deleted(studio: RunningStudio) -> None:
    http = studio.http
    shipped = http.get("/api/v1/styles").json()
    assert len(shipped) >= 60
    assert not any(style["own"] for style in shipped)
    fog = {"name": "Fog", "prompt": "{prompt}, fog"}
    assert http.put("/api/v1/styles/fog", json=fog).json()["own"] is True
    http.put("/api/v1/styles/fog", json={**fog, "name": "Mist"})
    assert http.get("/api/v1/styles").json()[0]["name"] == "Mist"
    csv = http.get("/api/v1/styles/export")
    assert csv.headers["content-disposition"] == 'attachment; filename="styles.csv"'
    assert csv.text.splitlines() == ["name,prompt,negative_prompt", 'Mist,"{prompt}, fog",']
    assert http.delete("/api/v1/styles/fog").status_code == 204
    assert http.delete("/api/v1/styles/fog").status_code == 404
    taken = http.post("/api/v1/styles/import", json={"text": csv.text}).json()
    assert [style["id"] for style in taken] == ["mist"]
    http.delete("/api/v1/styles/mist")
    refused = http.post("/api/v1/styles/import", json={"text": "hello"})
    assert refused.status_code == 422
    assert "styles.csv" in refused.json()["detail"]
    assert http.put("/api/v1/styles/x", json={"name": "X"}).status_code == 422


def test_presets_are_kept_checked_and_deleted(studio: RunningStudio) -> None:
    http = studio.http
    kept = {"name": "Quick", "values": {"num_inference_steps": 4}}
    assert http.put("/api/v1/presets/quick", json=kept).json() == {"id": "quick", **kept}
    assert http.get("/api/v1/presets").json() == [{"id": "quick", **kept}]
    wrong = http.put("/api/v1/presets/wide", json={"name": "Wide", "values": {"width": 13}})
    assert wrong.json()["problems"][0]["field"] == "width"
    assert http.put("/api/v1/presets/wide", json={"name": "Wide"}).status_code == 422
    assert http.delete("/api/v1/presets/quick").status_code == 204
    assert http.get("/api/v1/presets").json() == []


def test_wildcards_are_listed_as_they_lie_there(studio: RunningStudio) -> None:
    own = studio.data_dir / "wildcards" / "sea"
    own.mkdir(parents=True)
    (own / "boat.txt").write_text("red boat\nblue boat\n")
    answer = studio.http.get("/api/v1/wildcards?limit=1").json()
    assert answer["folder"] == str(studio.data_dir / "wildcards")
    assert {"name": "sea/boat", "lines": ["red boat"]} in answer["wildcards"]


def test_a_preview_draws_and_counts(studio: RunningStudio) -> None:
    body = {"prompt": "a {red|blue} __weather__ {x}, __nope__", "styles": ["oil"], "num_images": 3}
    answer = studio.http.post("/api/v1/prompts/preview", json={**body, "seed": 7}).json()
    assert answer["variants"] is True
    assert (answer["combinations"], answer["more"]) == (14, False)
    assert answer["unknown"] == ["nope"]
    assert [drawn["seed"] for drawn in answer["drawn"]] == [7, 8, 9]
    assert all(drawn["prompt"].endswith("oil painting") for drawn in answer["drawn"])
    plain = studio.http.post("/api/v1/prompts/preview", json={"prompt": "a boat"}).json()
    assert (plain["variants"], plain["combinations"]) == (False, 1)
    many = {"prompt": "__colour__ " * 8}
    answer = studio.http.post("/api/v1/prompts/preview", json=many).json()
    assert (answer["combinations"], answer["more"]) == (10_000, True)
    wrong = studio.http.post("/api/v1/prompts/preview", json={"prompt": "a", "seed": "x"})
    assert wrong.status_code == 422
    assert wrong.json()["problems"][0]["field"] == "seed"


def test_tokens_are_counted_chunk_by_chunk(studio: RunningStudio) -> None:
    studio.end(studio.submit(prompt="warm", num_inference_steps=1))

    def counted(prompt: str, **more: object) -> list[int]:
        body = {"prompt": prompt, "model": "pocket", **more}
        answer = studio.http.post("/api/v1/prompts/count", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["length"] == 75
        return list(answer.json()["prompt"])

    bare = counted("a red boat")
    assert len(bare) == 1
    assert counted("a red boat <lora:ink:0.8>") == bare
    assert counted("(a red boat:1.3)") == bare
    assert counted("a red boat", styles=["oil"])[0] > bare[0]
    assert counted("a red boat BREAK a red boat") == bare * 2
    assert counted("[a red boat:boat:0.5]") == bare
    long = counted("red " * 200)
    assert long[:-1] == [75] * (len(long) - 1)
    assert counted("") == [0]
    missing = studio.http.post("/api/v1/prompts/count", json={"model": "nowhere"})
    assert missing.status_code == 422


def test_all_combinations_are_queued_or_none(studio: RunningStudio) -> None:
    order = {"prompt": "a {red|blue} {boat|car}", "num_inference_steps": 1}
    answer = studio.http.post("/api/v1/prompts/combinations", json=order)
    assert answer.status_code == 202
    requests = [job["request"] for job in answer.json()["jobs"]]
    assert [each["prompt"] for each in requests] == [
        "a red boat", "a red car", "a blue boat", "a blue car",
    ]  # fmt: skip
    assert len({each["seed"] for each in requests}) == 1
    for job in answer.json()["jobs"]:
        assert studio.end(job["id"])["state"] == "done"
    many = {"prompt": "__colour__ __colour__ __place__"}
    refused = studio.http.post("/api/v1/prompts/combinations", json=many)
    assert refused.status_code == 503
    assert "1,152 combinations" in refused.json()["detail"]
    broken = {**order, "prompt": "a {boat|car <lora:nowhere:1>}"}
    assert studio.http.post("/api/v1/prompts/combinations", json=broken).status_code == 422
    assert studio.http.get("/healthz").json()["queued"] == 0


def test_completion_by_prefix(studio: RunningStudio) -> None:
    def offered(prefix: str, model: str | None = None) -> list[tuple[str, str, int]]:
        query = {"prefix": prefix, **({"model": model} if model else {})}
        found = studio.http.get("/api/v1/completions", params=query).json()
        return [(each["kind"], each["text"] or each["id"], each["replaces"]) for each in found]

    assert offered("a __subject/an") == [("wildcard", "__subject/animal__", 12)]
    assert ("style", "oil", 3) in offered("a boat, oil")
    assert ("word", "lighthouse", 4) in offered("a ligh", "pocket")
    assert ("word", "lighthouse", 4) not in offered("a ligh")
    assert offered("") == []


def test_history_is_each_visitors_own(
    two: tuple[httpx.Client, httpx.Client], studio: RunningStudio
) -> None:
    ann, bob = two
    job = ann.post("/api/v1/jobs", json={"prompt": "a secret harbour", "num_inference_steps": 1})
    studio.end(job.json()["id"])
    assert [past["prompt"] for past in ann.get("/api/v1/history").json()] == ["a secret harbour"]
    assert ann.get("/api/v1/history?query=boat").json() == []
    assert bob.get("/api/v1/history").json() == []
    assert httpx.get(f"{studio.url}/api/v1/history", timeout=SECONDS).json() == []
    offered = ann.get("/api/v1/completions?prefix=a sec").json()
    assert ("prompt", "a secret harbour") in [(each["kind"], each["text"]) for each in offered]
    assert bob.get("/api/v1/completions?prefix=a sec").json() == []
    number = ann.get("/api/v1/history").json()[0]["id"]
    assert bob.delete(f"/api/v1/history/{number}").status_code == 404
    assert ann.delete(f"/api/v1/history/{number}").status_code == 204
    assert ann.get("/api/v1/history").json() == []
