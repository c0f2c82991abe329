"""Writes `docs/wires.md`, the page of all rules: `python -m tests.fakes.wire.page > docs/wires.md`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

from tests.fakes.wire.chat_rules import CHAT, OPENAI_CHAT
from tests.fakes.wire.dialect_rules import DIALECTS
from tests.fakes.wire.messages_rules import MESSAGES
from tests.fakes.wire.responses_rules import RESPONSES
from tests.fakes.wire.rule import Rule, RuleBook

_INTRODUCTION = """# Wires

What providers of models refuse, as far as that is known in public. Tests never speak to a provider. They speak to a
double on loopback, `tests/fakes/wire`, that refuses what the real endpoints refuse, in their words and with their
status; so a request that a provider would not take fails a test, and not somebody's run.

Every request of every test is judged twice: by the rules below, and by the typed dictionaries of the official SDKs,
which refuse fields, types and blocks that do not exist. What is refused although the test did not say `refused=True`
fails it.

## A rule

A rule is one small function in `tests/fakes/wire/anthropic`, `openai` or `dialects`. Its name is the rule's, its
docstring says what is refused, the decorator names the public source, and it yields the endpoint's own words:

```python
@CALLS.rule("https://github.com/anthropics/claude-code/issues/21317")
def call_id_is_there_twice(body: Json) -> Iterator[Complaint]:
    \"\"\"Two calls of one id.\"\"\"
```

| what a new rule needs | where |
| --- | --- |
| the function, in the file of its subject | `tests/fakes/wire/` |
| the exact address of an issue, a page of documentation or a file that says so | the decorator |
| `quoted=False`, where the source does not say in which words | the decorator |
| a control: a body that is taken, and broken ones, one for each complaint | `tests/conformance/wire_rules/` |
| its line on this page: `python -m tests.fakes.wire.page > docs/wires.md` | here |

`tests/conformance/test_wire_rules.py` fails where one of them is missing, or where this page is not what the rules
say. A rule that is stricter than its endpoint is as wrong as one that is missing: where sources contradict one
another, the measured one counts.

What a model accepts is data: `anthropic/models.py` and `openai/models.py`. A model of which nothing is known takes
everything.

## A provider that speaks Chat Completions

It needs no code of its own. A dialect is:

| what | where |
| --- | --- |
| what it accepts otherwise than an unknown server: an entry `for = "acme/*"` | `known.toml` |
| the fields that such an entry may have | `profile.py` |
| its host, so that it is known by its address too | `_HOSTS` in `known.py` |
| its rules, a file with a `RuleBook`, listed with the others | `tests/fakes/wire/dialects/`, `dialect_rules.py` |
| a control for each rule | `tests/conformance/wire_rules/host_controls.py` |
| its form of an error, where that is its own | `tests/fakes/wire/dialects/envelope.py` |
| a model for each entry: `test_mcp_schemas.py` names those that have none | `tests/conformance/every_profile.py` |

The first three are in `activities/adapters/providers/profiles`. A server that takes no `seed` has `seed = ""`; one that
wants the newer name of the limit has `max_tokens = "max_completion_tokens"`.

## What is not judged

Lengths in tokens, whether an address can be reached, what is inside a picture or a document, whether a signature or
encrypted reasoning is genuine, rate limits, and grammars that are too complex to compile. Those need the real thing.
"""

_SHARED: dict[str, tuple[RuleBook, ...]] = {"openai": (CHAT,), "chat": ()}
_OPENING = {
    MESSAGES.name: "",
    RESPONSES.name: "",
    CHAT.name: "Every dialect has these, so some are stricter here than one server or another.",
    OPENAI_CHAT.name: "Besides those that all servers share.",
}


def page() -> str:
    """Return the page."""
    books = [(MESSAGES, MESSAGES.rules), (RESPONSES, RESPONSES.rules)]
    for name, book in DIALECTS.items():
        books.append((book, book.beyond(*_SHARED.get(name, (CHAT, OPENAI_CHAT)))))
    count = sum(len(rules) for _, rules in books)
    parts = [_INTRODUCTION, f"## The {count} rules\n\nIn italics: in words that are ours.\n"]
    return "\n".join([*parts, *("\n".join(_section(book, rules)) for book, rules in books)])


def _section(book: RuleBook, rules: Sequence[Rule]) -> Iterator[str]:
    yield f"### {book.name}\n"
    if opening := _OPENING.get(book.name, "Besides those that all servers share."):
        yield f"{opening}\n"
    yield "| rule | refuses | source |"
    yield "| --- | --- | --- |"
    for rule in rules:
        name = f"`{rule.name}`" if rule.quoted else f"*{rule.name}*"
        status = "" if rule.status == 400 else f" ({rule.status})"
        yield f"| {name} | {_escaped(rule.refuses.removesuffix('.'))}{status} | {_linked(rule.source)} |"
    yield ""


def _escaped(words: str) -> str:
    return words.replace("|", "\\|")


def _linked(source: str) -> str:
    if not source.startswith("https://"):
        return source
    thread = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)/(?:issues|pull)/(\d+)", source)
    file = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)/(?:blob|tree)/[^/]+/(.+)", source)
    if thread:
        label = f"{thread[1]}#{thread[2]}"
    elif file:
        label = f"{file[1]}, {file[2].rpartition('/')[2]}"
    else:
        label = source.removeprefix("https://")
    return f"[{label}]({source})"


if __name__ == "__main__":
    sys.stdout.write(page())
