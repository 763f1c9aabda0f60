"""Gallery and queue killed at many random moments: what was shown is whole and in the index."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

from PIL import Image

from studio.gallery import Gallery

ROUNDS = 8
WRITER = """
import sys
from pathlib import Path
from PIL import Image
from studio.gallery import Gallery
from studio.jobs import Jobs
from studio.request import GenerationRequest

root = Path(sys.argv[1])
gallery = Gallery(root / "pictures")
gallery.reconcile()
jobs = Jobs(root / "jobs.sqlite", gallery)
image = Image.effect_noise((128, 128), 60).convert("RGB")
while True:
    if not jobs.list(active=True):
        jobs.submit(GenerationRequest(prompt="a boat", num_images=5), "v")
    job = jobs.take()
    jobs.note_start(job)
    print("job", job.id, flush=True)
    for index in range(5):
        picture = gallery.add(image, job.request.one(index), job.id, index, "v")
        jobs.saved(job, picture.id)
        print("picture", picture.id, flush=True)
    jobs.finish(job, "done")
    print("done", job.id, flush=True)
"""


def test_what_was_shown_is_whole_and_what_was_accepted_is_known(tmp_path: Path) -> None:
    chance = random.Random(7)
    told: dict[str, set[str]] = {"job": set(), "picture": set(), "done": set()}
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            heard = [writer.stdout.readline()]  # the first line: it works
            killer = threading.Timer(chance.uniform(0, 0.2), writer.kill)
            killer.start()
            heard += writer.stdout.readlines()
        for line in heard:
            if line.endswith("\n"):
                kind, identifier = line.split()
                told[kind].add(identifier)

    gallery = Gallery(tmp_path / "pictures")
    gallery.reconcile()
    indexed = {picture.id: picture for picture in gallery.search(limit=100_000)}
    assert told["picture"] <= indexed.keys()
    assert {p.path for p in indexed.values()} == set(gallery.root.rglob("*.png"))
    for picture in indexed.values():
        with Image.open(picture.path) as image:
            image.load()
    for job in told["job"]:
        pictures = [picture.index for picture in gallery.of_job(job)]
        assert pictures == list(range(len(pictures)))
        if job in told["done"]:
            assert len(pictures) == 5
    gallery.close()
