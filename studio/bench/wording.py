"""The chapter on words: what reading a prompt costs, and encoding it for a second time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

from studio.bench.report import Figure
from studio.bench.subject import Subject
from studio.engine.conditioning import PromptEncoder, Wording
from studio.models.store import ModelStore
from studio.prompt.plan import plan_prompt

STEPS = 20
CLAUSE = (
    "a (red sailboat:1.2) on the sea at [sunset:night:0.5], reflections on the water, "
    "(soft light), detailed clouds, watercolour, muted palette, "
)
PLAIN = "a red sailboat on the sea at night, under the stars, with a lighthouse, "
LENGTH = 1000


def measure_wording(subject: Subject, device: str, rounds: int) -> Iterator[Figure]:
    """Reading prompts of 1,000 characters, and encoding one twice. Medians of ``rounds``."""
    for name, clause in (("plain", PLAIN), ("weighted and scheduled", CLAUSE)):
        text = (clause * LENGTH)[:LENGTH]
        took = 1000 * _median(partial(plan_prompt, text, STEPS), rounds)
        yield Figure(f"reading a {name} prompt of {LENGTH:,} characters", took, "ms", "below 2")
    store = ModelStore(subject.catalog, device)
    wording = Wording.plain(store.acquire(subject.info.name))
    encoder, plan = PromptEncoder(), plan_prompt(PLAIN, STEPS)

    def encode() -> None:
        encoder.encode(wording, STEPS, plan)

    def afresh() -> None:
        encoder.forget()
        encode()

    first, second = _median(afresh, rounds), _median(encode, rounds)
    yield Figure("encoding a prompt", 1000 * first, "ms")
    yield Figure("encoding it again / the first time", second / first, "×", "nothing")
    store.release()


def _median(do: Callable[[], object], rounds: int) -> float:
    """The median of ``rounds`` runs in seconds, after one that does not count."""
    do()
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        do()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
