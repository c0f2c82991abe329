"""What one call says while it is under way, until that is sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from temporalio import activity

from ...contracts.text import encodable
from ...contracts.wire.live import Frame, FrameKind
from ...contracts.wire.places import SEPARATOR

_MOST_WAITING_CHARS: Final = 1_000_000
"""Of one call. What comes while so much waits is dropped."""
_MOST_FRAME_CHARS: Final = 32_768


@dataclass(slots=True)
class SaidPiece:
    """A piece of what a call says."""

    kind: FrameKind
    tool: str = ""
    index: int = 0
    texts: list[str] = field(default_factory=list)
    done: float | None = None
    total: float | None = None

    def takes(self, other: SaidPiece) -> bool:
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
        self._waiting: list[SaidPiece] = []
        self._chars = 0

    @property
    def has_spoken(self) -> bool:
        """Whether there is or was anything to tell."""
        return bool(self._number or self._waiting)

    def say(self, piece: SaidPiece) -> bool:
        """Keep something to be told; return whether there is room for it."""
        size = sum(map(len, piece.texts))
        if self._chars + size > _MOST_WAITING_CHARS:
            self._number += 1  # which nobody will see
            return False
        self._chars += size
        last = self._waiting[-1] if self._waiting else None
        if last and last.takes(piece):
            last.texts += piece.texts
        elif last and last.kind is piece.kind is FrameKind.PROGRESS:
            self._waiting[-1] = piece
        else:
            self._waiting.append(piece)
        return True

    def take(self) -> list[bytes]:
        """Return the frames that wait, and keep them no longer."""
        pieces, self._waiting, self._chars = self._waiting, [], 0
        return [encodable(frame.model_dump_json(exclude_defaults=True)).encode() for frame in self._framed(pieces)]

    def _framed(self, pieces: Sequence[SaidPiece]) -> Iterator[Frame]:
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


class LatestProgress:
    """Hands the latest progress of a tool over to the loop.

    However often it is told, and from whatever thread.
    """

    def __init__(self, say: Callable[[SaidPiece], None]) -> None:
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._piece: SaidPiece | None = None

    def tell(self, text: str, done: float | None, total: float | None) -> None:
        """Take in how far it is."""
        with self._lock:
            is_first = self._piece is None
            self._piece = SaidPiece(FrameKind.PROGRESS, texts=[text], done=done, total=total)
        if is_first:
            # A sync tool may outlive its call, and that the loop.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        with self._lock:
            piece, self._piece = self._piece, None
        if piece:
            self._say(piece)
