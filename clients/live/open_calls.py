"""The calls of a run that are under way, while its events and frames go by.

Pure: does no I/O.
"""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from ...contracts.wire.chats.chat_event import TurnFinished
from ...contracts.wire.event import (
    Event,
    MemberFinished,
    ModelRequested,
    ModelResponded,
    RunFinished,
    ToolRequested,
    ToolResponded,
)
from ...contracts.wire.live import Frame, LiveItem
from ...contracts.wire.places import ActivityId, Place
from .call import OpenCall, Try

_Key = tuple[str, int | str]
"""Path of a call, and which turn of its model or which tool call."""

_MOST_HELD: Final = 5_000
"""Frames of calls that the events have not told of yet. Beyond that the oldest are given up."""
_SEPARATOR: Final = "~"


class OpenCalls:
    """Makes items of frames, in the order of a stream of events."""

    def __init__(self) -> None:
        self._open: dict[_Key, OpenCall] = {}
        self._held: OrderedDict[_Key, list[Frame]] = OrderedDict()
        self._holding = 0
        self._answered: dict[str, int] = {}

    def before(self, event: Event) -> Iterator[LiveItem]:
        """Yield what is to be told before an event."""
        match event:
            case ModelRequested(summary=True) | ModelResponded(summary=True):
                # Nobody is told the words of a summary, which is no answer.
                pass
            case ModelRequested() if (event.path, event.turn) in self._open:
                yield from self._open[event.path, event.turn].asked_again()
            case ModelResponded():
                key: _Key = (event.path, event.turn)
                self._answered[event.path] = event.turn
                self._let_go(key)
                yield from self._open.setdefault(key, OpenCall(event.path)).answered(event.message.text)
                del self._open[key]
            case ToolResponded():
                self._let_go((event.path, event.call_id))
                self._open.pop((event.path, event.call_id), None)
            case MemberFinished() | RunFinished() | TurnFinished():
                within = [key for key in self._open if Place(key[0]).is_within(event.path)]
                for key in within:
                    yield from self._open.pop(key).ended()
                # An agent that chats goes on at its path, with later turns of its model.
                goes_on = event.path if isinstance(event, TurnFinished) else None
                over = [path for path in self._answered if Place(path).is_within(event.path) and path != goes_on]
                for path in over:
                    del self._answered[path]

    def opened(self, event: Event) -> Sequence[Frame]:
        """Take in that a call was asked for; return what it has said already, for `items`."""
        key: _Key
        match event:
            case ModelRequested(summary=False):
                key = (event.path, event.turn)
                if key in self._open:
                    self._open[key].requested += 1
                else:
                    self._open[key] = OpenCall(event.path)
            case ToolRequested():
                key = (event.path, event.call_id)
                self._open[key] = OpenCall(event.path)
            case _:
                return ()
        return self._let_go(key)

    def position(self, durable: str) -> str:
        """Return what `after` takes to go on here.

        Args:
            durable: Where the stream of events stands.
        """
        calls = [_written(key, call) for key, call in self._open.items()]
        if not calls:
            return durable
        packed = base64.urlsafe_b64encode(json.dumps(calls, separators=(",", ":")).encode())
        return f"{durable}{_SEPARATOR}{packed.decode().rstrip('=')}"

    @classmethod
    def resumed(cls, position: str) -> OpenCalls:
        """Return the calls as they were at a position. Of one that is none they are none."""
        calls = cls()
        packed = position.partition(_SEPARATOR)[2]
        try:
            for entry in json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)) or "[]"):
                path, step, *state = entry
                calls._open[path, step] = _call(path, [int(one) for one in state])
        except (ValueError, TypeError):
            calls._open.clear()
        return calls

    def items(self, frames: Iterable[Frame]) -> Iterator[LiveItem]:
        """Yield what frames tell."""
        touched: dict[int, OpenCall] = {}
        for frame in frames:
            place, step = activity = ActivityId.parse(frame.activity)
            turn, fallback = activity.model_call or (step, 0)
            call = self._open.get((place, turn))
            if call is None or fallback >= call.requested:
                self._hold((place, turn), frame)
                continue
            call.take(frame, Try(fallback, frame.attempt))
            touched[id(call)] = call
        for call in touched.values():
            yield from call.items()

    def _hold(self, key: _Key, frame: Frame) -> None:
        path, turn = key
        if isinstance(turn, int) and turn <= self._answered.get(path, 0):
            return
        self._held.setdefault(key, []).append(frame)
        self._holding += 1
        while self._holding > _MOST_HELD:
            self._let_go(next(iter(self._held)))

    def _let_go(self, key: _Key) -> Sequence[Frame]:
        frames = self._held.pop(key, ())
        self._holding -= len(frames)
        return frames


def has_open_calls(position: str) -> bool:
    """Return whether calls were under way at a position."""
    return bool(OpenCalls.resumed(position).position(""))


def durable_part(position: str) -> str:
    """Return the part of a position that `Run.events` takes."""
    return position.partition(_SEPARATOR)[0]


def _written(key: _Key, call: OpenCall) -> list[Any]:
    flags = (call.is_void, call.has_values)
    return [*key, call.requested, *call.current, call.told, call.thought, call.seen, *map(int, flags)]


def _call(path: str, state: Sequence[int]) -> OpenCall:
    requested, fallback, attempt, told, thought, seen, is_void, has_values = state
    return OpenCall(
        path,
        Try(fallback, attempt),
        told,
        thought,
        seen=seen,
        requested=requested,
        is_void=bool(is_void),
        has_values=bool(has_values),
    )
