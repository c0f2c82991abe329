"""Tells those who watch what calls say while they are under way.

Never delays or fails a call: what cannot be told at once is dropped, and marked by the numbers that are missing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from ...contracts.errors import SostenutoError
from ...contracts.model import Model
from ...contracts.wire.live import FrameKind
from ..model_adapter import Delta, OnDelta
from .speaker import LatestProgress, SaidPiece, Speaker

_LOG: Final = logging.getLogger(__name__)

FRAME_SECONDS: Final = 0.05
"""A frame has what was said in so long. The first one goes at once."""

_MOST_UNSENT_BYTES: Final = 4_000_000
"""Of what the channel did not take. What is more than that is dropped."""
_PAUSE_SECONDS: Final = 1.0
_LISTEN_SECONDS: Final = 5.0
WATCHED_SECONDS: Final = 15.0
"""How long a run counts as watched after that was last said."""
_CLOSING_SECONDS: Final = 1.0


OnFirstDelta = Callable[[Model, float], None]
"""Told how many seconds a model took to begin its answer."""

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


class Live:
    """Sends what the calls of this worker say to those who watch, in the background.

    What nobody watches waits here until somebody does, and is forgotten when its call ends: the history has it then.

    Args:
        channel: Where to. None: nobody can watch, and nothing is kept.
        is_down: Whether it is known, and was said, that the channel takes nothing now.
    """

    def __init__(self, channel: LiveChannel | None = None, *, is_down: bool = False) -> None:
        self.dropped = 0
        """How many pieces of what calls said were lost to those who watch."""
        self.on_first_delta: OnFirstDelta | None = None
        """Told when answers begin. None: nobody wants to know."""
        self._channel = channel
        self._speakers: dict[Speaker, None] = {}
        self._watched: dict[tuple[str, str], dict[str, float]] = {}
        self._knows_who_watches = False
        self._unsent: dict[str, list[bytes]] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_down = is_down

    @contextmanager
    def model_call(self, model: Model, *, structured: bool) -> Iterator[OnDelta | None]:
        """Yield what is told the pieces of an answer; None where nobody wants them.

        Args:
            model: Who is asked, now.
            structured: Whether the text is JSON.
        """
        with self._speaking(structured=structured) as speaker:
            if speaker is None:
                yield self._timed(model, None)
                return

            def on_delta(delta: Delta) -> None:
                self._say(speaker, SaidPiece(FrameKind(delta.kind), delta.tool, delta.index, [delta.text]))

            try:
                yield self._timed(model, on_delta)
            except BaseException:
                if speaker.has_spoken:
                    self._say(speaker, SaidPiece(FrameKind.FAILED))
                raise

    @contextmanager
    def tool_call(self, hide: Callable[[str], str] | None = None) -> Iterator[TellProgress]:
        """Yield what tells how far a tool is, from any thread.

        Args:
            hide: Takes out of a text what nobody is to see.
        """
        with self._speaking(structured=False) as speaker:
            if speaker is None:
                yield lambda *_: None
                return
            tell = LatestProgress(lambda piece: self._say(speaker, piece)).tell
            yield (lambda text, done, total: tell(hide(text), done, total)) if hide else tell

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

    def _timed(self, model: Model, on_delta: OnDelta | None) -> OnDelta | None:
        """Return what is told the pieces, and tells when the first of them came."""
        told = self.on_first_delta
        if told is None:
            return on_delta
        asked: float | None = time.monotonic()

        def take(delta: Delta) -> None:
            nonlocal asked
            if asked is not None:
                told(model, time.monotonic() - asked)
                asked = None
            if on_delta:
                on_delta(delta)

        return take

    def _say(self, speaker: Speaker, piece: SaidPiece) -> None:
        if speaker.has_ended and piece.kind is FrameKind.PROGRESS:
            return
        if not speaker.say(piece):
            self.dropped += 1
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
            every = [frame for said in frames.values() for frame in said]
            if sum(map(len, every)) <= _MOST_UNSENT_BYTES:
                self._unsent = frames
            else:
                self.dropped += len(every)
            raise

    def _tell_whether_down(self, error: LiveChannelDown | None) -> None:
        if error and not self._is_down:
            _LOG.warning("nobody sees tokens now, and runs go on without: %s", error)
        elif self._is_down and not error:
            _LOG.warning("tokens are seen again")
        self._is_down = error is not None
