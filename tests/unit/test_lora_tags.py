"""LoRA tags in a prompt, in A1111's grammar."""

from __future__ import annotations

import pytest

from studio.prompt.grammar import Lora, take_loras
from studio.prompt.plan import plan_prompt


@pytest.mark.parametrize(
    ("prompt", "unet", "text"),
    [
        ("<lora:ink>", 1.0, 1.0),
        ("<lora:ink:0.8>", 0.8, 0.8),
        ("<lora:ink:0.8:0.5>", 0.5, 0.8),  # the text encoder's first, as in A1111
        ("<lora:ink:te=0.3>", 0.3, 0.3),
        ("<lora:ink:te=0.3:unet=1>", 1.0, 0.3),
        ("<lora:ink:0.8:unet=.25>", 0.25, 0.8),
        ("<lora:ink:-1>", -1.0, -1.0),
        ("<lora:ink:0>", 0.0, 0.0),
    ],
)
def test_weights(prompt: str, unet: float, text: float) -> None:
    assert take_loras(f"a boat {prompt}, sea") == ("a boat , sea", (Lora("ink", unet, text),))


def test_several_at_once_and_the_same_one_twice() -> None:
    text, loras = take_loras("<lora:a/b c.v2:1>x<lora:ink:0.5><lora:a/b c.v2:0.25:0.5>")
    assert text == "x"
    assert loras == (Lora("a/b c.v2", 1.5, 1.25), Lora("ink", 0.5, 0.5))


@pytest.mark.parametrize(
    "prompt",
    ["<lora:>", "<lora:ink:>", "<lora:ink:much>", "<lora:ink:1", "<lora:ink:nan>", "<lora:ink:1e9>",
     "<lora:ink:1:1:1>", "<lora:ink:dim=4>", "<hypernet:ink:1>", "a < b > c", "<lora::1>"],
)  # fmt: skip
def test_what_is_no_tag_stays_in_the_text(prompt: str) -> None:
    assert take_loras(prompt) == (prompt, ())


@pytest.mark.parametrize(
    "prompt",
    ["(a boat <lora:x AND (y:1):0.5>:1.3)", "[<lora:x AND (y:1):0.5>a boat:the sea:3]",
     "a boat AND the <lora:x AND (y:1):0.5>sea", "(a <lora:x AND (y:1):0.5>boat BREAK"],
)  # fmt: skip
def test_a_plan_is_as_if_the_tag_were_not_there(prompt: str) -> None:
    """A tag's colons, brackets and words are none of the prompt's."""
    tag = "<lora:x AND (y:1):0.5>"
    assert plan_prompt(prompt, 6).loras == ()  # a name has no colon
    prompt = prompt.replace(tag, tag.replace(":1)", ")"))
    made = plan_prompt(prompt, 6)
    assert made.loras == (Lora("x AND (y)", 0.5, 0.5),)
    assert made.moments == plan_prompt(prompt.replace(tag.replace(":1)", ")"), ""), 6).moments


def test_a_commented_lora_is_none() -> None:
    assert plan_prompt("a boat\n# <lora:ink:1>\n", 3).loras == ()
