"""What options take, and options that several commands have.

argparse tells the person what is wrong with a number, and leaves.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any, Final

from ....contracts.control.budget import Budget
from ....contracts.errors import SpecError
from ....contracts.memory.conversation import Memory

_LAST_PORT = 65535


def port(text: str) -> int:
    """Return the port that an option names; 0 for a free one.

    Raises:
        ArgumentTypeError: It is not a port.
    """
    if text.isdecimal() and int(text) <= _LAST_PORT:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to {_LAST_PORT}")


def at_least_one(text: str) -> int:
    """Return the count that an option names, at least 1.

    Raises:
        ArgumentTypeError: It is not a whole number, or is less than 1.
    """
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number of at least 1")


def window(text: str) -> int | str:
    """Return the window that an option names.

    It is a number of tokens, or a part of the model's own.

    Raises:
        ArgumentTypeError: It is none.
    """
    given = int(text) if text.isdecimal() else text
    try:
        Memory(window=given)
    except SpecError as error:
        raise ArgumentTypeError(str(error)) from None
    return given


def context_object(text: str) -> dict[str, Any]:
    """Return the context that an option gives, as JSON.

    Raises:
        ArgumentTypeError: It is no JSON object.
    """
    return _json_object(text, '{"user": "anna"}')


def arguments_object(text: str) -> dict[str, Any]:
    """Return the arguments of a tool call, as JSON.

    Raises:
        ArgumentTypeError: They are no JSON object.
    """
    return _json_object(text, '{"amount": 5}')


def _json_object(text: str, example: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        # Not what it is: there may be a token in it.
        raise ArgumentTypeError(f"it is not JSON ({error}): write it as '{example}'") from None
    if not isinstance(value, dict):
        raise ArgumentTypeError(f"it is not a JSON object: write it as '{example}'")
    return value


def add_context_option(parser: ArgumentParser, whose: str) -> None:
    """Add the option that gives a run or a chat its context.

    Args:
        parser: Of the command.
        whose: What the help calls it.
    """
    parser.add_argument(
        "--context", type=context_object, metavar="JSON", help=f"own values of the {whose}, which no model sees"
    )


def budget(text: str) -> Budget:
    """Return the budget that an option gives.

    Raises:
        ArgumentTypeError: It is none.
    """
    parts = [part.strip() for part in text.split(",")]
    ledgers = [part.partition("=")[2] for part in parts if part.startswith(_LEDGER)]
    others = ",".join(part for part in parts if not part.startswith(_LEDGER))
    if len(ledgers) > 1:
        raise ArgumentTypeError(f"{text!r} says ledger twice")
    given = amounts(others) if others or not ledgers else {}
    try:
        return Budget(**given, ledger=ledgers[0] if ledgers else None)
    except SpecError as error:
        raise ArgumentTypeError(str(error)) from None


def amounts(text: str) -> dict[str, Any]:
    """Return how much of each limit an argument says.

    Raises:
        ArgumentTypeError: It does not say that.
    """
    found: dict[str, Any] = {}
    parts = text.split(",")
    for part in parts:
        name, separator, value = part.partition("=")
        if not separator and len(parts) > 1:
            raise ArgumentTypeError(
                f"{text!r}: where there are several, each has its name: write 0.50 for US dollars, with a point, or "
                "usd=0.50,tokens=20000"
            )
        name, value = (name.strip(), value) if separator else ("usd", name)
        kind = _LIMITS.get(name)
        if kind is None:
            raise ArgumentTypeError(f"there is no limit {name!r}: there are {', '.join(_LIMITS)}")
        if name in found:
            raise ArgumentTypeError(f"{text!r} says {name} twice")
        try:
            found[name] = kind(value.strip().lstrip("$"))
        except ValueError:
            raise ArgumentTypeError(
                f"{part.strip()!r} is not a limit: write 0.50 for US dollars, or usd=0.50,tokens=20000"
            ) from None
    return found


_LEDGER: Final = "ledger="
_LIMITS: Final[Mapping[str, Callable[[str], Any]]] = {"usd": float, "tokens": int, "turns": int, "seconds": float}


def add_document_options(parser: ArgumentParser, *, field: str, tenant: str) -> None:
    """Add the options that say of which documents a command is.

    Args:
        parser: Of the command.
        field: What a field's value means there.
        tenant: What the tenant means there.
    """
    parser.add_argument("--field", metavar="NAME=VALUE", action="append", default=[], help=field)
    parser.add_argument("--tenant", default="", help=tenant)


def field_value(text: str) -> tuple[str, str]:
    """Return the name and the value that an option says, as NAME=VALUE.

    Raises:
        SpecError: It says something else.
    """
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise SpecError(f"--field {text!r}: write NAME=VALUE")
    return name, value
