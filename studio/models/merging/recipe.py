"""What is to be merged, and how: checked before anything is opened. No torch here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast, get_args

from studio.errors import FieldProblem, InvalidRequest
from studio.models.merging.names import check_name
from studio.sentences import Sentence, say

Method = Literal["weighted_sum", "add_difference"]
Precision = Literal["float16", "bfloat16", "float32"]
MOST_MODELS, MOST_LORAS = 3, 16
STRONGEST = 4.0  # of a LoRA or a difference, either way


@dataclass(frozen=True)
class BakedLora:
    """A LoRA that becomes part of the result, and how strongly."""

    name: str
    weight: float


@dataclass(frozen=True)
class Recipe:
    """One merge.

    ``weighted_sum``: each of ``models`` by its weight, of which only the proportions count; one
    model alone may be taken when a VAE or LoRAs are baked in. ``add_difference``: the first, and
    what the second has learned beyond the third, times the only weight. ``vae``: an installed VAE;
    None for the first model's own. ``dtype``: the numbers of the result.
    Source: AUTOMATIC1111's checkpoint merger, whose two methods these are.
    """

    name: str
    models: tuple[str, ...]
    method: Method = "weighted_sum"
    weights: tuple[float, ...] = ()
    vae: str | None = None
    loras: tuple[BakedLora, ...] = ()
    dtype: Precision = "float16"

    @property
    def coefficients(self) -> tuple[float, ...]:
        """What each model's weights are multiplied by before they are added up."""
        if self.method == "add_difference":
            return 1.0, self.weights[0], -self.weights[0]
        total = sum(self.weights)
        return tuple(weight / total for weight in self.weights)


def read_recipe(values: Mapping[str, Any]) -> Recipe:
    """The recipe that was handed in. Raises InvalidRequest, one sentence for each wrong field."""
    problems: list[FieldProblem] = []

    def field(name: str, read: Callable[[Any], Any], usual: Any = None) -> Any:
        given = values.get(name)
        try:
            return read(usual if given is None else given)
        except InvalidRequest as error:
            problems.extend(error.problems)
            return None

    known = {each.name for each in fields(Recipe)}
    problems += [
        FieldProblem(name[:60], say("A merge has no setting called “{name}”.", name=name[:60]))
        for name in values
        if name not in known
    ]
    name = field("name", check_name, "")
    method = field("method", _one_of("method", say("Method"), get_args(Method)), "weighted_sum")
    models = field("models", _models, [])
    vae = field("vae", _vae)
    loras = field("loras", _loras, [])
    dtype = field("dtype", _one_of("dtype", say("Precision"), get_args(Precision)), "float16")
    if problems:
        raise InvalidRequest(tuple(problems))
    baked = bool(vae or loras)
    weights = _weights(method, models, values.get("weights"), baked)
    return Recipe(name, models, cast("Method", method), weights, vae, loras, dtype)


def _one_of(field: str, label: Sentence, allowed: tuple[str, ...]) -> Callable[[Any], str]:
    def read(given: Any) -> str:
        if given not in allowed:
            what = say("{label} must be one of these: {choices}.", label=label, choices=allowed)
            raise InvalidRequest.of(field, what)
        return str(given)

    return read


def _models(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
        raise InvalidRequest.of("models", say("Models must be a list of names."))
    if not 1 <= len(given) <= MOST_MODELS:
        what = say("Choose two or three models; you gave {n}.", n=len(given))
        raise InvalidRequest.of("models", what)
    return tuple(given)


def _vae(given: Any) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str):
        what = say("VAE must be a name, or null for the first model's own.")
        raise InvalidRequest.of("vae", what)
    return given


def _loras(given: Any) -> tuple[BakedLora, ...]:
    if not isinstance(given, list) or len(given) > MOST_LORAS:
        what = say("LoRAs must be a list of at most {most}.", most=MOST_LORAS)
        raise InvalidRequest.of("loras", what)
    return tuple(_lora(each) for each in given)


def _lora(given: Any) -> BakedLora:
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidRequest.of("loras", say("Each LoRA must have a name and a weight."))
    weight = _number(given.get("weight", 1.0), -STRONGEST, STRONGEST)
    if weight is None:
        what = say(
            "The weight of “{lora}” must be between {least:g} and {most:g}.",
            lora=name[:60], least=-STRONGEST, most=STRONGEST,
        )  # fmt: skip
        raise InvalidRequest.of("loras", what)
    return BakedLora(name, weight)


def _weights(method: str, models: tuple[str, ...], given: Any, baked: bool) -> tuple[float, ...]:
    """As many as the method takes; equal ones when they are left out."""
    if method == "add_difference":
        if len(models) != MOST_MODELS:
            what = say(
                "Adding a difference takes three models, A + (B − C); you gave {n}.",
                n=len(models),
            )
            raise InvalidRequest.of("models", what)
        return _numbers([1.0] if given is None else given, 1, -STRONGEST, STRONGEST)
    if len(models) == 1 and not baked:
        what = say("Choose a second model, or a VAE or LoRAs to bake into this one.")
        raise InvalidRequest.of("models", what)
    weights = _numbers([1.0] * len(models) if given is None else given, len(models), 0.0, 1.0)
    if not any(weights):
        what = say("All weights are 0: give at least one model a weight.")
        raise InvalidRequest.of("weights", what)
    return weights


def _numbers(given: Any, count: int, low: float, high: float) -> tuple[float, ...]:
    numbers = [_number(each, low, high) for each in given] if isinstance(given, list) else []
    if len(numbers) != count or None in numbers:
        what = say(
            "The list of weights must hold {n}, each between {low:g} and {high:g}.",
            low=low, high=high, n=count,
        )  # fmt: skip
        raise InvalidRequest.of("weights", what)
    return tuple(each for each in numbers if each is not None)


def _number(given: Any, low: float, high: float) -> float | None:
    """A number within bounds; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return float(given) if math.isfinite(given) and low <= given <= high else None
