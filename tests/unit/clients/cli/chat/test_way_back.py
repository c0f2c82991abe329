"""The command that goes on with a chat."""

from __future__ import annotations

import argparse

from sostenuto.clients.cli import build_parser
from sostenuto.clients.cli.chat.way_back import way_back


def asked(*words: str) -> argparse.Namespace:
    return build_parser().parse_args(["chat", "shop:app", "support", *words])


def test_it_has_the_options_that_find_the_chat() -> None:
    assert way_back(asked("--title", "T", "--when-busy", "reject"), "c1") == "sostenuto chat shop:app support --id c1"
    options = ["--tenant", "acme", "--task-queue", "q", "--address", "h:1", "--namespace", "n"]
    told = way_back(asked(*options, "--no-worker", "--id", "old"), "my chat")
    assert told == f"sostenuto chat shop:app support --id 'my chat' {' '.join(options)} --no-worker"
