"""How a run explains itself in the Temporal UI: live Markdown, and one line per activity."""

from __future__ import annotations

from collections import deque

from temporalio import workflow

from ..contracts.message import Message, Role, ToolResultPart
from ..contracts.run import Totals

_ENTRIES = 20
_ENTRY_CHARS = 400


class Details:
    """The last steps of a run as Markdown. Bounded, so that a long run costs no more per turn than a short one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._entries: deque[str] = deque(maxlen=_ENTRIES)

    def show(self, message: Message, totals: Totals, turns: int) -> None:
        """Add a message and publish."""
        self._entries.append(_markdown(message))
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
    line = text.strip().partition("\n")[0]
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _markdown(message: Message) -> str:
    if message.role is Role.TOOL:
        results = (part for part in message.parts if isinstance(part, ToolResultPart))
        return "\n\n".join(f"↳ `{r.name}`{' ✗' if r.is_error else ''} {_cut(r.content)}" for r in results)
    lines = [f"**{message.role.value}** {_cut(message.text)}"] if message.text else []
    lines += [f"→ `{call.name}` `{_cut(str(call.arguments))}`" for call in message.tool_calls]
    return "\n\n".join(lines) or f"**{message.role.value}** …"


def _cut(text: str) -> str:
    return text if len(text) <= _ENTRY_CHARS else text[:_ENTRY_CHARS] + "…"
