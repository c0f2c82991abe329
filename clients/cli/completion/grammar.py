"""Reads from the parser what may be typed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

WordKind = Literal["app", "choice", "directory", "file", "text"]

APPS = r"s/^([A-Za-z_][A-Za-z_0-9]*)[^=]*=[[:space:]]*App[(].*/\1/p"
"""For `sed -nE`: the names of the apps that a file makes."""


@dataclass(frozen=True, slots=True)
class TypedWord:
    """What is typed in one place."""

    kind: WordKind
    label: str
    choices: tuple[str, ...] = ()
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class CommandOption:
    """An option of a command."""

    names: tuple[str, ...]
    help: str
    takes: TypedWord | None
    """None: it stands alone."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or the program itself."""

    name: str
    help: str
    options: tuple[CommandOption, ...]
    places: tuple[TypedWord, ...]
    """What stands without an option, one after the other; the last may be repeated. Of a command that has commands of
    its own the first is one of these, and its options are those of all of them."""


def commands_of(parser: argparse.ArgumentParser) -> tuple[Command, tuple[Command, ...]]:
    """Return the program itself, and its commands.

    Args:
        parser: Of every command.
    """
    return _command(parser, parser.prog, parser.description or ""), tuple(_commands(parser))


def _commands(parser: argparse.ArgumentParser) -> Iterator[Command]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other door
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            told = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            for name, command in action.choices.items():
                yield _with_own(_command(command, name, told.get(name, "")), tuple(_commands(command)))


def _with_own(command: Command, own: Sequence[Command]) -> Command:
    """Return a command with what may be typed for commands of its own."""
    if not own:
        return command
    options = {option.names: option for one in (command, *own) for option in one.options}
    first = TypedWord("choice", "COMMAND", tuple(one.name for one in own))
    return replace(command, options=tuple(options.values()), places=(first, *command.places))


def _command(parser: argparse.ArgumentParser, name: str, told: str) -> Command:
    actions: Sequence[argparse.Action] = [
        action
        for action in parser._actions  # noqa: SLF001
        if not isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]
    formatter = parser._get_formatter()  # noqa: SLF001
    options = tuple(
        CommandOption(
            tuple(action.option_strings),
            formatter._expand_help(action) if action.help else "",  # noqa: SLF001
            None if action.nargs == 0 else _takes(action),
        )
        for action in actions
        if action.option_strings
    )
    return Command(name, told, options, tuple(_takes(action) for action in actions if not action.option_strings))


def _takes(action: argparse.Action) -> TypedWord:
    label = action.metavar if isinstance(action.metavar, str) else action.dest
    repeated = action.nargs in ("+", "*") or isinstance(action, argparse._AppendAction)  # noqa: SLF001
    choices = tuple(map(str, action.choices or ()))
    return TypedWord("choice" if choices else _kind(action, label), label, choices, repeated)


def _kind(action: argparse.Action, label: str) -> WordKind:
    if label == "MODULE:APP":
        return "app"
    if label == "DIR" or action.dest == "directory":
        return "directory"
    return "file" if action.type is Path or "FILE" in label or "PATH" in label else "text"
