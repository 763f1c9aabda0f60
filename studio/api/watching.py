"""/readyz and /metrics: for those who run a studio and watch over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from studio.api.inputs import TheStudio, content
from studio.bootstrap import Studio
from studio.jobs.tally import SpreadNow

if TYPE_CHECKING:
    from prometheus_client.core import Metric

router = APIRouter(tags=["studio"])


@router.get("/readyz", summary="Whether a job that is handed in now would be begun")
def readyz(studio: TheStudio) -> JSONResponse:
    """503 while PyTorch and the first model are loaded, and once the studio is stopping."""
    stopping, started = studio.jobs.closed, studio.keeper.store is not None
    status = "stopping" if stopping else "ready" if started else "starting"
    return JSONResponse({"status": status}, 200 if status == "ready" else 503)


@router.get(
    "/metrics",
    summary="What was done since the start, as Prometheus reads it",
    response_class=Response,
    responses=content("text/plain"),
)
def metrics(studio: TheStudio, request: Request) -> Response:
    """Queue, waiting and steps in seconds, pictures, how jobs ended, answers by status, memory."""
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collected(studio, dict(request.app.state.answers)))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collected:
    """A collector of prometheus_client: what the studio counts, read when it is asked for."""

    def __init__(self, studio: Studio, answers: Mapping[str, int]) -> None:
        self._studio, self._answers = studio, answers

    def collect(self) -> Iterator[Metric]:
        """Every family of samples."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        now, counts = self._studio.jobs.tally.now(), self._studio.jobs.counts
        jobs = GaugeMetricFamily("studio_jobs", "Jobs that have not ended.", labels=["state"])
        for state, count in counts.items():
            jobs.add_metric([state], count)
        yield jobs
        yield CounterMetricFamily("studio_jobs_accepted", "Jobs handed in.", now.accepted)
        ended = CounterMetricFamily(
            "studio_jobs_ended", "Jobs by how they ended.", labels=["state"]
        )
        for state in ("done", "failed", "cancelled"):
            ended.add_metric([state], now.ended.get(state, 0))
        yield ended
        yield CounterMetricFamily("studio_pictures", "Pictures saved.", now.pictures)
        yield CounterMetricFamily("studio_frames", "Frames of animations saved.", now.frames)
        yield _spread("studio_wait_seconds", "From handing in to beginning.", now.wait)
        yield _spread("studio_step_seconds", "One step of the denoising loop.", now.step)
        yield _spread("studio_job_seconds", "From beginning to end.", now.job)
        answers = CounterMetricFamily("studio_answers", "Answers over HTTP.", labels=["status"])
        for status in ("2xx", "3xx", "4xx", "5xx"):
            answers.add_metric([status], self._answers.get(status, 0))
        yield answers
        yield from self._memory()

    def _memory(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        held = self._studio.keeper.report()
        device = GaugeMetricFamily(
            "studio_device_memory_bytes", "Memory of the device.", labels=["device", "kind"]
        )
        for kind, value in (("total", held.total), ("used", held.used), ("budget", held.budget)):
            if value is not None:
                device.add_metric([str(held.device), kind], value)
        yield device
        models = GaugeMetricFamily(
            "studio_model_bytes", "Weights in memory.", labels=["model", "where"]
        )
        for one in held.resident:
            models.add_metric([one.name, one.where], one.bytes)
        yield models


def _spread(name: str, about: str, now: SpreadNow) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    buckets = [("+Inf" if bound == inf else f"{bound:g}", count) for bound, count in now.counts]
    return HistogramMetricFamily(name, about, buckets=buckets, sum_value=now.sum)
