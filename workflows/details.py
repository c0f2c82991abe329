"""How a run explains itself in the Temporal UI: live Markdown, and one line per activity."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable

from temporalio import workflow

from ..contracts.message import Message, ToolCallPart, ToolResultPart
from ..contracts.run import Totals

SHOWN_MESSAGES = 20
"""How many of the last messages the details show."""
_ENTRY_CHARS = 400


class Details:
    """The last steps of a run as Markdown. Bounded, so that a long run costs no more per turn than a short one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._entries: deque[str] = deque(maxlen=SHOWN_MESSAGES)

    def show(self, messages: Iterable[Message], totals: Totals, turns: int) -> None:
        """Add messages and publish."""
        self._entries.extend(_markdown(message) for message in messages)
        usage = totals.usage
        head = (
            f"**{self._name}** · {turns} turns · {compact(usage.input_tokens)}→{compact(usage.output_tokens)} tok "
            f"· ${totals.cost_usd:.4f}"
        )
        workflow.set_current_details("\n\n".join((head, *self._entries)))


def compact(tokens: int) -> str:
    """A count of tokens in few characters: 950, 1.2k, 3.4M."""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens / 1000:.1f}k" if tokens < 1_000_000 else f"{tokens / 1_000_000:.1f}M"


def first_line(text: str, limit: int = 100) -> str:
    """The first line of a text, cut to a number of characters."""
    return _cut(text.strip().partition("\n")[0], limit)


def _markdown(message: Message) -> str:
    # Whoever opens the UI must not be made to fetch what a model was talked into linking.
    text = _cut(message.text).replace("![", "!\\[")
    lines = [f"**{message.role.value}**\n\n{text}"] if text else []
    lines += [_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    lines += [_result(part) for part in message.parts if isinstance(part, ToolResultPart)]
    return "\n\n".join(lines) or f"**{message.role.value}** …"


def _call(call: ToolCallPart) -> str:
    arguments = call.malformed or json.dumps(call.arguments, ensure_ascii=False)
    return f"→ **{call.name}**\n\n{_verbatim(arguments)}"


def _result(result: ToolResultPart) -> str:
    return f"↳ **{result.name}**{' failed' if result.is_error else ''}\n\n{_verbatim(result.content)}"


def _verbatim(text: str) -> str:
    """A block in which nothing is Markdown: what a tool returns may be anybody's text."""
    return "\n".join(f"    {line}" for line in _cut(text).splitlines()) or "    (nothing)"


def _cut(text: str, limit: int = _ENTRY_CHARS) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
