"""How a model is kept: pure decisions from numbers, with their reasons."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from studio.models.budget import GIB, HostMemory, budgets, host_memory, to_let_go
from studio.models.plan import Plan, Weights, Work, fallback, needed_bytes, plan, tighter

SDXL = Weights(
    {"text_encoder": 246 << 20, "text_encoder_2": 1390 << 20, "unet": 5135 << 20, "vae": 167 << 20},
    largest_layer=50 << 20,
)
LARGE = Work(1024, 1024)


def on_a_card(gigabytes: float, work: Work = LARGE) -> Plan:
    return plan(int(gigabytes * GIB), SDXL, work, "cuda")


def test_less_memory_takes_a_slower_way() -> None:
    rungs = [on_a_card(gigabytes).rung for gigabytes in (24, 9.3, 8, 6.5, 2)]
    assert rungs[0] == ("full", False)
    assert rungs[-1] == ("sequential_offload", True)
    needs = [needed_bytes(rung, SDXL, LARGE) for rung in dict.fromkeys(rungs)]
    assert needs == sorted(needs, reverse=True)
    assert len(needs) >= 4


@pytest.mark.parametrize("gigabytes", [24, 9, 8, 7, 6, 4, 1])
def test_what_is_chosen_fits_or_says_that_it_does_not(gigabytes: float) -> None:
    chosen = on_a_card(gigabytes)
    fits = chosen.needed <= gigabytes * GIB
    assert fits != chosen.reason.startswith("Even the smallest way")


def test_the_reason_names_the_picture_and_the_numbers() -> None:
    assert "1024 × 1024" in on_a_card(6).reason
    assert "6.0 GiB can be had" in on_a_card(6).reason
    assert "How much is free is not known" in plan(None, SDXL, LARGE, "mps").reason


def test_a_person_can_overrule_it() -> None:
    chosen = plan(100 * GIB, SDXL, LARGE, "cuda", "minimal")
    assert chosen.rung == ("sequential_offload", True)
    assert "--memory minimal" in chosen.reason
    assert plan(GIB, SDXL, LARGE, "cuda", "full").rung == ("full", False)
    assert plan(GIB, SDXL, LARGE, "cuda", "tiled").rung == ("full", True)
    assert plan(GIB, SDXL, LARGE, "cuda", "text_off").rung == ("text_encoder_off", False)
    assert plan(GIB, SDXL, LARGE, "cuda", "low").rung == ("model_offload", True)


def test_on_a_cpu_only_tiles_can_help() -> None:
    assert plan(100 * GIB, SDXL, LARGE, "cpu").rung == ("full", False)
    assert plan(8 * GIB, SDXL, Work(2048, 2048), "cpu").rung == ("full", True)
    assert plan(100 * GIB, SDXL, LARGE, "cpu", "minimal").rung == ("full", True)
    assert plan(100 * GIB, SDXL, LARGE, "cpu", "text_off").rung == ("full", False)


def test_after_memory_ran_out_the_ladder_goes_down_to_its_end() -> None:
    present, seen = on_a_card(24), []
    while (lower := tighter(present, SDXL, LARGE, "cuda")) is not None:
        assert lower.needed <= present.needed
        assert lower.reason.startswith("Memory ran out")
        present = lower
        seen.append(present.rung)
    assert seen[-1] == ("sequential_offload", True)
    assert len(seen) == len(set(seen))


def test_what_failed_once_is_not_tried_again() -> None:
    floor = tighter(on_a_card(24), SDXL, LARGE, "cuda")
    assert floor is not None
    assert fallback(on_a_card(24), floor, SDXL, LARGE, "cuda").rung == floor.rung
    lower = on_a_card(2)
    assert fallback(lower, floor, SDXL, LARGE, "cuda") is lower


def test_a_larger_batch_needs_more() -> None:
    needs = [on_a_card(80, Work(1024, 1024, batch)).needed for batch in (4, 8, 16)]
    assert all(less < more for less, more in itertools.pairwise(needs))


def test_the_longest_unused_leave_first() -> None:
    held = [("old", 4), ("middle", 3), ("new", 2)]
    assert to_let_go(held, 1, 10) == []
    assert to_let_go(held, 3, 10) == ["old"]
    assert to_let_go(held, 6, 10) == ["old", "middle"]
    assert to_let_go(held, 60, 10) == ["old", "middle", "new"]


def test_budgets_by_themselves_and_by_hand() -> None:
    host = HostMemory(16 * GIB, 8 * GIB)
    own = budgets(24 * GIB, host)
    assert own.device is not None
    assert 20 * GIB < own.device < 24 * GIB
    assert own.ram == 8 * GIB
    assert budgets(None, host).device is None
    assert budgets(24 * GIB, host, vram_gib=6, ram_gib=3) == budgets(8 * GIB, host, 6, 3)


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert host_memory(tmp_path) == HostMemory(1_000_000, 600_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert host_memory(tmp_path).total > 1_000_000
