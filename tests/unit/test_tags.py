"""LoRA tags in a prompt, in A1111's grammar."""

from __future__ import annotations

import pytest

from studio.prompt.tags import LoraUse, read_tags


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
    read = read_tags(f"a boat {prompt}, sea")
    assert read.text == "a boat , sea"
    assert read.loras == (LoraUse("ink", unet, text),)


def test_several_at_once_and_the_same_one_twice() -> None:
    read = read_tags("<lora:a/b c.v2:1>x<lora:ink:0.5><lora:a/b c.v2:0.25:0.5>")
    assert read.text == "x"
    assert read.loras == (LoraUse("a/b c.v2", 1.5, 1.25), LoraUse("ink", 0.5, 0.5))


@pytest.mark.parametrize(
    "prompt",
    ["<lora:>", "<lora:ink:>", "<lora:ink:much>", "<lora:ink:1", "<lora:ink:nan>", "<lora:ink:1e9>",
     "<lora:ink:1:1:1>", "<lora:ink:dim=4>", "<hypernet:ink:1>", "a < b > c", "<lora::1>"],
)  # fmt: skip
def test_what_is_no_tag_stays_in_the_text(prompt: str) -> None:
    read = read_tags(prompt)
    assert (read.text, read.loras) == (prompt, ())
