"""Tells those who watch what calls say while they are under way.

Never delays or fails a call: what cannot be told at once is dropped, and marked by the numbers that are missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from ...contracts.errors import SostenutoError
from ...contracts.text import encodable
from ...contracts.wire.live import Frame, FrameKind, stream_name
from ...contracts.wire.places import SEPARATOR
from ..model_adapter import Delta, OnDelta

_LOG: Final = logging.getLogger(__name__)

FRAME_SECONDS: Final = 0.05
"""A frame has what was said in so long. The first one goes at once."""

_MOST_WAITING_CHARS: Final = 1_000_000
"""Of one call. What comes while so much waits is dropped."""
_MOST_FRAME_CHARS: Final = 32_768
_MOST_STREAMS: Final = 10_000
_PAUSE_SECONDS: Final = 1.0
_CLOSING_SECONDS: Final = 1.0


TellProgress = Callable[[str, float | None, float | None], None]
"""Told how far a tool is: a text, how much is done, and of how much. Safe from any thread."""


class LiveChannelDown(SostenutoError):  # noqa: N818 - named like the model errors
    """The live channel takes or gives nothing now; says why."""


class LiveChannel(Protocol):
    """Carries frames from workers to those who watch."""

    async def append(self, frames: Mapping[str, Sequence[bytes]]) -> None:
        """Add frames to streams, by name.

        Raises:
            LiveChannelDown: It does not take them.
        """
        ...


@dataclass(slots=True)
class _Piece:
    kind: FrameKind
    tool: str = ""
    index: int = 0
    texts: list[str] = field(default_factory=list)
    done: float | None = None
    total: float | None = None

    def takes(self, other: _Piece) -> bool:
        """Return whether what the other one says goes on with what this one does."""
        is_said = self.kind not in (FrameKind.PROGRESS, FrameKind.FAILED)
        return is_said and (self.kind, self.tool, self.index) == (other.kind, other.tool, other.index)


class Speaker:
    """What one attempt of a call says, until it is sent.

    Args:
        structured: Whether its text is JSON.
    """

    def __init__(self, *, structured: bool = False) -> None:
        info = activity.info()
        self.workflow_id = info.workflow_id or ""
        self.execution = info.workflow_run_id or ""
        self._activity = info.activity_id
        self._attempt = info.attempt
        self._structured = structured
        self._number = 0
        self._waiting: list[_Piece] = []
        self._chars = 0

    @property
    def has_spoken(self) -> bool:
        """Whether there is or was anything to tell."""
        return bool(self._number or self._waiting)

    def say(self, piece: _Piece) -> None:
        """Keep something to be told."""
        size = sum(map(len, piece.texts))
        if self._chars + size > _MOST_WAITING_CHARS:
            self._number += 1  # which nobody will see
            return
        self._chars += size
        if self._waiting and self._waiting[-1].takes(piece):
            self._waiting[-1].texts += piece.texts
        else:
            self._waiting.append(piece)

    def take(self) -> list[bytes]:
        """Return the frames that wait, and keep them no longer."""
        pieces, self._waiting, self._chars = self._waiting, [], 0
        return [encodable(frame.model_dump_json(exclude_defaults=True)).encode() for frame in self._framed(pieces)]

    def _framed(self, pieces: Sequence[_Piece]) -> Iterator[Frame]:
        for piece in pieces:
            text = encodable("".join(piece.texts))
            for start in range(0, max(len(text), 1), _MOST_FRAME_CHARS):
                yield Frame(
                    activity=self._activity,
                    attempt=self._attempt,
                    number=self._number,
                    kind=piece.kind,
                    text=text[start : start + _MOST_FRAME_CHARS],
                    tool=piece.tool,
                    index=piece.index,
                    structured=self._structured,
                    done=piece.done,
                    total=piece.total,
                )
                self._number += 1


class Live:
    """Sends what the calls of this worker say, in the background.

    Args:
        channel: Where to. None: nobody can watch, and nothing is kept.
    """

    def __init__(self, channel: LiveChannel | None = None) -> None:
        self._channel = channel
        self._speakers: dict[Speaker, None] = {}
        self._streams = StreamNames()
        self._wake = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._down_until = 0.0
        self._is_down = False

    @contextmanager
    def model_call(self, *, structured: bool) -> Iterator[OnDelta | None]:
        """Yield what is told the pieces of an answer; None where nobody can watch.

        Args:
            structured: Whether the text is JSON.
        """
        if self._channel is None:
            yield None
            return
        speaker = Speaker(structured=structured)
        self._streams.look_up(speaker, self._wake.set)

        def on_delta(delta: Delta) -> None:
            self._say(speaker, _Piece(FrameKind(delta.kind), delta.tool, delta.index, [delta.text]))

        try:
            yield on_delta
        except BaseException:
            if speaker.has_spoken:
                self._say(speaker, _Piece(FrameKind.FAILED))
            raise

    def tool_call(self) -> TellProgress:
        """Return what tells how far a tool is, from any thread."""
        if self._channel is None:
            return lambda *_: None
        speaker = Speaker()
        loop = asyncio.get_running_loop()
        self._streams.look_up(speaker, self._wake.set)

        def on_progress(text: str, done: float | None, total: float | None) -> None:
            piece = _Piece(FrameKind.PROGRESS, texts=[text], done=done, total=total)
            # A sync tool may outlive its call, and that the loop.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._say, speaker, piece)

        return on_progress

    async def close(self) -> None:
        """Send what waits, if that takes no longer than a second, and end."""
        if self._sending is None:
            return
        self._sending.cancel()
        with suppress(asyncio.CancelledError):
            await self._sending
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._flush()

    def _say(self, speaker: Speaker, piece: _Piece) -> None:
        speaker.say(piece)
        self._speakers[speaker] = None
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()
            await asyncio.sleep(FRAME_SECONDS)

    async def _flush(self) -> None:
        frames: dict[str, list[bytes]] = {}
        for speaker in list(self._speakers):
            stream = self._streams.of(speaker)
            if stream is not None:
                del self._speakers[speaker]
                frames.setdefault(stream, []).extend(speaker.take())
        frames.pop("", None)
        if not frames or self._channel is None or asyncio.get_running_loop().time() < self._down_until:
            return
        try:
            await self._channel.append(frames)
        except LiveChannelDown as error:
            self._down_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
            if not self._is_down:
                _LOG.warning("nobody sees tokens now, and runs go on without: %s", error)
            self._is_down = True
        else:
            if self._is_down:
                _LOG.warning("tokens are seen again")
            self._is_down = False


class StreamNames:
    """Knows to which stream a call speaks: that of the root of its run."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str | None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def look_up(self, speaker: Speaker, found: Callable[[], None]) -> None:
        """Begin to find the stream of a call, within its activity.

        Args:
            speaker: What tells of the call.
            found: Called at the end, where that took a while.
        """
        if speaker.execution in self._names:
            self._names.move_to_end(speaker.execution)
            return
        if SEPARATOR not in speaker.workflow_id:
            self._keep(speaker.execution, stream_name(speaker.execution))
            return
        self._keep(speaker.execution, None)
        task = asyncio.create_task(self._find(activity.client(), speaker, found))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def of(self, speaker: Speaker) -> str | None:
        """Return the name of the stream; None while it is looked up.

        Empty where it cannot be found.
        """
        return self._names.get(speaker.execution, "")

    async def _find(self, client: Client, speaker: Speaker, found: Callable[[], None]) -> None:
        workflow_id, execution = speaker.workflow_id, speaker.execution
        try:
            # The root of a run of ours may have been started by another workflow, and need not be Temporal's root.
            while workflow_id and SEPARATOR in workflow_id:
                nested = await client.get_workflow_handle(workflow_id, run_id=execution).describe()
                workflow_id, execution = nested.parent_id or "", nested.parent_run_id or ""
            self._keep(speaker.execution, stream_name(execution) if workflow_id else "")
        except RPCError as error:
            _LOG.info("tokens of %s are not told: %s", speaker.workflow_id, error)
            self._keep(speaker.execution, "")
        found()

    def _keep(self, execution: str, name: str | None) -> None:
        self._names[execution] = name
        self._names.move_to_end(execution)
        if len(self._names) > _MOST_STREAMS:
            self._names.popitem(last=False)
