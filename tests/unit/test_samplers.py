"""The table of samplers: names, refusals, and no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from studio.errors import InvalidRequest
from studio.samplers import SAMPLERS, SIGMA_SCHEDULES, check_sampling, find_sampler


def test_every_sampler_of_the_studio_is_there() -> None:
    labels = {row.label for row in SAMPLERS.values()}
    assert labels >= {
        "Euler", "Euler a", "Heun", "LMS", "PLMS", "DDIM", "DDPM", "DPM2", "DPM2 a", "DPM++ 2S a",
        "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 3M SDE", "UniPC", "DEIS", "LCM", "TCD",
    }  # fmt: skip


def test_names_labels_and_aliases_are_all_different() -> None:
    names = [name for row in SAMPLERS.values()
             for name in {row.name, row.label.casefold(), *row.aliases}]  # fmt: skip
    assert len(names) == len(set(names))
    assert all(set(row.schedules) <= set(SIGMA_SCHEDULES) for row in SAMPLERS.values())
    assert all("automatic" in row.schedules for row in SAMPLERS.values())


@pytest.mark.parametrize("name", ["dpmpp_2m", "DPM++ 2M", "k_dpmpp_2m", " dpm++ 2m "])
def test_a_sampler_is_found_by_any_of_its_names(name: str) -> None:
    assert find_sampler(name) is SAMPLERS["dpmpp_2m"]


@pytest.mark.parametrize(
    ("sampler", "schedule", "steps", "field", "words"),
    [
        ("nothing", "automatic", 20, "sampler", "no sampler called “nothing”; there are: euler,"),
        ("euler", "steep", 20, "sigma_schedule", "no sigma schedule called “steep”"),
        ("ddim", "karras", 20, "sigma_schedule", "DDIM cannot use the Karras schedule"),
        ("lcm", "beta", 20, "sigma_schedule", "LCM cannot use the Beta schedule"),
        ("pndm", "automatic", 2, "num_inference_steps", "PLMS takes between 3 and 150 steps"),
        ("tcd", "automatic", 60, "num_inference_steps", "TCD takes between 1 and 50 steps"),
    ],
)
def test_what_cannot_be_is_refused_with_words(
    sampler: str, schedule: str, steps: int, field: str, words: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        check_sampling(sampler, schedule, steps)
    (problem,) = raised.value.problems
    assert problem.field == field
    assert words in problem.message


def test_what_can_be_is_allowed() -> None:
    assert check_sampling("Euler a", "sgm_uniform", 1).name == "euler_a"


def test_neither_samplers_nor_the_catalog_import_torch() -> None:
    code = (
        "import sys, studio.samplers, studio.models.catalog, studio.models.base; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
