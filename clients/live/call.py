"""What one call under way has said, and what of it was told.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from ...contracts.wire.live import Frame, FrameKind, LiveItem, Partial, Progress, Retract, Token
from ...contracts.wire.places import ActivityId

_MOST_PARSED_CHARS: Final = 200_000
"""Of a value that is still being written: reading it again and again takes as long as it is."""


class Try(NamedTuple):
    """Which of the tries of a call: the later one is the greater."""

    fallback: int = 0
    """How many models failed before."""
    attempt: int = 0


@dataclass(slots=True)
class _Value:
    """A value that is being written."""

    text: str = ""
    told: Any = None
    is_new: bool = False

    def add(self, text: str) -> None:
        self.text += text
        self.is_new = True

    def readable(self) -> Any:
        """Return what can be read by now, once; None where there is nothing new."""
        if not self.is_new or len(self.text) > _MOST_PARSED_CHARS:
            return None
        self.is_new = False
        try:
            value = from_json(self.text, allow_partial="trailing-strings")
        except ValueError:
            return None
        if value == self.told:
            return None
        self.told = value
        return value


@dataclass(slots=True)
class OpenCall:
    """A call that was asked for, and is not answered.

    Args:
        path: Its place in the runnable tree.
        told: How much of its text was told before this stream began, by the try of then.
    """

    path: str
    current: Try = Try()
    told: int = 0
    """Characters of its text that were told."""
    thought: int = 0
    """Characters of its reasoning that were told."""
    text: str = ""
    reasoning: str = ""
    seen: int = 0
    """Frames of which the values were told."""
    requested: int = 1
    """How many models were asked."""
    is_void: bool = False
    """Whether something was told that is void, and that was not told yet."""
    _next: int = 0
    _is_broken: bool = False
    _answer: _Value | None = None
    _arguments: dict[int, tuple[str, _Value]] = field(default_factory=dict)
    _progress: list[Frame] = field(default_factory=list)
    has_values: bool = False
    """Whether values were told that are not final."""

    @property
    def has_told(self) -> bool:
        """Whether anything was told that an attempt that fails makes void."""
        return bool(self.told or self.thought or self.has_values)

    def take(self, frame: Frame, which: Try) -> None:
        """Take in the next frame."""
        if which < self.current:
            return
        if which > self.current:
            self._begin(which)
        if frame.number < self._next:
            return  # it comes twice
        if frame.kind is FrameKind.PROGRESS:
            self._next = frame.number + 1
            self._progress.append(frame)
            return
        # What was lost will be in the answer: until then nothing more can be told of this try.
        self._is_broken = self._is_broken or frame.number != self._next
        self._next = frame.number + 1
        if frame.kind is FrameKind.FAILED:
            self._begin(Try(which.fallback, which.attempt + 1))
        elif not self._is_broken:
            self._add(frame)

    def items(self) -> Iterator[LiveItem]:
        """Yield what is new."""
        # What is told counts as told by the time that it is: a stream may be left there.
        if self.is_void:
            self.is_void = False
            yield Retract(path=self.path)
        if fresh := self.reasoning[self.thought :]:
            self.thought += len(fresh)
            yield Token(path=self.path, kind="reasoning", text=fresh)
        if fresh := self.text[self.told :]:
            self.told += len(fresh)
            yield Token(path=self.path, text=fresh)
        is_new, self.seen = self._next > self.seen, max(self._next, self.seen)
        if is_new:
            yield from self._values()
        for frame in self._progress[-1:] if is_new else ():
            call_id = ActivityId.parse(frame.activity).step
            yield Progress(path=self.path, text=frame.text, call_id=call_id, done=frame.done, total=frame.total)
        self._progress.clear()

    def asked_again(self) -> Iterator[LiveItem]:
        """Yield what makes void what was told: another model is asked."""
        if self.has_told:
            self._begin(Try(self.current.fallback, self.current.attempt + 1))
        if self.is_void:
            self.is_void = False
            yield Retract(path=self.path)

    def answered(self, text: str) -> Iterator[LiveItem]:
        """Yield what makes the tokens that were told the text of the answer."""
        if self.is_void or len(self.text) < self.told or not text.startswith(self.text):
            self.is_void, self.told = False, 0
            yield Retract(path=self.path)
        if fresh := text[self.told :]:
            self.told = len(text)
            yield Token(path=self.path, text=fresh)

    def ended(self) -> Iterator[LiveItem]:
        """Yield what makes void what was told: there will be no answer."""
        if self.has_told or self.is_void:
            yield Retract(path=self.path)

    def _begin(self, which: Try) -> None:
        self.is_void = self.is_void or self.has_told
        self.current = which
        self.told = self.thought = self.seen = self._next = 0
        self.text = self.reasoning = ""
        self._is_broken = self.has_values = False
        self._answer = None
        self._arguments.clear()

    def _add(self, frame: Frame) -> None:
        match frame.kind:
            case FrameKind.TEXT:
                self.text += frame.text
                if frame.structured:
                    self._answer = self._answer or _Value()
                    self._answer.add(frame.text)
            case FrameKind.REASONING:
                self.reasoning += frame.text
            case FrameKind.TOOL_CALL:
                self._arguments.setdefault(frame.index, (frame.tool, _Value()))[1].add(frame.text)
            case _:
                pass

    def _values(self) -> Iterator[LiveItem]:
        if self._answer and (value := self._answer.readable()) is not None:
            self.has_values = True
            yield Partial(path=self.path, value=value)
        for index, (tool, arguments) in self._arguments.items():
            if (value := arguments.readable()) is not None:
                self.has_values = True
                yield Partial(path=self.path, value=value, tool=tool, index=index)
