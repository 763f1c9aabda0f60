"""Animations over HTTP: made, stopped, killed, resumed to the same bits; and what is refused."""

from __future__ import annotations

import base64
import io
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from studio.animation.inscription import recipe_in
from tests.api.conftest import SECONDS, RunningStudio
from tests.sounds import clicks

NIGHT, BLUE = {"prompt": "a red boat at night"}, {"prompt": "a blue house on the sea"}
PATH = "/api/v1/animations"
SECOND = base64.b64encode(clicks(1.0, [0.5])).decode()


def begin(studio: RunningStudio, *keyframes: dict[str, Any], **common: Any) -> str:
    """The id of a new animation."""
    values = {"keyframes": list(keyframes) or [NIGHT, BLUE], "seed": 3, **common}
    answer = studio.http.post(PATH, json=values)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{job['id']}" and job["kind"] == "animation"
    return str(job["id"])


def shown(studio: RunningStudio, animation: str) -> dict[str, Any]:
    answer = studio.http.get(f"{PATH}/{animation}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ended(studio: RunningStudio, animation: str) -> dict[str, Any]:
    studio.end(animation)
    return shown(studio, animation)


def until_frames(studio: RunningStudio, animation: str, count: int) -> None:
    deadline = time.monotonic() + SECONDS
    while shown(studio, animation)["frames_done"] < count:
        assert time.monotonic() < deadline, studio.logged()


def frames(studio: RunningStudio, animation: str) -> list[bytes]:
    total = shown(studio, animation)["frames_total"]
    answers = [studio.http.get(f"{PATH}/{animation}/frames/{k}") for k in range(total)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers]


def film(studio: RunningStudio, animation: str, path: Path) -> Path:
    answer = studio.http.get(f"{PATH}/{animation}/file", params={"download": True})
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    return path


def length(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_stopped_resumed_and_killed_it_comes_out_as_if_nothing_had_been(
    data_dir: Path, tmp_path: Path
) -> None:
    """The whole story on one studio, which is killed with -9 while frames are being made."""
    keyframes = ({**NIGHT, "frames": 12, "hold": 2}, {**BLUE, "frames": 12})
    common = {"num_inference_steps": 12, "method": "walk", "in_between": 1, "loop": True,
              "even_pacing": True}  # fmt: skip
    studio = RunningStudio(data_dir)
    broken = begin(studio, *keyframes, **common)
    until_frames(studio, broken, 4)
    stopped = studio.http.post(f"{PATH}/{broken}/stop").json()
    now = ended(studio, broken)
    assert stopped["id"] == broken and now["state"] == "cancelled" and not now["whole"]
    assert 4 <= now["frames_done"] < now["frames_total"] == 24
    assert length(film(studio, broken, tmp_path / "part.mp4")) == now["frames_done"] + 2

    resumed = studio.http.post(f"{PATH}/{broken}/resume")
    assert resumed.status_code == 202 and resumed.json()["state"] in ("queued", "running")
    until_frames(studio, broken, now["frames_done"] + 5)
    studio.stop(signal.SIGKILL)

    again = RunningStudio(data_dir)
    assert shown(again, broken)["frames_done"] >= 9
    whole = begin(again, *keyframes, **common)
    for animation in (broken, whole):
        now = ended(again, animation)
        assert now["state"] == "done" and now["whole"], (now, again.logged())
        assert now["frames_done"] == now["frames_total"] == 24 and now["played"] == 26
    assert frames(again, broken) == frames(again, whole)
    assert length(film(again, broken, tmp_path / "whole.mp4")) == 26
    assert not list((data_dir / "animations").rglob("*.part"))
    assert "Traceback" not in again.logged(), again.logged()
    assert again.stop() == 0


@pytest.mark.parametrize("kind", ["webm", "webp", "gif"])
def test_a_film_carries_the_recipe_that_makes_it_again(
    kind: str, studio: RunningStudio, tmp_path: Path
) -> None:
    first = begin(studio, NIGHT, {**BLUE, "guidance_scale": 3}, frames=3, format=kind, fps=5)
    assert ended(studio, first)["state"] == "done", studio.logged()
    path = film(studio, first, tmp_path / f"film.{kind}")
    recipe = recipe_in(path.rename(tmp_path / "whatever it is called"))
    assert recipe is not None and recipe == shown(studio, first)["recipe"]
    content = (tmp_path / "whatever it is called").read_bytes()
    dropped = {"image": base64.b64encode(content).decode()}
    read = studio.http.post("/api/v1/parameters", json=dropped).json()
    assert read["animation"] == recipe and read["request"] == {}
    assert (read["unrecognised"], read["missing"]) == ([], [])
    second = studio.http.post(PATH, json=read["animation"]).json()["id"]
    assert ended(studio, second)["state"] == "done"
    assert frames(studio, first) == frames(studio, second)
    assert shown(studio, second)["recipe"] == recipe


def test_it_is_a_job_that_can_be_watched_and_an_animation_that_can_be_deleted(
    studio: RunningStudio,
) -> None:
    animation = begin(studio, frames=2)
    with studio.http.stream("GET", f"/api/v1/jobs/{animation}/events") as answer:
        told = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert (told[-1]["state"], told[-1]["frames_done"]) == ("done", 3)
    listed = studio.http.get(PATH).json()["animations"]
    assert listed[0]["id"] == animation and listed[0]["whole"]
    part = studio.http.get(f"{PATH}/{animation}/file", headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    assert part.headers["content-type"] == "video/mp4"
    assert studio.http.post(f"{PATH}/{animation}/resume").json()["state"] == "done"
    assert studio.http.delete(f"{PATH}/{animation}").status_code == 204
    for path in ("", "/file", "/frames/0"):
        assert studio.http.get(f"{PATH}/{animation}{path}").status_code == 404


def test_a_picture_given_as_a_file_is_a_keyframe(studio: RunningStudio) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (96, 64), (200, 60, 30)).save(buffer, "PNG")
    picture = base64.b64encode(buffer.getvalue()).decode()
    animation = begin(studio, {"picture": picture}, BLUE, method="walk", frames=2)
    now = ended(studio, animation)
    assert (now["state"], now["width"], now["height"]) == ("done", 96, 64), now
    assert len(now["recipe"]["keyframes"][0]["init_image"]) == 64


def test_a_sound_is_given_once_followed_and_plays_along(
    studio: RunningStudio, tmp_path: Path
) -> None:
    file = base64.b64encode(clicks(2.0, [0.4, 1.0], "mp3")).decode()
    kept = studio.http.post("/api/v1/sources", json={"sound": file})
    assert kept.status_code == 201 and kept.json().keys() == {"hash", "seconds"}, kept.text
    assert kept.json()["seconds"] == pytest.approx(2, abs=0.1)
    animation = begin(studio, frames=6, fps=5, sound=file, sound_start=0.5)
    now = ended(studio, animation)
    assert now["state"] == "done" and now["recipe"]["sound"] == kept.json()["hash"], now
    path = film(studio, animation, tmp_path / "film.mp4")
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        assert float(track.duration * track.time_base) == pytest.approx(7 / 5, abs=0.06)
    assert recipe_in(path) == now["recipe"]
    again = studio.http.post(PATH, json=now["recipe"])
    assert again.status_code == 202, again.text
    assert ended(studio, again.json()["id"])["state"] == "done"
    assert frames(studio, again.json()["id"]) == frames(studio, animation)


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"keyframes": [NIGHT]}, "keyframes", "between 2 and 100 keyframes; you gave 1"),
        ({}, "keyframes", "Keyframes must be a list"),
        ({"keyframes": [NIGHT, BLUE], "frames": 100_000}, "keyframes.0.frames",
         "Keyframe 1: Frames must be a whole number between 1 and 10000; you gave 100000."),
        ({"keyframes": [NIGHT, {**BLUE, "height": 128}]}, "keyframes.1.width",
         "Keyframe 2 is 64 × 128 and the first 64 × 64"),
        ({"keyframes": [NIGHT, {"picture": "f" * 64}], "method": "walk"},
         "keyframes.1.init_image", "Keyframe 2: The picture ffffffffff… is not kept here"),
        ({"keyframes": [NIGHT, {**BLUE, "model": "other"}]}, "keyframes.1.model", "Keyframe 2:"),
        ({"keyframes": [NIGHT, BLUE], "frames": 0}, "keyframes.0.frames",
         "Keyframe 1: Frames must be a whole number between 1 and 10000; you gave 0."),
        ({"keyframes": [{**NIGHT, "frames": 10_000}] * 4}, "frames",
         "An animation has at most 20,000 frames; this would have 30,000."),
        ({"keyframes": [NIGHT, BLUE], "sound": "bm8gc291bmQ="}, "sound",
         "This file holds no sound that can be read"),
        ({"keyframes": [NIGHT, BLUE], "sound": "?"}, "sound", "Give a sound's file in base64"),
        ({"keyframes": [NIGHT, BLUE], "sound": "e" * 64}, "sound",
         "The sound eeeeeeeeee… is not kept here (any more); give it again."),
        ({"keyframes": [NIGHT, BLUE], "sound": SECOND, "sound_start": 2}, "sound_start",
         "The sound is 1.0 s long, and the film would begin at 2 s of it."),
        ({"keyframes": [NIGHT, BLUE], "follow_sound": 2}, "follow_sound",
         "Follow the sound must be a number between 0 and 1; you gave 2."),
        ({"keyframes": [NIGHT, BLUE], "pan_x": 1}, "zoom", "The camera moves too far"),
        ({"keyframes": [NIGHT, BLUE], "in_between_by": "magic"}, "in_between_by",
         "In-betweens by must be one of: latents, motion; you gave “magic”."),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_with_a_sentence(
    values: dict[str, Any], field: str, sentence: str, studio: RunningStudio
) -> None:
    answer = studio.http.post(PATH, json=values)
    assert answer.status_code == 422
    problems = {each["field"]: each["message"] for each in answer.json()["problems"]}
    assert sentence in problems[field], problems
    chinese = studio.http.post(PATH, json=values, headers={"Accept-Language": "zh"}).json()
    assert re.search("[\u4e00-\u9fff]", chinese["problems"][0]["message"]), chinese


def test_what_is_not_there_is_said(studio: RunningStudio) -> None:
    for path in ("0123456789abcdef", "..%2Fjobs", "x"):
        for answer in (
            studio.http.get(f"{PATH}/{path}"), studio.http.get(f"{PATH}/{path}/frames/0"),
            studio.http.post(f"{PATH}/{path}/resume"), studio.http.delete(f"{PATH}/{path}"),
        ):  # fmt: skip
            assert answer.status_code == 404, answer.text
