"""The queue and its worker, with a painter whose every step the test decides."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from studio.api import jobs as routes
from studio.errors import ModelError, NotFound, QueueFull
from studio.events import Event, ImageReady, Preparing, Progress
from studio.gallery import Gallery
from studio.jobs import Jobs, JobSnapshot
from studio.jobs import jobs as jobs_module
from studio.jobs.pace import Pace
from studio.jobs.queue import JobQueue
from studio.jobs.worker import MAX_ATTEMPTS, Painter, Worker
from studio.request import GenerationRequest
from studio.sentences import Sentence, say

STEPS = 3


class ScriptedPainter:
    """Paints in plain colours; a prompt "hold" waits at every step until ``gate`` is opened."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.painted: list[tuple[str, int]] = []
        self.closed = 0

    def generate(self, request: GenerationRequest, skip: Collection[int] = ()) -> Iterator[Event]:
        try:
            yield Preparing("Loading tiny")
            for index in range(request.num_images):
                if index not in skip:
                    yield from self._one(request, index)
        finally:
            self.closed += 1

    def _one(self, request: GenerationRequest, index: int) -> Iterator[Event]:
        for step in range(STEPS):
            if request.prompt == "hold":
                assert self.gate.acquire(timeout=20)
            if request.prompt == "crash":
                raise ZeroDivisionError("deep inside")
            if request.prompt == "broken model":
                raise ModelError(say("The model “{name}” is not loaded.", name="tiny"))
            steps = STEPS * request.num_images
            yield Progress(index * STEPS + step + 1, steps, index, Image.new("RGB", (8, 8)))
        self.painted.append((request.prompt, index))
        yield ImageReady(index, Image.new("RGB", (64, 64), (index, 0, 0)))


class House:
    """Gallery, jobs and worker over a folder, as the studio wires them."""

    def __init__(self, root: Path, painter: ScriptedPainter) -> None:
        self.painter = painter
        self.gallery = Gallery(root / "pictures")
        self.gallery.reconcile()
        self.jobs = Jobs(root / "jobs.sqlite", self.gallery)
        self.worker = Worker(self.jobs, self.gallery, self.make)

    def make(self, tell: Callable[[Sentence], None]) -> Painter:
        tell(say("Starting PyTorch"))
        return self.painter

    def close(self) -> None:
        assert self.worker.stop(10)
        self.jobs.close()
        self.gallery.close()

    def submit(self, prompt: str, num_images: int = 1) -> str:
        request = GenerationRequest(prompt=prompt, num_images=num_images, seed=1)
        return self.jobs.submit(request, "visitor").id

    def wait(self, job: str, until: Callable[[JobSnapshot], bool]) -> JobSnapshot:
        now, deadline = self.jobs.get(job).snapshot(), time.monotonic() + 15
        while not until(now):
            assert time.monotonic() < deadline, now
            now = self.jobs.wait_change(job, now.version, 1)
        return now

    def end(self, job: str) -> JobSnapshot:
        return self.wait(job, lambda now: now.ended)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path, ScriptedPainter())
    yield opened
    opened.painter.gate.release(1000)
    opened.close()


def test_a_job_is_done_and_its_pictures_are_in_the_gallery(house: House) -> None:
    house.worker.start()
    job = house.end(house.submit("boat", 2))
    assert (job.state, job.error, job.step, job.steps) == ("done", None, 6, 6)
    assert job.picture_ids == tuple(p.id for p in house.gallery.of_job(job.id))
    assert [p.request.seed for p in house.gallery.of_job(job.id)] == [1, 2]
    assert house.gallery.get(job.picture_ids[0]).visitor == "visitor"


def test_waiting_jobs_know_their_place_and_what_is_waited_for(house: House) -> None:
    first, second = house.submit("boat"), house.submit("boat")
    house.jobs.announce(say("Starting PyTorch"))
    one, two = (house.jobs.get(job).snapshot() for job in (first, second))
    assert (one.queue_position, one.note) == (1, "Starting PyTorch")
    assert (two.queue_position, two.note) == (2, "")
    assert [job.id for job in house.jobs.list("visitor", active=True)] == [first, second]
    assert house.jobs.list("somebody else", active=True) == []
    house.worker.start()
    assert house.end(second).queue_position is None


def test_a_cancel_while_waiting_takes_effect_at_once(house: House) -> None:
    job = house.submit("boat")
    assert house.jobs.cancel(job).snapshot().state == "cancelled"
    house.worker.start()
    house.end(house.submit("boat"))
    assert house.painter.painted == [("boat", 0)]
    assert house.jobs.cancel(job).snapshot().state == "cancelled"


def test_a_cancel_while_running_takes_one_step_and_keeps_pictures(house: House) -> None:
    house.worker.start()
    job = house.submit("hold", 3)
    house.painter.gate.release(STEPS + 1)
    house.wait(job, lambda now: now.step == STEPS + 1)
    assert house.jobs.cancel(job).snapshot().note == "Stopping"
    house.painter.gate.release()
    ended = house.end(job)
    assert (ended.state, ended.step, len(ended.picture_ids)) == ("cancelled", STEPS + 2, 1)
    assert house.painter.closed == 1
    assert house.end(house.submit("boat")).state == "done"


def test_a_crash_fails_the_job_and_the_worker_goes_on(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.worker.start()
    crashed = house.end(house.submit("crash"))
    assert crashed.state == "failed"
    assert crashed.error is not None
    assert "(ZeroDivisionError)" in crashed.error
    assert "deep inside" in caplog.text
    broken = house.end(house.submit("broken model"))
    assert (broken.state, broken.error) == ("failed", "The model “tiny” is not loaded.")
    assert house.end(house.submit("boat")).state == "done"


def test_a_full_disk_fails_the_job_in_a_sentence(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    house.worker.start()
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        job = house.end(house.submit("boat"))
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.startswith("The disk is full")
    assert house.end(house.submit("boat")).state == "done"


def test_a_painter_that_cannot_be_made_fails_the_job_and_is_tried_again(tmp_path: Path) -> None:
    made = iter([ImportError("torch"), ImportError("torch"), None])

    class Stubborn(House):
        def make(self, say: Callable[[str], None]) -> Painter:
            if (error := next(made)) is not None:
                raise error
            return super().make(say)

    house = Stubborn(tmp_path, ScriptedPainter())
    house.worker.start()
    assert house.end(house.submit("boat")).state == "failed"
    assert house.end(house.submit("boat")).state == "done"
    house.close()


def test_a_restart_finishes_what_was_accepted_and_paints_nothing_twice(tmp_path: Path) -> None:
    first = House(tmp_path, ScriptedPainter())
    first.worker.start()
    running, waiting = first.submit("hold", 3), first.submit("boat")
    first.painter.gate.release(STEPS + 1)
    first.wait(running, lambda now: now.step == STEPS + 1)
    stopped = threading.Thread(target=first.close)
    stopped.start()
    first.painter.gate.release()
    stopped.join()

    second = House(tmp_path, ScriptedPainter())
    second.painter.gate.release(1000)
    again = second.jobs.get(running).snapshot()
    assert (again.state, len(again.picture_ids)) == ("queued", 1)
    second.worker.start()
    assert second.end(running).state == second.end(waiting).state == "done"
    assert second.painter.painted == [("hold", 1), ("hold", 2), ("boat", 0)]
    assert [p.index for p in second.gallery.of_job(running)] == [0, 1, 2]
    second.close()


def test_a_job_that_ends_the_studio_again_and_again_is_given_up(tmp_path: Path) -> None:
    first = House(tmp_path, ScriptedPainter())
    job = first.submit("boat")
    queue = JobQueue(tmp_path / "jobs.sqlite")
    for _ in range(MAX_ATTEMPTS):
        queue.take(job, 0.0)
    queue.close()
    first.close()
    second = House(tmp_path, ScriptedPainter())
    second.worker.start()
    ended = second.end(job)
    assert ended.state == "failed"
    assert ended.error is not None
    assert "given up" in ended.error
    second.close()


def test_a_cancel_outlives_a_kill(tmp_path: Path) -> None:
    first = House(tmp_path, ScriptedPainter())
    job = first.submit("boat")
    first.jobs.cancel(job)
    first.close()
    second = House(tmp_path, ScriptedPainter())
    assert second.jobs.get(job).snapshot().state == "cancelled"
    assert second.jobs.list(active=True) == []
    second.close()


def test_the_queue_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "MAX_WAITING", 2)
    house.submit("boat")
    house.submit("boat")
    with pytest.raises(QueueFull, match="2 jobs are waiting already"):
        house.submit("boat")
    assert house.jobs.counts == {"queued": 2, "running": 0}


def test_old_jobs_are_read_from_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "_REMEMBERED", 1)
    house.worker.start()
    first, second = house.submit("boat"), house.submit("boat")
    house.end(second)
    old = house.jobs.get(first).snapshot()
    assert (old.state, old.step, len(old.picture_ids)) == ("done", old.steps, 1)
    assert [job.id for job in house.jobs.list("visitor")] == [second, first]
    with pytest.raises(NotFound):
        house.jobs.get("nothing")


def test_previews_overwrite_each_other(house: House) -> None:
    house.worker.start()
    job = house.submit("hold")
    house.painter.gate.release(2)
    now = house.wait(job, lambda now: now.step == 2)
    assert now.preview_version == 2
    assert (house.jobs.get(job).preview or b"").startswith(b"\x89PNG")
    house.painter.gate.release()
    house.end(job)
    assert house.jobs.get(job).preview is None


def test_listeners_hear_of_every_change(house: House) -> None:
    heard = threading.Event()
    with house.jobs.listening(heard.set):
        house.submit("boat")
        assert heard.is_set()
    heard.clear()
    house.submit("boat")
    assert not heard.is_set()


def test_the_pace_is_smooth_and_leaves_the_first_step_out() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    for at, step in ((10.0, 1), (10.5, 2), (11.0, 3), (13.0, 4)):
        now = at
        pace.reached(step)
        if step == 1:
            assert pace.steps_per_second is None
            assert pace.seconds_left(9) is None
    assert pace.steps_per_second == pytest.approx(1 / 0.8)
    assert pace.seconds_left(9) == pytest.approx(4.0)
    assert pace.seconds_left(2) == 0


def test_many_threads_may_submit_and_cancel(house: House, tmp_path: Path) -> None:
    house.worker.start()

    def visit(number: int) -> list[str]:
        jobs = [house.submit("boat") for _ in range(8)]
        for job in jobs[number % 2 :: 2]:
            house.jobs.cancel(job)
        return jobs

    with ThreadPoolExecutor(8) as visitors:
        jobs = [job for some in visitors.map(visit, range(8)) for job in some]
    ended = [house.end(job) for job in jobs]
    assert house.jobs.counts == {"queued": 0, "running": 0}
    queue = JobQueue(tmp_path / "jobs.sqlite")
    for job in ended:
        row = queue.find(job.id)
        assert row is not None
        assert row.state == job.state
        assert job.state == "cancelled" or len(job.picture_ids) == 1
    queue.close()


def test_events_keep_a_quiet_connection_awake(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(routes, "EVENT_SECONDS", 0.0)
    job = house.jobs.get(house.submit("boat"))

    async def read() -> list[str]:
        heard = []
        async for event in routes._events(house.jobs, job):
            heard.append(event)
            if len(heard) == 3:
                house.jobs.cancel(job.id)
        return heard

    with ThreadPoolExecutor(1) as own_thread:  # Playwright's loop may be running in this one
        first, *beats, last = own_thread.submit(asyncio.run, read()).result()
    assert "event: queued" in first
    assert set(beats) == {": still here\n\n"}
    assert "event: cancelled" in last
    assert house.jobs._listeners == []
