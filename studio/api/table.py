"""Fields of another program's API <-> fields of a request: rows, read in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as PydanticField

from studio.request import GenerationRequest


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Field:
    """One field of theirs: its type, its usual value, and ours that it stands for, if any.

    ``into`` turns their value into ours, ``back`` ours into theirs. ``about``: what it does, where
    ours does not say so already.
    """

    name: str
    kind: Any
    usual: Any = None
    ours: str = ""
    into: Callable[[Any], Any] = _same
    back: Callable[[Any], Any] = _same
    about: str = ""

    @property
    def described(self) -> Any:
        """The field of a body: its usual value, and the help of ours."""
        ours = GenerationRequest.model_fields.get(self.ours)
        return PydanticField(
            self.usual, description=self.about or (ours and ours.description) or None
        )


def body_model(name: str, *groups: Iterable[Field]) -> type[BaseModel]:
    """A body in which every field may be left out or null; what is not known is ignored."""
    fields: Any = {
        field.name: (field.kind if field.kind is Any else field.kind | None, field.described)
        for group in groups
        for field in group
    }
    config = ConfigDict(extra="ignore", allow_inf_nan=False)
    return create_model(name, __config__=config, **fields)


def taken_by(fields: Iterable[Field], body: Mapping[str, Any]) -> dict[str, Any]:
    """Values by our names; null is the usual value, and where that is null too, it is left out."""
    return {
        field.ours: field.into(given)
        for field in fields
        if field.ours
        and (given := field.usual if body[field.name] is None else body[field.name]) is not None
    }


def told_by(fields: Iterable[Field], request: GenerationRequest) -> dict[str, Any]:
    """A request's values by their names."""
    return {field.name: field.back(getattr(request, field.ours)) for field in fields if field.ours}
