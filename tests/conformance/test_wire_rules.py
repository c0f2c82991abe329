"""Every rule of what is refused can be broken, and what is mended is taken: a rule that nothing trips is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.wire_rules import (
    chat_controls,
    host_controls,
    messages_controls,
    messages_tool_controls,
    provider_controls,
    responses_controls,
)
from tests.conformance.wire_rules.bodies import Control
from tests.conformance.wire_rules.tracing import unheard
from tests.fakes.wire.chat_rules import CHAT, OPENAI_CHAT
from tests.fakes.wire.dialect_rules import DIALECTS
from tests.fakes.wire.messages_rules import MESSAGES
from tests.fakes.wire.page import page
from tests.fakes.wire.responses_rules import RESPONSES
from tests.fakes.wire.rule import Json, Rule, RuleBook

ROOT = Path(__file__).parents[2]

_MESSAGES = (
    messages_controls.FIELDS
    | messages_controls.CONVERSATION
    | messages_controls.CALLS
    | messages_controls.THINKING
    | messages_tool_controls.TOOLS
    | messages_tool_controls.CONTENT
)
_RESPONSES = (
    responses_controls.FIELDS
    | responses_controls.ITEMS
    | responses_controls.REASONING
    | responses_controls.TOOLS
    | responses_controls.CONTENT
)
_CHAT = chat_controls.MESSAGES | chat_controls.CALLS | chat_controls.TOOLS
_OTHERS = {
    **{
        name.lower(): found
        for name, found in vars(provider_controls).items()
        if name.isupper() and name.lower() in DIALECTS
    },
    **{
        name.lower(): found
        for name, found in vars(host_controls).items()
        if name.isupper() and name.lower() in DIALECTS
    },
}
CONTROLS: list[tuple[RuleBook, list[Rule], dict[str, Control]]] = [
    (MESSAGES, MESSAGES.rules, _MESSAGES),
    (RESPONSES, RESPONSES.rules, _RESPONSES),
    (CHAT, CHAT.rules, _CHAT),
    (OPENAI_CHAT, OPENAI_CHAT.beyond(CHAT), chat_controls.OWN),
    *[(DIALECTS[name], DIALECTS[name].beyond(CHAT, OPENAI_CHAT), found) for name, found in _OTHERS.items()],
]
CASES = [
    pytest.param(book, name, control, id=name) for book, _, controls in CONTROLS for name, control in controls.items()
]


def _broken_rules(book: RuleBook, body: Json) -> list[str]:
    return [refusal.rule for refusal in book.refusals(body)]


def test_every_rule_has_its_control() -> None:
    for book, rules, controls in CONTROLS:
        assert [rule.name for rule in rules if rule.name not in controls] == [], book.name
        assert sorted(controls) == sorted(rule.name for rule in rules), book.name
    covered = {book.name for book, _, _ in CONTROLS}
    assert covered == {book.name for book in (MESSAGES, RESPONSES, *DIALECTS.values())}


def test_no_two_rules_share_a_name() -> None:
    names = [rule.name for _, rules, _ in CONTROLS for rule in rules]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("book", "name", "control"), CASES)
def test_what_is_broken_is_refused_and_what_is_mended_is_taken(book: RuleBook, name: str, control: Control) -> None:
    assert control.broken
    for body in control.broken:
        assert name in _broken_rules(book, body)
    assert _broken_rules(book, control.mended) == []


def _by_name() -> Iterator[tuple[Rule, Control]]:
    for _, rules, controls in CONTROLS:
        yield from ((rule, controls[rule.name]) for rule in rules)


def test_there_is_a_control_for_each_of_a_rules_complaints() -> None:
    def run() -> None:
        for rule, control in _by_name():
            for body in control.broken:
                list(rule.find(body))

    assert unheard([rule.find for rule, _ in _by_name()], run) == []


def test_every_rule_says_what_it_refuses_and_where_that_was_read() -> None:
    for rule, _ in _by_name():
        assert rule.refuses.endswith("."), rule.name
        assert rule.source.startswith("https://") or rule.source.startswith(("openai 3.", "anthropic 2.")), rule.name
        assert " " not in rule.source or not rule.source.startswith("https://"), rule.name


def test_the_page_of_the_rules_says_what_they_say() -> None:
    assert (ROOT / "docs" / "wires.md").read_text() == page(), "python -m tests.fakes.wire.page > docs/wires.md"
