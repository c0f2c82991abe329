"""What a line on the terminal means."""

from __future__ import annotations

import pytest

from sostenuto.clients.cli.chat.slash_commands import SlashCommand, help_lines, read_line


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("", None),
        ("  \t\n", None),
        ("How is 7?\r\n", "How is 7?"),
        ("  as it is  \n", "  as it is  "),
        ("one\ntwo\n", "one\ntwo"),
        ("//etc/hosts is gone\n", "/etc/hosts is gone"),
        ("///\n", "//"),
        ("/quit\n", SlashCommand("quit", "")),
        ("/title  My  order \n", SlashCommand("title", "My  order")),
        ("/\n", SlashCommand("", "")),
        ("/ help", SlashCommand("help", "")),
        ("/nope 7", SlashCommand("nope", "7")),
    ],
)
def test_a_line(line: str, meant: SlashCommand | str | None) -> None:
    assert read_line(line) == meant


def test_the_help_tells_every_command() -> None:
    told = " ".join(help_lines())
    assert all(f"/{name}" in told for name in ("help", "history", "title TEXT", "fork", "end", "quit"))
