"""Tells those who watch what calls say while they are under way.

Never delays or fails a call: what cannot be told at once is dropped, and marked by the numbers that are missing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from temporalio import activity

from ...contracts.errors import SostenutoError
from ...contracts.text import encodable
from ...contracts.wire.live import Frame, FrameKind
from ...contracts.wire.places import SEPARATOR
from ..model_adapter import Delta, OnDelta

_LOG: Final = logging.getLogger(__name__)

FRAME_SECONDS: Final = 0.05
"""A frame has what was said in so long. The first one goes at once."""

_MOST_WAITING_CHARS: Final = 1_000_000
"""Of one call. What comes while so much waits is dropped."""
_MOST_UNSENT_BYTES: Final = 4_000_000
"""Of what the channel did not take. What is more than that is dropped."""
_MOST_FRAME_CHARS: Final = 32_768
_PAUSE_SECONDS: Final = 1.0
_LISTEN_SECONDS: Final = 5.0
WATCHED_SECONDS: Final = 15.0
"""How long a run counts as watched after that was last said."""
_CLOSING_SECONDS: Final = 1.0


TellProgress = Callable[[str, float | None, float | None], None]
"""Told how far a tool is: a text, how much is done, and of how much. Safe from any thread."""


class LiveChannelDown(SostenutoError):  # noqa: N818 - named like the model errors
    """The live channel takes or gives nothing now; says why."""


@dataclass(frozen=True, slots=True)
class Watched:
    """That somebody watches a run."""

    id: str
    """Where it stands among all that was said of who watches."""
    namespace: str
    root_id: str
    """Id of the run, which is no nested one."""
    stream: str
    """Where its calls are to speak to."""


class LiveChannel(Protocol):
    """Carries frames from workers to those who watch."""

    async def append(self, frames: Mapping[str, Sequence[bytes]]) -> None:
        """Add frames to streams, by name.

        Raises:
            LiveChannelDown: It does not take them.
        """
        ...

    async def watched(self, after: str, *, wait_seconds: float) -> Sequence[Watched]:
        """Return what is watched, said again every few seconds.

        Args:
            after: Id of the last that was seen; `0` for none.
            wait_seconds: How long to wait for the first: then nothing is returned.

        Raises:
            LiveChannelDown: It does not answer.
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
        self._run_id = info.workflow_id or ""
        self.root = (info.namespace, self._run_id.partition(SEPARATOR)[0])
        """Namespace and id of the root of its run."""
        self.has_ended = False
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
        last = self._waiting[-1] if self._waiting else None
        if last and last.takes(piece):
            last.texts += piece.texts
        elif last and last.kind is piece.kind is FrameKind.PROGRESS:
            self._waiting[-1] = piece
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
                    run_id=self._run_id,
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


class _Latest:
    """Hands the latest progress of a tool over to the loop.

    However often it is told, and from whatever thread.
    """

    def __init__(self, say: Callable[[_Piece], None]) -> None:
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._piece: _Piece | None = None

    def tell(self, text: str, done: float | None, total: float | None) -> None:
        with self._lock:
            is_first = self._piece is None
            self._piece = _Piece(FrameKind.PROGRESS, texts=[text], done=done, total=total)
        if is_first:
            # A sync tool may outlive its call, and that the loop.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        with self._lock:
            piece, self._piece = self._piece, None
        if piece:
            self._say(piece)


class Live:
    """Sends what the calls of this worker say to those who watch, in the background.

    What nobody watches waits here until somebody does, and is forgotten when its call ends: the history has it then.

    Args:
        channel: Where to. None: nobody can watch, and nothing is kept.
        is_down: Whether it is known, and was said, that the channel takes nothing now.
    """

    def __init__(self, channel: LiveChannel | None = None, *, is_down: bool = False) -> None:
        self._channel = channel
        self._speakers: dict[Speaker, None] = {}
        self._watched: dict[tuple[str, str], dict[str, float]] = {}
        self._knows_who_watches = False
        self._unsent: dict[str, list[bytes]] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_down = is_down

    @contextmanager
    def model_call(self, *, structured: bool) -> Iterator[OnDelta | None]:
        """Yield what is told the pieces of an answer; None where nobody can watch.

        Args:
            structured: Whether the text is JSON.
        """
        with self._speaking(structured=structured) as speaker:
            if speaker is None:
                yield None
                return

            def on_delta(delta: Delta) -> None:
                self._say(speaker, _Piece(FrameKind(delta.kind), delta.tool, delta.index, [delta.text]))

            try:
                yield on_delta
            except BaseException:
                if speaker.has_spoken:
                    self._say(speaker, _Piece(FrameKind.FAILED))
                raise

    @contextmanager
    def tool_call(self) -> Iterator[TellProgress]:
        """Yield what tells how far a tool is, from any thread."""
        with self._speaking(structured=False) as speaker:
            if speaker is None:
                yield lambda *_: None
                return
            yield _Latest(lambda piece: self._say(speaker, piece)).tell

    async def close(self) -> None:
        """Send what waits, if that takes no longer than a second, and end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError, LiveChannelDown):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._flush()

    @contextmanager
    def _speaking(self, *, structured: bool) -> Iterator[Speaker | None]:
        if self._channel is None:
            yield None
            return
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._listen(self._channel))]
        speaker = Speaker(structured=structured)
        try:
            yield speaker
        finally:
            speaker.has_ended = True
            if self._knows_who_watches and not self._streams_of(speaker):
                self._speakers.pop(speaker, None)

    def _say(self, speaker: Speaker, piece: _Piece) -> None:
        if speaker.has_ended and piece.kind is FrameKind.PROGRESS:
            return
        speaker.say(piece)
        self._speakers[speaker] = None
        if self._streams_of(speaker):
            self._wake.set()

    def _streams_of(self, speaker: Speaker) -> Sequence[str]:
        """Return where a call speaks to.

        Several where the ids of runs that have nothing to do with each other begin alike.
        """
        streams = self._watched.get(speaker.root)
        if not streams:
            return ()
        now = asyncio.get_running_loop().time()
        return [stream for stream, until in streams.items() if now < until]

    async def _listen(self, channel: LiveChannel) -> None:
        """Keep up with who watches."""
        after = "0"
        loop = asyncio.get_running_loop()
        while True:
            try:
                said = await channel.watched(after, wait_seconds=_LISTEN_SECONDS)
            except LiveChannelDown as error:
                self._tell_whether_down(error)
                # Where it starts again it has forgotten all.
                after = "0"
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._tell_whether_down(None)
            now = loop.time()
            known = self._watched.items()
            self._watched = {run: streams for run, streams in known if max(streams.values()) > now}
            for one in said:
                after = one.id
                self._watched.setdefault((one.namespace, one.root_id), {})[one.stream] = now + WATCHED_SECONDS
            self._knows_who_watches = True
            self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except LiveChannelDown as error:
                self._tell_whether_down(error)
                self._wake.set()
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - told
                # What cannot be written must not silence all other calls.
                _LOG.exception("what calls said is lost to those who watch")
            await asyncio.sleep(FRAME_SECONDS)

    async def _flush(self) -> None:
        frames, self._unsent = self._unsent, {}
        for speaker in list(self._speakers):
            streams = self._streams_of(speaker)
            said = speaker.take() if streams else []
            for stream in streams:
                frames.setdefault(stream, []).extend(said)
            if streams or (speaker.has_ended and self._knows_who_watches):
                del self._speakers[speaker]
        if not frames or self._channel is None:
            return
        try:
            await self._channel.append(frames)
        except LiveChannelDown:
            # Some may have come through, and come twice then: who reads them sees that by their numbers.
            if sum(len(frame) for said in frames.values() for frame in said) <= _MOST_UNSENT_BYTES:
                self._unsent = frames
            raise

    def _tell_whether_down(self, error: LiveChannelDown | None) -> None:
        if error and not self._is_down:
            _LOG.warning("nobody sees tokens now, and runs go on without: %s", error)
        elif self._is_down and not error:
            _LOG.warning("tokens are seen again")
        self._is_down = error is not None
