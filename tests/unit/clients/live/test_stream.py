"""Whatever is lost, late or doubled on the way: the tokens of an answer join to its text."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from sostenuto.clients.live.open_calls import OpenCalls, durable_part
from sostenuto.clients.live.stream import FrameReader, stream_items
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.message import Message, Role, TextPart
from sostenuto.contracts.wire.event import Event, FallbackUsed, ModelRequested, ModelResponded, RunFinished
from sostenuto.contracts.wire.live import Frame, FrameKind, Partial, Progress, Retract, StreamItem, Token
from sostenuto.contracts.wire.run import Status

SEEDS = 300
AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Story:
    """What happens in a run: events of its history and frames of its calls, each in their order."""

    chance: random.Random
    events: list[Event] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def happen(self, kind: Any, path: str, **told: Any) -> None:
        self.events.append(kind(id=f"x/{len(self.events) + 1}/0", at=AT, path=path, **told))

    def turn(self, path: str, turn: int) -> None:
        """One model call, with attempts that fail, fallbacks, and an answer that may be put right at the end."""
        fallbacks = self.chance.choice([0, 0, 0, 1, 2])
        for fallback in range(fallbacks + 1):
            if fallback:
                self.happen(FallbackUsed, path, turn=turn, failed="a/b", model="a/c", reason="it fell over")
            self.happen(ModelRequested, path, turn=turn, model="a/c")
            attempts = self.chance.choice([1, 1, 1, 2, 3])
            said = ""
            for attempt in range(1, attempts + 1):
                is_last = attempt == attempts and fallback == fallbacks
                said = self.attempt(
                    f"{path}:turn-{turn}" + (f"-{fallback}" if fallback else ""), attempt, fails=not is_last
                )
        text = self.chance.choice([said, said, said, said.strip(), said[: len(said) // 2], "other", f"{said}."])
        self.happen(
            ModelResponded,
            path,
            turn=turn,
            model="a/c",
            message=Message(role=Role.ASSISTANT, parts=(TextPart(text=text),) if text else ()),
            usage=Usage(),
            seconds=1.0,
            prompt_hash="",
        )

    def attempt(self, activity: str, attempt: int, *, fails: bool) -> str:
        said = ""
        number = 0
        for _ in range(self.chance.randrange(6)):
            kind = self.chance.choice([FrameKind.TEXT, FrameKind.TEXT, FrameKind.REASONING, FrameKind.TOOL_CALL])
            text = self.chance.choice(
                ["a", " b ", "ccc", "\n"] if kind is not FrameKind.TOOL_CALL else ['["x", ', '"y"']
            )
            said += text if kind is FrameKind.TEXT else ""
            self.frames.append(
                Frame(run_id="r", activity=activity, attempt=attempt, number=number, kind=kind, text=text)
            )
            number += 1
        if fails and self.chance.random() < 0.5:
            self.frames.append(
                Frame(run_id="r", activity=activity, attempt=attempt, number=number, kind=FrameKind.FAILED)
            )
        return said


def story(chance: random.Random) -> Story:
    told = Story(chance)
    paths = ["a", "a/b", "a/b#2"][: chance.randint(1, 3)]
    turns = dict.fromkeys(paths, 0)
    for _ in range(chance.randint(1, 6)):
        path = chance.choice(paths)
        turns[path] += 1
        told.turn(path, turns[path])
    told.happen(RunFinished, "a", status=Status.COMPLETED)
    if chance.random() < 0.4:
        told.frames = [frame for frame in told.frames if chance.random() < 0.8]
    if chance.random() < 0.2:
        told.frames = told.frames[chance.randrange(len(told.frames) + 1) :]
    return told


class Reader:
    """Gives frames in batches of any size, at any moment."""

    def __init__(self, frames: Sequence[Frame], chance: random.Random) -> None:
        self._left = list(frames)
        self._chance = chance

    async def next(self) -> list[Frame]:
        for _ in range(self._chance.randrange(4)):
            await asyncio.sleep(0)
        if not self._left:
            await asyncio.Event().wait()
        size = self._chance.randint(0, 5)
        batch, self._left = self._left[:size], self._left[size:]
        return batch


async def events_of(told: Sequence[Event], after: str, chance: random.Random) -> AsyncGenerator[Event, None]:
    ids = [event.id for event in told]
    for event in told[ids.index(after) + 1 if after else 0 :]:
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        yield event


async def watched(told: Story, after: str, most: int) -> list[StreamItem]:
    reader = Reader(told.frames, told.chance)
    events = events_of(told.events, durable_part(after), told.chance)
    seen: list[StreamItem] = []
    async with aclosing(stream_items(events, cast("FrameReader", reader), after)) as items:
        async for item in items:
            seen.append(item)
            if len(seen) == most:
                break
    return seen


def joined(items: Sequence[StreamItem]) -> dict[tuple[str, int], str]:
    """What a subscriber has by the time of each answer."""
    said: dict[str, str] = {}
    answers = {}
    for item in items:
        match item:
            case ModelRequested() | Retract():
                said[item.path] = ""
            case Token(kind="text"):
                said[item.path] = said.get(item.path, "") + item.text
            case ModelResponded():
                answers[item.path, item.turn] = said.get(item.path, "")
            case _:
                pass
    return answers


@pytest.mark.parametrize("seed", range(0, SEEDS, 50))
async def test_tokens_join_to_the_answer(seed: int) -> None:
    told_live = 0
    for number in range(seed, seed + 50):
        told = story(random.Random(number))
        items = await watched(told, "", -1)
        plain = [
            item.model_copy(update={"cursor": ""})
            for item in items
            if not isinstance(item, Token | Retract | Partial | Progress)
        ]
        assert plain == told.events, number
        texts = {(e.path, e.turn): e.message.text for e in told.events if isinstance(e, ModelResponded)}
        assert joined(items) == texts, number
        told_live += sum(isinstance(item, Retract) for item in items)
    assert told_live


@pytest.mark.parametrize("seed", range(0, SEEDS, 50))
async def test_a_stream_that_is_left_anywhere_goes_on_there(seed: int) -> None:
    for number in range(seed, seed + 50):
        chance = random.Random(number)
        told = story(chance)
        items: list[StreamItem] = []
        after = ""
        while not items or not isinstance(items[-1], RunFinished):
            items += await watched(told, after, chance.choice([1, 1, 1, 2, 6]))
            after = items[-1].position
        events = [item for item in items if not isinstance(item, Token | Retract | Partial | Progress)]
        assert [event.id for event in events] == [event.id for event in told.events], number
        texts = {(e.path, e.turn): e.message.text for e in told.events if isinstance(e, ModelResponded)}
        assert joined(items) == texts, number


def test_a_position_that_is_none_opens_no_calls() -> None:
    for position in ("", "x/1/0", "x/1/0~", "x/1/0~!!", "x/1/0~e30", "x/1/0~W1sxLDJdXQ", "x/1/0~W251bGxd"):
        assert OpenCalls.resumed(position).position("y") == "y"
        assert durable_part(position) in ("", "x/1/0")
