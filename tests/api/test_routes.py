"""The studio for programs: every route, over HTTP, on a real server."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from studio import infotext
from studio.samplers import SAMPLERS
from tests.api.conftest import SECONDS, RunningStudio
from tests.api.watched import MARK
from tests.weights import kohya_lora, write_weights

LONG = {"prompt": "a boat", "num_inference_steps": 150, "num_images": 64}


@pytest.fixture(scope="module")
def made(studio: RunningStudio) -> dict[str, Any]:
    """A finished job of two pictures."""
    job = studio.submit(prompt="一艘红色的帆船", num_images=2, seed=5, negative_prompt="people")
    return studio.end(job)


def test_health(studio: RunningStudio) -> None:
    answer = studio.http.get("/healthz").json()
    assert answer["status"] == "ok"
    assert answer.keys() >= {"queued", "running", "device"}


def test_health_names_the_model_that_painted_last(
    studio: RunningStudio, made: dict[str, Any]
) -> None:
    assert studio.http.get("/healthz").json()["model"] == made["request"]["model"]


def test_a_job_is_accepted_with_the_models_defaults(studio: RunningStudio) -> None:
    answer = studio.http.post("/api/v1/jobs", json={"prompt": "a boat", "sampler": "K_Euler"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert job.keys() >= {
        "id", "state", "step", "steps", "seconds_left", "queue_position", "picture_ids", "error",
    }  # fmt: skip
    request = job["request"]
    assert (request["width"], request["num_inference_steps"]) == (64, 4)
    assert (request["model"], request["sampler"]) == ("tiny", "euler")
    assert 0 <= request["seed"] < 2**32
    studio.end(job["id"])


def test_a_job_ends_with_its_pictures(studio: RunningStudio, made: dict[str, Any]) -> None:
    assert (made["state"], made["error"], made["step"], made["steps"]) == ("done", None, 8, 8)
    assert made["picture_ids"] == [f"{made['id']}-0", f"{made['id']}-1"]
    for index, picture in enumerate(made["picture_ids"]):
        answer = studio.http.get(f"/api/v1/pictures/{picture}")
        assert answer.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == (64, 64)
            recipe = infotext.from_image(image)
        assert recipe is not None
        assert (recipe["prompt"], recipe["seed"]) == ("一艘红色的帆船", 5 + index)


def test_the_same_seed_makes_the_same_picture(studio: RunningStudio, made: dict[str, Any]) -> None:
    again = studio.end(studio.submit(prompt="一艘红色的帆船", seed=6, negative_prompt="people"))[
        "picture_ids"
    ][0]
    first, second = (
        Image.open(io.BytesIO(studio.http.get(f"/api/v1/pictures/{picture}").content)).tobytes()
        for picture in (made["picture_ids"][1], again)
    )
    assert first == second


def test_a_picture_tells_its_recipe(studio: RunningStudio, made: dict[str, Any]) -> None:
    recipe = studio.http.get(f"/api/v1/pictures/{made['picture_ids'][0]}/parameters").json()
    assert recipe["parameters"].startswith("一艘红色的帆船\nNegative prompt: people\nSteps: 4, ")
    assert recipe["request"]["seed"] == 5
    again = studio.end(studio.submit(**recipe["request"]))
    assert again["state"] == "done"


def test_a_picture_can_be_saved_and_has_a_thumbnail(
    studio: RunningStudio, made: dict[str, Any]
) -> None:
    picture = f"/api/v1/pictures/{made['picture_ids'][0]}"
    answer = studio.http.get(picture, params={"download": 1})
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert studio.http.get(picture).headers["content-disposition"].startswith("inline")
    small = studio.http.get(f"{picture}/thumbnail")
    assert small.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(small.content)).size) <= 320


def test_pictures_are_found_marked_binned_and_restored(
    studio: RunningStudio, made: dict[str, Any]
) -> None:
    def ids(**query: Any) -> list[str]:
        answer = studio.http.get("/api/v1/pictures", params={"query": "帆船", **query}).json()
        return [picture["id"] for picture in answer["pictures"]]

    first, second = made["picture_ids"]
    assert {first, second} <= set(ids())
    picture = studio.http.patch(f"/api/v1/pictures/{first}", json={"favourite": True}).json()
    assert picture["favourite"] is True
    assert ids(favourites=True) == [first]
    assert studio.http.delete(f"/api/v1/pictures/{first}").json()["trashed"] is not None
    assert ids(trashed=True) == [first]
    assert first not in ids()
    assert studio.http.post(f"/api/v1/pictures/{first}/restore").json()["trashed"] is None
    assert first in ids()
    studio.http.delete(f"/api/v1/pictures/{second}")
    assert studio.http.delete("/api/v1/bin").json() == {"deleted": 1}
    assert studio.http.get(f"/api/v1/pictures/{second}").status_code == 404


def test_a_search_comes_in_pages(studio: RunningStudio) -> None:
    studio.end(studio.submit(prompt="page page page", num_images=3))
    seen, before = [], None
    for _ in range(3):
        params = {"query": "page page", "limit": 1, **({"before": before} if before else {})}
        answer = studio.http.get("/api/v1/pictures", params=params).json()
        assert answer["total"] == 3
        seen += [picture["index"] for picture in answer["pictures"]]
        before = answer["next"]
    assert (seen, before) == ([2, 1, 0], None)


def test_events_follow_a_job_to_its_end(studio: RunningStudio) -> None:
    job = studio.submit(prompt="a boat", num_inference_steps=40, num_images=4)
    with studio.http.stream("GET", f"/api/v1/jobs/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = answer.read().decode()
    names = re.findall(r"^event: (\w+)$", text, re.MULTILINE)
    data = [json.loads(line) for line in re.findall(r"^data: (.*)$", text, re.MULTILINE)]
    assert names[-1] == data[-1]["state"] == "done"
    assert len(data[-1]["picture_ids"]) == 4
    versions = [event["version"] for event in data]
    assert versions == sorted(set(versions))
    for event in data:
        for picture in event["picture_ids"]:
            assert studio.http.get(f"/api/v1/pictures/{picture}").status_code == 200


def test_events_of_an_ended_job_end_at_once(studio: RunningStudio, made: dict[str, Any]) -> None:
    text = studio.http.get(f"/api/v1/jobs/{made['id']}/events").text
    assert text.count("event: ") == text.count("event: done") == 1


def test_a_running_job_shows_previews_and_stops_within_a_step(studio: RunningStudio) -> None:
    job = studio.submit(**LONG)
    studio.wait(job, lambda now: now["preview_version"] > 0 and now["picture_ids"])
    preview = studio.http.get(f"/api/v1/jobs/{job}/preview")
    assert preview.headers["content-type"] == "image/png"
    assert preview.headers["cache-control"] == "no-store"
    waiting = studio.submit(**LONG)
    assert studio.job(waiting)["queue_position"] == 1
    active = studio.http.get("/api/v1/jobs", params={"active": 1}).json()["jobs"]
    assert [entry["id"] for entry in active] == [job, waiting]
    assert studio.http.delete(f"/api/v1/jobs/{waiting}").json()["state"] == "cancelled"
    at = studio.http.delete(f"/api/v1/jobs/{job}").json()["step"]
    ended = studio.end(job)
    assert ended["state"] == "cancelled"
    assert ended["step"] <= at + 1
    assert ended["picture_ids"]
    assert studio.http.get(f"/api/v1/jobs/{job}/preview").status_code == 204
    for picture in ended["picture_ids"]:
        assert studio.http.get(f"/api/v1/pictures/{picture}").status_code == 200
    assert studio.end(studio.submit(prompt="unharmed"))["state"] == "done"


def test_visitors_are_told_apart_by_the_pages_cookie(studio: RunningStudio) -> None:
    with httpx.Client(base_url=studio.url) as browser:
        page = browser.get("/")
        assert page.status_code == 200
        cookie = page.headers["set-cookie"]
        assert re.match(r"studio_visitor=[\w-]{22}; Path=/; .*HttpOnly; SameSite=Lax", cookie)
        assert "set-cookie" not in browser.get("/").headers
        mine = browser.post("/api/v1/jobs", json={"prompt": "mine"}).json()["id"]
        jobs = browser.get("/api/v1/jobs").json()["jobs"]
        assert [job["id"] for job in jobs] == [mine]
    assert mine not in {job["id"] for job in studio.http.get("/api/v1/jobs").json()["jobs"]}
    studio.end(mine)


def test_samplers_and_models_are_listed(studio: RunningStudio) -> None:
    samplers = studio.http.get("/api/v1/samplers").json()
    assert [row["name"] for row in samplers] == list(SAMPLERS)
    models = {model["name"]: model for model in studio.http.get("/api/v1/models").json()}
    tiny = models["tiny"]
    assert (tiny["kind"], tiny["family"], tiny["problem"]) == ("checkpoint", "sd1", None)
    assert tiny["resident"] is True
    assert tiny["defaults"]["width"] == 64
    assert (tiny["layout"], tiny["inpainting"], tiny["variety"]) == ("folder", False, "")
    assert tiny["where"].endswith("/tiny")
    unet = Path(tiny["where"]) / "unet/diffusion_pytorch_model.safetensors"
    digest = hashlib.sha256(unet.read_bytes()).hexdigest()
    assert (tiny["sha256"], tiny["hash"]) in ((digest, digest[:10]), (None, None))


def test_new_files_are_listed_at_once(studio: RunningStudio) -> None:
    folder = studio.data_dir / "models"
    assert {path.name for path in folder.iterdir()} >= {"checkpoints", "vae", "loras"}
    lora = write_weights(folder / "loras/tiny.safetensors", kohya_lora(768))
    bad = folder / "checkpoints/bad.safetensors"
    bad.write_text("words")
    try:
        for models in (
            studio.http.get("/api/v1/models").json(),
            studio.http.post("/api/v1/models/rescan").json(),
        ):
            found = {(model["kind"], model["name"]): model for model in models}
            style = found["lora", "tiny"]
            assert (style["family"], style["problem"], style["resident"]) == ("sd1", None, False)
            assert style["where"] == str(lora)
            assert "text file" in found["checkpoint", "bad"]["problem"]
            assert found["checkpoint", "tiny"]["resident"] is True
    finally:
        lora.unlink()
        bad.unlink()


def test_a_picture_carries_its_models_hash(studio: RunningStudio, made: dict[str, Any]) -> None:
    def known() -> str | None:
        models = studio.http.get("/api/v1/models").json()
        return next(model["hash"] for model in models if model["name"] == "tiny")

    deadline = time.monotonic() + SECONDS
    while (short := known()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (picture,) = studio.end(studio.submit(prompt="a boat"))["picture_ids"]
    answer = studio.http.get(f"/api/v1/pictures/{picture}/parameters").json()
    assert f"Model hash: {short}, Model: tiny" in answer["parameters"]
    assert answer["request"]["model"] == "tiny"
    with Image.open(io.BytesIO(studio.http.get(f"/api/v1/pictures/{picture}").content)) as image:
        assert (infotext.from_image(image) or {})["model_hash"] == short


def test_the_description_is_complete_and_asks_no_other_host(studio: RunningStudio) -> None:
    description = studio.http.get("/openapi.json").json()
    operations = {
        (method.upper(), path)
        for path, methods in description["paths"].items()
        for method in methods
    }
    assert operations >= {
        ("GET", "/healthz"),
        ("POST", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs/{job_id}"),
        ("DELETE", "/api/v1/jobs/{job_id}"),
        ("GET", "/api/v1/jobs/{job_id}/events"),
        ("GET", "/api/v1/jobs/{job_id}/preview"),
        ("GET", "/api/v1/pictures"),
        ("GET", "/api/v1/pictures/{picture_id}"),
        ("PATCH", "/api/v1/pictures/{picture_id}"),
        ("DELETE", "/api/v1/pictures/{picture_id}"),
        ("POST", "/api/v1/pictures/{picture_id}/restore"),
        ("GET", "/api/v1/pictures/{picture_id}/parameters"),
        ("GET", "/api/v1/pictures/{picture_id}/thumbnail"),
        ("DELETE", "/api/v1/bin"),
        ("GET", "/api/v1/samplers"),
        ("GET", "/api/v1/models"),
        ("POST", "/api/v1/models/rescan"),
        ("POST", "/api/v1/models/load"),
        ("POST", "/api/v1/models/unload"),
        ("POST", "/api/v1/models/default"),
        ("GET", "/api/v1/memory"),
        ("GET", "/api/v1/hub"),
        ("POST", "/api/v1/downloads"),
    }
    assert all(
        operation["summary"] and operation["tags"]
        for methods in description["paths"].values()
        for operation in methods.values()
    )
    page = studio.http.get("/docs").text
    assert "/api/v1/pictures/{picture_id}/restore" in page
    assert "guidance_scale" in page
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_bundled_weights_are_not_served_as_assets(studio: RunningStudio) -> None:
    assert studio.http.get("/studio/i18n/en.json").status_code == 200
    for path in ("pocket/card.json", "%70ocket/card.json", "../app.py", ""):
        assert studio.http.get(f"/studio/{path}").status_code == 404, path


def test_no_other_host_was_asked_for_anything(studio: RunningStudio, made: dict[str, Any]) -> None:
    """After start-up, pages, jobs and pictures; see watched.py."""
    assert made["state"] == "done"
    assert studio.http.get("/").status_code == 200
    assert MARK not in studio.logged(), studio.logged()


def test_the_log_is_quiet(studio: RunningStudio, made: dict[str, Any]) -> None:
    assert made["state"] == "done"
    assert "Traceback" not in studio.logged()
    assert studio.logged() == ""


def test_nothing_is_written_outside_the_data_directory(studio: RunningStudio) -> None:
    names = {path.name for path in studio.data_dir.iterdir()}
    assert names >= {"models", "pictures", "jobs.sqlite", "studio.lock"}
