"""Everything that the studio can say to a person: found in its source, and said in Chinese too."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from studio import errors
from studio.errors import FieldProblem, InvalidRequest, StudioError, system_reason
from studio.languages import load_speakers, wanted_language
from studio.request import GenerationRequest
from studio.sentences import Sentence, read, say, together, write
from studio.settings import REPOSITORY

ASSETS = REPOSITORY / "assets"
CATALOGUE = ASSETS / "i18n" / "sentences.zh-CN.json"
SILENT = {"bench", "pocket"}  # for those who build the studio, on a terminal
NAMES = {"VAE", "LoRA", "ControlNet", "IP-Adapter"}  # the same in Chinese
CARRIERS = {"problem", "note", "error", "reason", "message", "detail"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SPEAKING = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, StudioError)
} | {"DamagedFile", "Preparing"}
NAMED = {"InvalidRequest", "FieldProblem", "HTTPException"}  # a field or a status comes first


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((REPOSITORY / "studio").rglob("*.py")):
        if not SILENT & set(path.parts):
            yield path, ast.parse(path.read_text("utf-8"))


def calls() -> Iterator[tuple[Path, str, ast.Call]]:
    """Every call in the studio: the file, the name of what is called, the call."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else ""
                if isinstance(called, ast.Name):
                    name = called.id
                elif name == "of" and ast.unparse(called.value) == "InvalidRequest":
                    name = "InvalidRequest"
                yield path, name, node


def templates() -> set[str]:
    found = set()
    for path, name, call in calls():
        if name == "say":
            template = call.args[0]
            assert isinstance(template, ast.Constant), (
                f"{path.name}:{call.lineno} is not written out"
            )
            found.add(template.value)
    return found


def slots(template: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name}


def is_text(node: ast.expr | None) -> bool:
    """Whether an expression is text that no `say` has made."""
    if isinstance(node, ast.IfExp):
        return is_text(node.body) or is_text(node.orelse)
    if isinstance(node, ast.BoolOp | ast.BinOp):
        return any(
            is_text(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)
        )
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "str"
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""
    )


def test_every_sentence_has_its_chinese_form() -> None:
    chinese: dict[str, str] = json.loads(CATALOGUE.read_text("utf-8"))
    known = templates()
    assert len(known) > 200
    assert known - set(chinese) == set(), "write these into sentences.zh-CN.json"
    assert set(chinese) - known == set(), "nobody says these any more"
    for template, form in chinese.items():
        assert slots(form) == slots(template), template
        words = re.sub(r"\{[^}]*\}", "", template)
        if re.search("[A-Za-z]", words) and template not in NAMES:
            assert CHINESE.search(form) or words.strip("a n") in NAMES, template
        assert not re.search(r"[\u4e00-\u9fff][.,:;!?]", form), f"a Latin mark in: {form}"


def test_nothing_is_said_but_by_say() -> None:
    """mypy sees to what is not written out on the spot: errors take a Sentence."""
    for path, name, call in calls():
        place = f"{path.relative_to(REPOSITORY)}:{call.lineno}"
        if name in SPEAKING - NAMED:
            assert not any(is_text(each) for each in call.args[:1]), place
        if name in NAMED:
            assert not any(is_text(each) for each in call.args[1:]), place
        if name not in ("say", "info", "warning", "error", "exception", "Field"):
            for keyword in call.keywords:
                assert keyword.arg not in CARRIERS or not is_text(keyword.value), place


def test_a_sentence_is_english_text_that_can_be_said_in_chinese() -> None:
    reason = say("its layers are of another size")
    sentence = say(
        "The LoRA “{name}” cannot be used with “{model}”: {reason}.",
        name="{model}", model="pocket", reason=reason,
    )  # fmt: skip
    said = "The LoRA “{model}” cannot be used with “pocket”: its layers are of another size."
    assert sentence == str(sentence) == said
    assert json.loads(json.dumps(sentence)) == said
    speakers = load_speakers(ASSETS)
    assert speakers["en"](sentence) == said
    assert speakers["zh-CN"](sentence) == "LoRA“{model}”不能用于“pocket”：各层的尺寸不符。"
    assert speakers["zh-CN"]("pocket") == "pocket"


def test_a_sentence_outlives_a_restart_a_copy_and_a_pickle() -> None:
    chinese = load_speakers(ASSETS)["zh-CN"]
    sentence = say(
        "There is no {kind} called “{name}”; there are: {known} and {n} more.",
        kind=say("model"), name="x", known=("one", "two"), n=3,
    )  # fmt: skip
    for again in (
        read(write(sentence)),
        copy.deepcopy(sentence),
        pickle.loads(pickle.dumps(sentence)),
    ):
        assert again == sentence
        assert chinese(again) == "没有名为“x”的模型；现有：one、two，另有 3 个。"


@pytest.mark.parametrize(
    "text", ["It broke.", '{"say": 1}', '{"say": "{x}", "with": {}}', "[]", "null", "{", '"x"',
             '{"say": "{x.y}", "with": {"x": "a"}}', '{"say": "{", "with": {}}']
)  # fmt: skip
def test_what_was_written_otherwise_is_said_as_it_stands(text: str) -> None:
    assert read(text) == text


def test_several_problems_are_one_text_in_each_language() -> None:
    missing, long = say("it is missing"), say("its name is too long")
    error = InvalidRequest((FieldProblem("a", missing), FieldProblem("b", long)))
    assert str(error) == "it is missing its name is too long"
    chinese = load_speakers(ASSETS)["zh-CN"]
    assert chinese(error.sentence) == "缺少这一项名称太长"
    assert together([missing]) == missing


def test_labels_within_sentences_are_those_of_the_page() -> None:
    chinese = load_speakers(ASSETS)["zh-CN"]
    for info in GenerationRequest.model_fields.values():
        assert info.title in NAMES or CHINESE.search(chinese(Sentence(info.title or "")))


def test_what_the_system_says_is_translated_where_it_is_common() -> None:
    chinese = load_speakers(ASSETS)["zh-CN"]
    assert chinese(system_reason(FileNotFoundError(2, "No such file"))) == "找不到它"
    assert chinese(system_reason(OSError(122, "Disk quota exceeded"))) == "磁盘已满"
    assert system_reason(OSError("odd")) == "odd"


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        (None, None, "en"),
        (None, "*", "en"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "de,zh;q=0.5,en;q=0.4", "zh-CN"),
        (None, "zh;q=nonsense,en;q=0.1", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("en", "zh", "en"),
        ("xx", "zh", "zh-CN"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers(
    cookie: str | None, header: str | None, language: str
) -> None:
    assert wanted_language(cookie, header) == language


def test_answers_say_their_sentences_in_the_visitors_language() -> None:
    """A field of an answer that carries a sentence has the type that says it."""
    carriers = {*CARRIERS, "plan", "attention"}
    for path, tree in sources():
        if path.parent.name != "api":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                kind = ast.unparse(node.annotation)
                told = node.target.id in carriers and "str" in kind
                assert not told, f"{path.name}:{node.lineno} {node.target.id}: use Said"
