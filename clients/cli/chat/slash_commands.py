"""What a written line means: a message, or a command that begins with a slash."""

from __future__ import annotations

from typing import Final, NamedTuple

_MARK: Final = "/"

_COMMANDS: Final = {
    "help": "tell the commands",
    "pin TEXT": "send a message that stays in the prompt where older ones leave it",
    "history": "show all turns so far",
    "title TEXT": "give the chat another title",
    "fork": "go on in another chat, which has all turns so far",
    "end": "end the chat: it takes no more messages",
    "quit": "leave; the chat stays open",
}
"""What each command does, by how it is written."""


class SlashCommand(NamedTuple):
    """Something that is to be done with the chat."""

    name: str
    text: str
    """What stands behind the name."""


def read_line(line: str) -> SlashCommand | str | None:
    """Return the command or the message that a line is; None where it is empty."""
    line = line.rstrip("\r\n")
    if not line.strip():
        return None
    if not line.startswith(_MARK):
        return line
    if line.startswith(_MARK * 2):
        return line.removeprefix(_MARK)
    name, *text = line.removeprefix(_MARK).split(maxsplit=1) or [""]
    return SlashCommand(name, "".join(text).strip())


def help_lines() -> list[str]:
    """Return a line for each command."""
    width = max(map(len, _COMMANDS)) + len(_MARK)
    commands = [f"{_MARK + command:<{width}}  {what}" for command, what in _COMMANDS.items()]
    return [*commands, f"A message that begins with {_MARK} is written with two."]
