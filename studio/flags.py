"""The command line, made from Settings: one flag a field."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn, get_args, get_origin

from pydantic import ValidationError

from studio.errors import StartupError
from studio.sentences import say
from studio.settings import Settings


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence instead of printing the usage."""
        raise StartupError(say("{message}; --help lists the flags.", message=message))


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Settings from the flags, then the environment, then the defaults.

    Raises StartupError that names the flag and its environment variable. ``--help`` exits.
    """
    given = vars(_parser().parse_args(arguments))
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        name = str(detail["loc"][0])  # what follows is the place within a list
        reason = detail["msg"].replace("Input should be", "it should be")
        raise StartupError(
            say(
                "{flag} (or {variable}) cannot be “{given}”: {reason}.",
                flag=_flag(name),
                variable=_variable(name),
                given=str(detail["input"]),
                reason=reason,
            )
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="app.py",
        description="Creative Studio: words become pictures, in the browser.",
        epilog="A flag wins over its environment variable.",
        allow_abbrev=False,
    )
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        text = f"{field.description} ({_variable(name)}; default: {default})".replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(
                _flag(name), action=argparse.BooleanOptionalAction, default=None, help=text
            )
        elif get_origin(field.annotation) is tuple:
            text = f"{field.description}; may be given several times ({_variable(name)})"
            parser.add_argument(_flag(name), metavar="FOLDER", action="append", help=text)
        else:
            choices = [str(choice) for choice in get_args(field.annotation)]
            metavar = "|".join(choices) or name.upper()
            parser.add_argument(_flag(name), metavar=metavar, help=text)
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return f"{Settings.model_config['env_prefix']}{name}".upper()
