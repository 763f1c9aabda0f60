"""Measure this machine: ``python -m studio.bench [--model NAME | --random sd15] [--json FILE]``.

Prints start-up times (of the bundled model), what words and a picture cost beside plain diffusers
in the same run, loading, swapping and memory as a table; ``--json`` writes them. ``--help`` lists
more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from studio.bench.options import Options, read_options
from studio.bench.report import Figure, as_json, as_table, machine
from studio.bench.startup import measure_startup
from studio.bench.subject import Subject, model_that_is_there, random_model
from studio.errors import StudioError
from studio.models.threads import share_the_cpu
from studio.settings import Settings

_FULL_SIZE = 2**30  # bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when every figure could be taken, 2 with a sentence otherwise."""
    options = read_options(arguments)
    figures: list[Figure] = []
    try:
        for figure in _all(options):
            figures.append(figure)
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    finally:  # what was measured in an hour is not lost to what failed after it
        if figures:
            print(machine(), as_table(figures), sep="\n\n")
            if options.json:
                options.json.write_text(as_json(figures, machine()) + "\n", encoding="utf-8")
    return 0


def _all(options: Options) -> Iterator[Figure]:
    if "startup" in options.chapters:
        _say("starting the studio")
        yield from _startup(options.device)
    if "gallery" in options.chapters:
        from studio.bench.searching import measure_searching

        _say("a large gallery")
        yield from measure_searching(options.folder, 10 * (options.rounds or 2))
    if not {*options.chapters} <= {"startup", "gallery"}:
        yield from _model(options)


def _startup(device: str) -> Iterator[Figure]:
    started = measure_startup(device)
    yield Figure("page answers after the start", started.page_seconds, "s", "at most 3")
    yield Figure("first picture after the start", started.first_picture_seconds, "s", "at most 12")
    if started.peak_memory_mib is not None:
        yield Figure("peak memory of the server", started.peak_memory_mib, "MiB")


def _model(options: Options) -> Iterator[Figure]:
    share_the_cpu()  # before torch is imported
    from studio.models.quiet import quiet_libraries

    quiet_libraries(options.device)
    if options.random:
        _say(f"writing a random {options.random}")
        found = random_model(options.random, options.folder)
    else:
        found = model_that_is_there(options.model, Settings(), options.folder)
    with found as measured:
        if "words" in options.chapters:
            from studio.bench.wording import measure_wording

            _say("words")
            yield from measure_wording(measured, options.device, 10 * (options.rounds or 3))
        if "loading" in options.chapters:
            yield from _loading(measured, options)
        if "swapping" in options.chapters:
            yield from _swapping(measured, options)
        if "merging" in options.chapters:
            yield from _merging(measured)
        if "painting" in options.chapters:
            from studio.bench.painting import measure_painting

            yield from measure_painting(measured, options, _say)
        if "inpainting" in options.chapters:
            from studio.bench.inpainting import measure_inpainting

            yield from measure_inpainting(measured, options, _say)
        if "enlarging" in options.chapters:
            from studio.bench.enlarging import measure_enlarging

            yield from measure_enlarging(measured, options, _say)
        if "animation" in options.chapters:
            from studio.bench.animating import measure_animating

            yield from measure_animating(measured, options, _say)


def _loading(measured: Subject, options: Options) -> Iterator[Figure]:
    from studio.bench.loading import measure_loading

    _say("loading")
    cost = measure_loading(measured.info.path, options.device, min(options.rounds or 3, 5))
    full = cost.file_bytes > _FULL_SIZE  # of smaller ones most is making the networks
    where = "from the disk" if cost.cold else "from the system's cache"
    yield Figure(f"loading, {where}", cost.seconds, "s")
    yield Figure(f"reading the files alone, {where}", cost.read_seconds, "s")
    yield Figure("loading / reading", cost.ratio, "×", "at most 1.5" if full else "")
    yield Figure("the files", cost.file_bytes / 2**20, "MiB")
    if cost.peak is not None:
        peak, aim = cost.peak / cost.file_bytes, "at most 1.25" if full else ""
        yield Figure("peak RAM of loading / the files", peak, "×", aim)


def _swapping(measured: Subject, options: Options) -> Iterator[Figure]:
    from studio.bench.swapping import measure_swapping

    _say("swapping")
    cost = measure_swapping(measured, options.device, min(options.rounds or 4, 8))
    if cost.kept is not None:
        yield Figure("to another model and back, kept in memory", cost.kept, "s")
    yield Figure("to another model and back, loaded anew", cost.loaded, "s")


def _merging(measured: Subject) -> Iterator[Figure]:
    from studio.bench.merging import measure_merging

    _say("merging")
    cost = measure_merging(measured)
    yield Figure("merging two models", cost.seconds, "s")
    yield Figure("writing as many bytes alone", cost.write_seconds, "s")
    if cost.peak is not None:
        aim = "at most 1.2" if cost.largest > _FULL_SIZE else ""
        yield Figure("peak RAM of merging / the larger model", cost.peak / cost.largest, "×", aim)


def _say(what: str) -> None:
    print(f"Measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
