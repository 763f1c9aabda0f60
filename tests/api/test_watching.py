"""For those who watch over a studio: readiness, numbers for Prometheus, a log for programs."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from studio import logs
from tests.api.conftest import SECONDS, RunningStudio


def numbers(studio: RunningStudio) -> dict[str, float]:
    """Sample's name and labels -> value."""
    answer = studio.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_was_done_is_counted(studio: RunningStudio) -> None:
    before = numbers(studio)
    studio.end(studio.submit(prompt="a boat", num_images=2, num_inference_steps=4))
    cancelled = studio.submit(prompt="a boat", num_images=64, num_inference_steps=150)
    studio.http.delete(f"/api/v1/jobs/{cancelled}")
    studio.end(cancelled)
    studio.http.get("/api/v1/jobs/nothing")
    now = numbers(studio)

    def grown(name: str) -> float:
        return now[name] - before.get(name, 0)

    assert grown("studio_jobs_accepted_total") == 2
    assert grown("studio_jobs_ended_total done") == 1
    assert grown("studio_jobs_ended_total cancelled") == 1
    assert grown("studio_answers_total 4xx") == 1
    assert grown("studio_answers_total 5xx") == 0
    assert grown("studio_pictures_total") >= 2
    assert grown("studio_step_seconds_count") >= 7  # the first step holds the warming up
    assert grown("studio_wait_seconds_count") >= 1
    assert now["studio_step_seconds_bucket +Inf"] == now["studio_step_seconds_count"]
    assert now["studio_jobs queued"] == 0
    assert any(name.startswith("studio_model_bytes") for name in now)


def test_a_start_that_is_logged_for_programs(data_dir: Path) -> None:
    running = RunningStudio(data_dir, flags=("--log-format", "json", "--log-level", "info"))
    try:
        assert running.http.get("/healthz").status_code == 200
        deadline = time.monotonic() + SECONDS
        while (ready := running.http.get("/readyz")).status_code != 200:
            assert ready.json()["status"] == "starting"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        job = running.submit(prompt="a boat", num_inference_steps=2)
        running.end(job)
        lines = running.logged().splitlines()
        told = [json.loads(line) for line in lines if line.startswith('{"time"')]
        about = [each["message"] for each in told if each.get("job") == job]
        assert about[0] == "Accepted: pictures of tiny"
        assert about[-1].startswith("Ended: done after ")
        assert all(each["level"] and each["logger"] for each in told)
    finally:
        running.close()


def test_a_line_tells_its_job(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("studio.test")
    caplog.handler.addFilter(logs._knows_the_job)
    try:
        with logs.about("0123"):
            log.warning("inside")
        log.warning("outside")
        log.warning("its own", extra={"job": "4567"})
    finally:
        caplog.handler.removeFilter(logs._knows_the_job)
    assert [vars(record)["about"] for record in caplog.records] == [" [0123]", "", " [4567]"]
