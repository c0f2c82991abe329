"""Explains a run in the Temporal UI: live Markdown, and a text at its end."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from temporalio import workflow

from ..contracts import template
from ..contracts.message import Message, ToolCallPart, ToolResultPart
from ..contracts.text import first_line, plural, shorten
from ..contracts.wire.places import Place
from ..contracts.wire.route_call import RouteChoice
from ..contracts.wire.run import Result, Status
from .tally import Tally

SHOWN_MESSAGES = 20
"""How many of the last messages the details show."""
_SHOWN_PLACES = 40
_ENTRY_CHARS = 400
_STRUCTURED_CHARS = 4_000
_NAME_CHARS = 64
_REASON_CHARS = 100
TEXT_BYTES = 1_800
"""Longest text of a run that has ended: lists of runs have it too, and the server warns of memos from 2 kB on."""
_MARKS = {Status.COMPLETED: "✓", Status.CANCELLED: "⊘"}


@dataclass(slots=True)
class _Row:
    run_id: str
    """Id of the nested run, where it is one."""
    mark: str = "…"
    outcome: str = ""


class Details:
    """A run as Markdown: its cost, the tree of what runs in it, the last messages.

    Bounded, so that a long run costs no more per step than a short one. Left alone where the workflow has details of
    its own.
    """

    def __init__(self, root: Place, tally: Tally) -> None:
        self._root = root
        self._entries: deque[str] = deque(maxlen=SHOWN_MESSAGES)
        self._rows: dict[Place, _Row] = {}
        self._tally = tally
        self._published = ""
        self._due = False

    def told(self, place: Place, messages: Iterable[Message]) -> None:
        """Show what the model at a place is told."""
        label = place.below(self._root)
        self._entries.extend(_markdown(message, label) for message in messages)
        self._publish()

    def chose(self, place: Place, choice: RouteChoice) -> None:
        """Show what a router decided."""
        label = place.below(self._root)
        reason = _harmless(shorten(choice.reason, _ENTRY_CHARS))
        decision = f"⇢ **{choice.route or 'no route'}** · {choice.confidence:.2f} · {reason}"
        self._entries.append(f"**route**{f' · {label}' if label else ''}\n\n{decision}")
        self._publish()

    def retrieved(self, place: Place, summary: str) -> None:
        """Show what a search found, in a line."""
        label = place.below(self._root)
        self._entries.append(f"**search**{f' · {label}' if label else ''} · {_harmless(summary)}")
        self._publish()

    def compacted(self, place: Place, words: str) -> None:
        """Show by what a prompt was shortened."""
        label = place.below(self._root)
        self._entries.append(f"**memory**{f' · {label}' if label else ''} · {_harmless(words)}")
        self._publish()

    def waits(self, place: Place, tool: str, group: str) -> None:
        """Show that a call waits for a person."""
        label = place.below(self._root)
        whose = f" of {_harmless(first_line(group, _NAME_CHARS))}" if group else ""
        where = f" · {label}" if label else ""
        self._entries.append(f"**approval**{where} · **{_called(tool)}** waits for a person{whose}")
        self._publish()

    def lacks(self, place: Place, reason: str) -> None:
        """Show that a budget waits for a top-up."""
        label = place.below(self._root)
        self._entries.append(f"**top-up**{f' · {label}' if label else ''} · {_harmless(reason)}: it waits for one")
        self._publish()

    def started(self, place: Place, run_id: str = "") -> None:
        """Show that something runs at a place."""
        if place != self._root:
            self._rows[place] = _Row(run_id)
            self._publish()

    def finished(self, place: Place, result: Result) -> None:
        """Show what the runnable at a place came to."""
        if row := self._rows.get(place):
            row.mark, row.outcome = _MARKS.get(result.status, "✗"), _outcome(result)
            self._publish()

    def text(self, result: Result) -> str:
        """Return what happened as plain text.

        The end, the tree, and as many of the last messages as there is room for.
        """
        reason = f": {first_line(result.reason, _REASON_CHARS)}" if result.reason else ""
        undone = f" · {first_line(result.compensated.words, _REASON_CHARS)}" if result.compensated else ""
        head = f"{self._root.name} · {result.status}{reason}{undone} · {self._used()}"
        above = [head, *self._tree()]
        while len(above) > 1 and _bytes(above) > TEXT_BYTES // 2:
            del above[1]
        below: deque[str] = deque()
        for entry in reversed(self._entries):
            plain = _plain(entry)
            if _bytes([*above, *below, plain]) > TEXT_BYTES:
                break
            below.appendleft(plain)
        return "\n\n".join(["\n".join(above), *below])

    def _used(self) -> str:
        usage = self._tally.totals.usage
        tokens = f"{compact(usage.input_tokens)}→{compact(usage.output_tokens)} tok"
        return f"{plural(self._tally.turns, 'turn')} · {tokens} · ${self._tally.totals.cost_usd:.4f}"

    def _publish(self) -> None:
        """Show it all once what is ready has run: much may happen in one moment."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._due = False
        if workflow.get_current_details() != self._published:
            return
        head = f"**{self._root.name}** · {self._used()}"
        # As a block of code: the UI draws nested lists as one line.
        tree = "\n".join(f"    {line}" for line in self._tree())
        self._published = "\n\n".join((head, *([tree] if tree else []), *self._entries))
        workflow.set_current_details(self._published)

    def _tree(self) -> Iterable[str]:
        hidden = len(self._rows) - _SHOWN_PLACES
        if hidden > 0:
            yield f"… {hidden} before"
        shown = list(islice(reversed(self._rows.items()), _SHOWN_PLACES))[::-1]
        begun = {place: index for index, (place, _) in enumerate(shown)}
        # What runs at once stands under what it belongs to, however it interleaves, and in the order in which it began.
        for place, row in sorted(shown, key=lambda item: [begun.get(above, -1) for above in item[0].with_parents()]):
            run = f" · run {row.run_id}" if row.run_id else ""
            yield f"{'  ' * (place.below(self._root).depth - 1)}{row.mark} {place.name}{run}{row.outcome}"


def compact(tokens: int) -> str:
    """Return a count of tokens in few characters: 950, 1.2k, 3.4M."""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens / 1000:.1f}k" if tokens < 1_000_000 else f"{tokens / 1_000_000:.1f}M"


def _outcome(result: Result) -> str:
    spent = f" · {compact(result.usage.total_tokens)} tok" if result.turns else ""
    if result.status is Status.COMPLETED:
        return spent
    return f"{spent} · {result.status}: {first_line(result.reason, _REASON_CHARS)}"


def _markdown(message: Message, label: str) -> str:
    who = f"**{message.role.value}**" + (f" · {label}" if label else "")
    # Structured answers are not prose: quotes would be curled, and underscores taken for emphasis.
    said = template.told_answer(message.text) if len(message.text) <= _STRUCTURED_CHARS else message.text
    structured = template.fields(said) if len(said) <= _STRUCTURED_CHARS else {}
    text = (
        _verbatim(json.dumps(structured, ensure_ascii=False, indent=1))
        if structured
        else _harmless(shorten(said, _ENTRY_CHARS))
    )
    lines = [f"{who}\n\n{text}"] if message.text else []
    lines += [_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    lines += [_result(part) for part in message.parts if isinstance(part, ToolResultPart)]
    return "\n\n".join(lines) or f"{who} …"


def _harmless(text: str) -> str:
    # Whoever opens the UI must not be made to fetch what a model was talked into linking. What looks like a tag would
    # be left out, and a heading would be larger than those of the page.
    lines = "\n".join(text.splitlines()).replace("![", "!\\[").replace("<", "&lt;")
    return re.sub(r"^(\s*)#", r"\1\\#", lines, flags=re.MULTILINE)


def _call(call: ToolCallPart) -> str:
    arguments = call.malformed or json.dumps(call.arguments, ensure_ascii=False)
    return f"→ **{_called(call.name)}**\n\n{_verbatim(arguments)}"


def _result(result: ToolResultPart) -> str:
    return f"↳ **{_called(result.name)}**{' failed' if result.is_error else ''}\n\n{_verbatim(result.content)}"


def _called(name: str) -> str:
    """Return what a model calls a tool, which need not be the name of one."""
    return _harmless(first_line(name, _NAME_CHARS))


def _verbatim(text: str) -> str:
    """Return a block in which nothing is Markdown: a tool's text may be anybody's."""
    return "\n".join(f"    {line}" for line in shorten(text, _ENTRY_CHARS).splitlines()) or "    (nothing)"


def _plain(markdown: str) -> str:
    """Return an entry as text: nothing takes it for Markdown there."""
    text = re.sub(r"^(\S* ?)\*\*(.+?)\*\*", r"\1\2", markdown, flags=re.MULTILINE)
    text = re.sub(r"\n{2,}", "\n", text.replace("!\\[", "![").replace("&lt;", "<"))
    return re.sub(r"^(\s*)\\#", r"\1#", text, flags=re.MULTILINE)


def _bytes(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 2 for line in lines)
