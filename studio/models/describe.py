"""One thing on disk -> its description. No torch here."""

from __future__ import annotations

import os
from dataclasses import asdict, fields, replace
from hashlib import blake2s
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISDIR
from typing import Any

from studio import sentences
from studio.models import header, recognise, recognise_addons
from studio.models.base import ModelInfo
from studio.models.defaults import defaults_for, distillation_in_words
from studio.models.folders import SAFETENSORS, Found
from studio.models.header import PICKLE, DamagedFile, Header, os_sentence, read_floats, read_header
from studio.models.pipelines import describe_component, describe_pipeline, is_pipeline
from studio.models.recognise import ReadFloats, Recognised
from studio.models.weights import PICKLES
from studio.sentences import Sentence, say
from studio.sentences import from_json as from_problem

LONGEST_NAME = 400  # what a request can carry, with room for what tells two of one name apart


def reader_version() -> str:
    """A name for this code: another one when what it would say of a file may differ."""
    digest = blake2s(digest_size=8)
    for module in (header, recognise, recognise_addons, sentences):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def recognise_file(path: Path) -> Recognised:
    """What a file is, by what is in it. Raises DamagedFile with a sentence."""
    head = read_header(path)

    def read(name: str) -> list[float]:
        try:
            return read_floats(path, head, name)
        except OSError as error:
            raise DamagedFile(os_sentence(path, error)) from error

    return recognise_header(head, read)


def recognise_header(head: Header, read: ReadFloats = lambda _: []) -> Recognised:
    """What a file with this header is."""
    return (
        recognise.recognise_checkpoint(head, read)
        or recognise_addons.recognise_lora(head)
        or recognise_addons.recognise_vae(head)
        or recognise_addons.recognise_embedding(head)
        or recognise_addons.recognise_upscaler(head)
        or recognise.recognise_foreign(head)
    )


def tidy(info: ModelInfo) -> ModelInfo:
    """``info`` without what a hostile file can bring into its texts: half characters, endless ones.

    Names and configurations from files stand in problems, and every answer has to hold them.
    """
    known = info.prediction_type in ("", "epsilon", "v_prediction", "sample")
    return replace(
        info,
        problem=info.problem.cleaned(printable) if info.problem else None,
        prediction_type=info.prediction_type if known else "epsilon",
    )


def describe_file(found: Found, what: Recognised) -> ModelInfo:
    """The description of a file that was recognised."""
    words = f"{what.title} {found.name}"
    variety = what.variety
    if what.kind == "checkpoint" and not variety:
        variety = distillation_in_words(what.title, found.name)
    return ModelInfo(
        name=printable(found.name),
        path=found.path,
        kind=what.kind or found.place.kind or "checkpoint",
        family=what.family,
        size=found.stat.st_size if found.stat else 0,
        native_size=what.native_size,
        defaults=defaults_for(what.family, what.native_size, variety, words),
        problem=what.problem or _missing(what) or name_problem(found),
        layout="file",
        prediction_type=what.prediction_type,
        inpainting=what.inpainting,
        variety=variety,
    )


def describe_folder(found: Found) -> ModelInfo:
    """The description of a folder in diffusers' format, or of one that cannot be looked into."""
    name = printable(found.name)
    if found.stat is None:
        problem = say("This folder may not be read: change its permissions.")
        return ModelInfo(name, found.path, found.place.kind or "checkpoint", "", problem=problem)
    describe = describe_pipeline if is_pipeline(found.path) else describe_component
    return describe(name, found.path)


def quick_problem(found: Found) -> Sentence | None:
    """What is wrong with a file that need not be opened to tell; None when it must be."""
    if found.stat is None:
        try:
            found.path.stat()
        except OSError as error:
            return os_sentence(found.path, error)
        return say("It was changed a moment ago: look again.")
    ending = found.path.suffix.lower()
    if ending in SAFETENSORS or S_ISDIR(found.stat.st_mode):
        return None
    if ending in PICKLES:
        return PICKLE
    if ending in (".gguf", ".onnx"):
        return say(
            "It is in the {format} format; this studio reads safetensors only.",
            format=ending[1:].upper(),
        )
    if ending in (".zip", ".7z", ".rar", ".gz", ".tar"):
        return say("It is packed: unpack it here.")
    if ending == ".txt":
        return say("It is a text file, not a model.")
    return say("It is not a model: this studio reads safetensors only.")


def broken(found: Found, problem: Sentence) -> ModelInfo:
    """The description of a file of which no more is known than what is wrong with it."""
    return describe_file(found, Recognised(problem=problem))


def _missing(what: Recognised) -> Sentence | None:
    """What else would have to be installed; looked up each time, for the ledger keeps no answer."""
    if what.variety != "spandrel" or find_spec("spandrel"):
        return None
    return say(
        "It enlarges with a network of another make (SwinIR, HAT, DAT …), which can be run only "
        "where the library spandrel is installed."
    )


def name_problem(found: Found) -> Sentence | None:
    """What is wrong with a name that no request could carry."""
    if len(found.name) > LONGEST_NAME:
        return say(
            "Its name is too long (at most {most} characters with its folders).",
            most=LONGEST_NAME,
        )
    try:
        os.fspath(found.path).encode("utf-8")
    except UnicodeEncodeError:
        return say("Its name is not valid UTF-8: give it another name.")
    return None


def printable(name: str) -> str:
    """A text from a file or its name as every page and answer can hold it."""
    return "".join(
        each if each >= " " and each != "\x7f" and not "\ud800" <= each <= "\udfff" else "�"
        for each in name[:LONGEST_NAME]
    )


def to_json(what: Recognised) -> dict[str, Any]:
    """What was recognised, for the ledger."""
    problem = what.problem.as_json() if what.problem else None
    return {**asdict(what), "problem": problem}


def from_json(values: dict[str, Any]) -> Recognised | None:
    """What the ledger has; None when it is of another make."""
    if set(values) != {item.name for item in fields(Recognised)}:
        return None
    problem = values["problem"]
    return Recognised(**{**values, "problem": from_problem(problem) if problem else None})
