"""Sounds: read from any file, listened to, followed, and cut to the film that they play along."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from studio.animation.film import write_film
from studio.animation.listening import followed, listen, seconds_of
from studio.animation.plan import asked
from studio.animation.reading import read_animation
from studio.animation.request import AnimationRequest
from studio.animation.sound import check_sound, pieces
from studio.complete import complete
from studio.errors import InvalidRequest
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from tests.sounds import CODECS, clicks


def animation(*keyframes: Mapping[str, Any], **common: Any) -> AnimationRequest:
    def completed(values: Mapping[str, Any]) -> GenerationRequest:
        return complete(values, {"width": 64, "height": 64})

    values = {"keyframes": [*keyframes] or [{}, {}], "sound": "a" * 64, **common}
    return read_animation(values, completed)


def kept(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", CODECS)
def test_a_sound_is_read_from_any_usual_file(kind: str, tmp_path: Path) -> None:
    content = clicks(2.0, [0.5, 1.5], kind)
    seconds = check_sound(content, "sound")
    assert seconds is None or seconds == pytest.approx(2, abs=0.15)
    path = kept(tmp_path / "sound", content)
    heard = np.concatenate([*pieces(path, 0.0, 8000, "stereo")], axis=1)
    assert heard.shape[0] == 2 and heard.shape[1] == pytest.approx(16_000, abs=1000)
    later = np.concatenate([*pieces(path, 1.0, 8000, "mono")], axis=1)
    loud = np.nonzero(np.abs(later[0]) > 0.2)[0] / 8000
    assert loud.min() == pytest.approx(0.5, abs=0.06) and loud.max() < 0.7


@pytest.mark.parametrize(
    "content",
    [
        b"", b"RIFF", b"no sound at all " * 100, clicks(1, [0.5])[:44],
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.mp3\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
    ],
)  # fmt: skip
def test_what_is_no_sound_is_refused_with_one_sentence(content: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_sound(content, "sound")
    (problem,) = caught.value.problems
    assert problem.field == "sound" and problem.message.startswith("This file holds no sound")


def test_a_film_is_no_sound_but_one_with_sound_is(tmp_path: Path) -> None:
    silent, loud = tmp_path / "silent.mp4", tmp_path / "loud.mp4"
    frames = [Image.new("RGB", (64, 64))] * 4
    write_film(silent, lambda: iter(frames), animation())
    sound = kept(tmp_path / "sound", clicks(1, [0.1]))
    write_film(loud, lambda: iter(frames), animation(), sound)
    with pytest.raises(InvalidRequest):
        check_sound(silent.read_bytes(), "sound")
    assert check_sound(loud.read_bytes(), "sound") == pytest.approx(4 / 12, abs=0.05)


def test_most_is_moved_on_where_the_sound_sets_in(tmp_path: Path) -> None:
    path = kept(tmp_path / "sound", clicks(3, [1.0, 2.0, 2.5]))
    request = animation(frames=30, fps=10, follow_sound=1.0)
    onsets = listen(path, 0.0, seconds_of(request, (30,)))
    (shares,) = followed(request, (30,), onsets)
    assert shares[0] == 0 and all(a <= b for a, b in pairwise(shares)) and shares[-1] <= 1
    steps = np.diff([*shares, 1.0])
    assert set(np.argsort(steps)[-3:]) <= {9, 10, 19, 20, 24, 25}
    assert shares[8] < 0.05 and 0.25 < shares[12] < 0.42 and 0.55 < shares[22] < 0.75
    (half,) = followed(animation(frames=30, fps=10, follow_sound=0.5), (30,), onsets)
    assert half == pytest.approx([(a + k / 30) / 2 for k, a in enumerate(shares)])


def test_the_time_of_holds_and_the_beginning_count(tmp_path: Path) -> None:
    path = kept(tmp_path / "sound", clicks(6, [3.5]))
    request = animation(
        {"frames": 10, "hold": 10}, {"frames": 20}, {}, fps=10, sound_start=1.0, follow_sound=1.0
    )
    onsets = listen(path, 1.0, seconds_of(request, asked(request)))
    first, second = followed(request, asked(request), onsets)
    assert first == pytest.approx([k / 10 for k in range(10)])  # silent: evenly
    steps = np.diff([*second, 1.0])  # 2.5 s into the film: 1 s held, 1 s of the first leg
    assert int(np.argmax(steps)) in (4, 5)


def test_blocks_of_a_long_sound_begin_without_an_onset(tmp_path: Path) -> None:
    path = kept(tmp_path / "sound", clicks(120, [10.0, 110.0]))
    onsets = listen(path, 0.0, 120.0)
    grown = np.diff(onsets.until([5, 15, 105, 115]))
    assert grown[1] < 0.02 * grown[0] and grown[2] == pytest.approx(grown[0], rel=0.1)


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "aac"), ("webm", "opus")])
def test_the_sound_plays_along_and_ends_with_the_film(
    kind: str, codec: str, tmp_path: Path
) -> None:
    path = tmp_path / f"film.{kind}"
    sound = kept(tmp_path / "sound", clicks(10, [3.0, 8.0]))
    request = animation(format=kind, fps=10, sound_start=2.0)
    write_film(path, lambda: iter([Image.new("RGB", (64, 64))] * 25), request, sound)
    with av.open(str(path)) as film:
        (track,) = film.streams.audio
        assert track.codec_context.codec.canonical_name == codec
        resampler = av.AudioResampler("fltp", "mono", 8000)
        heard = [r.to_ndarray()[0] for f in film.decode(track) for r in resampler.resample(f)]
    samples = np.concatenate(heard)
    assert len(samples) / 8000 == pytest.approx(2.5, abs=0.1)
    loud = np.nonzero(np.abs(samples) > 0.2)[0] / 8000
    assert loud.min() == pytest.approx(1.0, abs=0.06) and loud.max() < 1.1
    with av.open(str(path)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 25


def test_a_sound_that_ends_before_the_film_does_leaves_the_film_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    sound = kept(tmp_path / "sound", clicks(1, [0.5]))
    write_film(path, lambda: iter([Image.new("RGB", (64, 64))] * 30), animation(fps=10), sound)
    with av.open(str(path)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 30


def test_nobody_waits_for_librosa_who_does_not_listen() -> None:
    code = (
        "import sys; import studio.bootstrap, studio.animation.spacing, studio.animation.listening;"
        "sys.exit(any(name in sys.modules for name in ('librosa', 'numba', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
