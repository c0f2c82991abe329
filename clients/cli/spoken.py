"""What calls say while they are under way, for the foot of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ...contracts.text import one_line
from ...contracts.wire.chats.chat_event import TurnFinished
from ...contracts.wire.event import MemberFinished, ModelRequested, ModelResponded, RunFinished, ToolResponded
from ...contracts.wire.live import Progress, Retract, StreamItem, Token
from ...contracts.wire.places import Place
from .terminal import harmless

_CHARS = 300
"""Of what each of them said last."""
_MOST = 4
"""Calls that are shown."""


class Spoken:
    """What the calls of one run say now."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._progress: dict[tuple[str, str], Progress] = {}

    def take(self, item: StreamItem) -> None:
        """Take in what a stream yields."""
        match item:
            case Token():
                # Newest last.
                self._said[item.path] = (self._said.pop(item.path, "") + item.text)[-2 * _CHARS :]
            case ModelRequested() | ModelResponded() | Retract():
                self._said.pop(item.path, None)
            case Progress():
                self._progress[item.path, item.call_id] = item
            case ToolResponded():
                self._progress.pop((item.path, item.call_id), None)
            case MemberFinished() | RunFinished() | TurnFinished():
                self._said = {path: said for path, said in self._said.items() if not Place(path).is_within(item.path)}
                self._progress = {
                    key: said for key, said in self._progress.items() if not Place(key[0]).is_within(item.path)
                }
            case _:
                pass

    def lines(self) -> list[str]:
        """Return what to show, a line for each call."""
        told = [*self._told(), *(_line(item) for item in self._progress.values())]
        return [harmless(f"  {text}") for text in told[-_MOST:]]

    def _told(self) -> Iterator[str]:
        for path, said in self._said.items():
            text = " ".join(said.split())
            end = text if len(text) <= _CHARS else f"…{text[-_CHARS:]}"
            yield f"{Place(path).name}: {end}" if len(self._said) > 1 else end


def _line(item: Progress) -> str:
    done = "" if item.done is None else f" {item.done:g}" + (f" of {item.total:g}" if item.total is not None else "")
    return f"{one_line(item.text, _CHARS)}{done}"
