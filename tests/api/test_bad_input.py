"""Bad input: one sentence that names the field and the bound, the right status, nothing queued."""

from __future__ import annotations

import json

import pytest

from tests.api.conftest import RunningStudio

BODIES: list[tuple[str | bytes, int, str, str]] = [
    (json.dumps({"prompt": "x" * 100_000}), 422, "prompt", "at most 10,000 characters"),
    ('{"guidance_scale": NaN}', 422, "guidance_scale", "between 1 and 30; you gave nan"),
    ('{"guidance_scale": "NaN"}', 422, "guidance_scale", "between 1 and 30"),
    ('{"guidance_scale": Infinity}', 422, "guidance_scale", "between 1 and 30"),
    ('{"width": 0}', 422, "width", "between 64 and 2048 in steps of 8; you gave 0"),
    ('{"width": 100}', 422, "width", "in steps of 8"),
    ('{"height": 1000000}', 422, "height", "between 64 and 2048"),
    ('{"num_inference_steps": 0}', 422, "num_inference_steps", "between 1 and 150"),
    ('{"num_inference_steps": 10000}', 422, "num_inference_steps", "between 1 and 150"),
    ('{"seed": 4294967296}', 422, "seed", "between 0 and 4294967295"),
    ('{"seed": -7}', 422, "seed", "between 0 and 4294967295"),
    ('{"seed": "12 monkeys"}', 422, "seed", "whole number"),
    ('{"num_images": 65}', 422, "num_images", "between 1 and 64"),
    ('{"sampler": "nobody"}', 422, "sampler", "There is no sampler called “nobody”"),
    ('{"sampler": 7}', 422, "sampler", "Sampler must be text"),
    ('{"sigma_schedule": "steep"}', 422, "sigma_schedule", "no sigma schedule called “steep”"),
    ('{"sampler": "lcm", "sigma_schedule": "karras"}', 422, "sigma_schedule", "LCM cannot use"),
    (
        '{"sampler": "pndm", "sigma_schedule": "automatic", "num_inference_steps": 1}',
        422, "num_inference_steps", "PLMS",
    ),
    ('{"model": "nothing"}', 422, "model", "There is no model called “nothing”"),
    ('{"model": "../../etc"}', 422, "model", "There is no model called"),
    ('{"model": 3}', 422, "model", "Model must be text"),
    (json.dumps({"model": "x" * 100_000}), 422, "model", "at most 500 characters"),
    ('{"prompt": "a\\u0000b"}', 422, "prompt", "null character"),
    ('{"prompt": "\\ud800"}', 422, "prompt", "lone surrogate"),
    ('{"model": "\\ud800"}', 422, "model", ""),
    ('{"\\ud800": 1}', 422, "", "There is no setting called"),
    ('{"colour": "red"}', 422, "colour", "There is no setting called “colour”"),
    ('{"prompt": "a boat"', 422, "body", "not valid JSON"),
    ("", 422, "body", "not valid JSON"),
    (b"\xff\xfe\x00", 422, "body", "not valid JSON"),
    ("[" * 100_000, 422, "body", "not valid JSON"),
    ("9" * 10_000, 422, "body", "not valid JSON"),
    ("[1, 2]", 422, "body", "must be a JSON object"),
    ('"a boat"', 422, "body", "must be a JSON object"),
    ("null", 422, "body", "must be a JSON object"),
    (json.dumps({"prompt": "x" * 50_000_000}), 413, "", "at most 48,000,000 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "field", "sentence"),
    BODIES,
    ids=[f"{number}: {str(body)[:40]}" for number, (body, *_) in enumerate(BODIES)],
)
def test_a_bad_request_is_refused_in_a_sentence(
    studio: RunningStudio, body: str | bytes, status: int, field: str, sentence: str
) -> None:
    before = len(studio.http.get("/api/v1/jobs").json()["jobs"])
    answer = studio.http.post("/api/v1/jobs", content=body)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert sentence in told["detail"]
    assert len(told["detail"]) < 400
    assert told["detail"].endswith(".")
    if field:
        assert [problem["field"] for problem in told["problems"]] == [field]
        assert sentence in told["problems"][0]["message"]
    assert len(studio.http.get("/api/v1/jobs").json()["jobs"]) == before
    assert studio.http.get("/healthz").json()["queued"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/jobs/nothing", 404),
        ("DELETE", "/api/v1/jobs/nothing", 404),
        ("GET", "/api/v1/jobs/nothing/events", 404),
        ("GET", "/api/v1/jobs/nothing/preview", 404),
        ("GET", "/api/v1/pictures/nothing", 404),
        ("GET", "/api/v1/pictures/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/api/v1/pictures/nothing/parameters", 404),
        ("GET", "/api/v1/pictures/nothing/thumbnail", 404),
        ("DELETE", "/api/v1/pictures/nothing", 404),
        ("POST", "/api/v1/pictures/nothing/restore", 404),
        ("GET", "/api/v1/pictures?limit=0", 422),
        ("GET", "/api/v1/pictures?limit=many", 422),
        ("GET", "/api/v1/pictures?before=nonsense", 422),
        ("GET", "/api/v1/jobs?active=perhaps", 422),
        ("PUT", "/api/v1/jobs", 405),
    ],
)
def test_what_is_not_there_is_told_in_the_same_form(
    studio: RunningStudio, method: str, path: str, status: int
) -> None:
    answer = studio.http.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"detail", "problems"}


def test_a_mark_must_be_true_or_false(studio: RunningStudio) -> None:
    answer = studio.http.patch("/api/v1/pictures/nothing", json={"favourite": "yes"})
    assert answer.status_code == 422


def test_another_sites_page_is_refused(studio: RunningStudio) -> None:
    answer = studio.http.post(
        "/api/v1/jobs", content='{"prompt": "spam"}', headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_an_empty_prompt_is_legitimate(studio: RunningStudio) -> None:
    assert studio.end(studio.submit(prompt=""))["state"] == "done"


def test_awkward_prompts_come_back_as_they_were(studio: RunningStudio) -> None:
    prompt = 'Steps: 3, Sampler: Euler, Seed: 1\nNegative prompt: "x"\u2028🙂 }{ <b>'
    job = studio.end(studio.submit(prompt=prompt))
    recipe = studio.http.get(f"/api/v1/pictures/{job['picture_ids'][0]}/parameters").json()
    assert recipe["request"]["prompt"] == prompt
