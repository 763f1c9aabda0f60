"""Sources that nobody uses go after a week; what anything refers to never does."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import InvalidRequest
from studio.sources import Sources
from studio.sweeping import KEPT_SECONDS, Sweeper, sweep

WEEKS_AGO = time.time() - 3 * KEPT_SECONDS


def aged(sources: Sources, shade: int) -> str:
    digest = sources.keep(Image.new("L", (4, 4), shade))
    os.utime(sources.file(digest), (WEEKS_AGO, WEEKS_AGO))
    return digest


def there(sources: Sources, digest: str) -> bool:
    return digest in set(sources.unused_since(time.time() + 60))


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


def test_only_what_is_old_and_unnamed_goes(sources: Sources) -> None:
    named, unnamed = aged(sources, 1), aged(sources, 2)
    new = sources.keep(Image.new("L", (4, 4), 3))
    texts = [json.dumps({"prompt": unnamed[:60], "mask_image": named})]
    assert sweep(sources, lambda: iter(texts)) == 1
    assert there(sources, named) and there(sources, new) and not there(sources, unnamed)
    with pytest.raises(InvalidRequest, match="give it again"):
        sources.get(unnamed, "init_image")
    assert sweep(sources, lambda: iter(())) == 1 and not there(sources, named)


def test_a_sound_is_kept_and_goes_like_a_picture(sources: Sources) -> None:
    named, unnamed = (sources.keep_sound(name) for name in (b"one", b"another"))
    for digest in (named, unnamed):
        os.utime(sources.sound(digest, "sound"), (WEEKS_AGO, WEEKS_AGO))
    assert sources.keep_sound(b"one") == named and sources.renew(named)
    os.utime(sources.sound(named, "sound"), (WEEKS_AGO, WEEKS_AGO))
    assert sweep(sources, lambda: iter([json.dumps({"sound": named})])) == 1
    assert sources.sound(named, "sound").read_bytes() == b"one"
    with pytest.raises(InvalidRequest, match="is not kept here"):
        sources.sound(unnamed, "sound")


def test_what_is_used_while_others_are_asked_stays(sources: Sources) -> None:
    again, looked_at, unused = aged(sources, 1), aged(sources, 2), aged(sources, 3)

    def texts() -> Iterator[str]:
        assert sources.keep(Image.new("L", (4, 4), 1)) == again  # handed over once more
        assert sources.renew(looked_at)
        yield ""

    assert sweep(sources, texts) == 1
    assert there(sources, again) and there(sources, looked_at) and not there(sources, unused)


def test_what_is_not_here_is_not_renewed(sources: Sources) -> None:
    assert not sources.renew("0" * 64) and not sources.renew("../x")
    assert not sources.remove("0" * 64, time.time())


def test_it_sweeps_at_start_and_ends_when_told(sources: Sources) -> None:
    unused, asked = aged(sources, 1), threading.Event()

    def texts() -> Iterator[str]:
        asked.set()
        return iter(())

    sweeper = Sweeper(sources, texts)
    sweeper.start()
    assert asked.wait(20)
    sweeper.close()
    assert not there(sources, unused)
    assert not sweeper._thread.is_alive()
