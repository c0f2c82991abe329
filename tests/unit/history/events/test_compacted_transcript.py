"""What the history tells of a transcript is what its workflow had, prompt by prompt, whatever left it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sostenuto import Message, Model, Role
from sostenuto.activities.transcript_cache import Prefix
from sostenuto.contracts.head import Head
from sostenuto.contracts.message import Part, ToolResultPart
from sostenuto.contracts.prompt_hash import part_digest, prompt_hash
from sostenuto.contracts.wire.model_call import ModelCall, ModelReply
from sostenuto.history.events.transcript import RebuiltTranscript
from sostenuto.workflows import policy
from sostenuto.workflows.agent.transcript import Transcript
from sostenuto.workflows.memory.cutting import cut_part, cuttable_text
from tests.fakes.conversations import Conversation, step_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = Head(agent="desk", model=Model("a/b", fallbacks=["c/d"]))
SEEDS = range(250)


class Run:
    """An agent's workflow and what its history tells, side by side."""

    def __init__(self, seed: int) -> None:
        self.made = Conversation(seed)
        self.chance = self.made.chance
        begins = [*self.made.turn()] if self.chance.random() < 0.5 else []
        if begins and self.chance.random() < 0.3:
            begins += self.failed()
        self.ever = [*begins]
        """All messages, whole."""
        self.here = Transcript(HEAD, begins, standing=len(begins))
        self.told = RebuiltTranscript(HEAD, begins)
        self.turn = 0
        self.asked = 0
        self.standing: dict[str, Part] = {}
        self.cached: Prefix | None = None
        self.prompt = Prefix.start(HEAD)

    def failed(self) -> Iterator[Message]:
        """A turn that ended before the model was told what its tools returned."""
        yield self.made.asked()
        yield (reply := self.made.replied(calls=2))
        yield from self.made.results(reply)

    def ask(self) -> None:
        """Somebody asks something."""
        self.asked = self.here.count
        message = self.made.asked()
        self.add(message, stands=True)
        for part in message.parts:
            self.standing[part_digest(part.model_dump_json().encode())] = part

    def add(self, message: Message, *, stands: bool = False) -> None:
        self.here.add(message, stands=stands)
        self.ever.append(message)

    def shorten(self) -> None:
        """Let something leave the prompt, and tell less of what has just come."""
        messages = self.here.messages
        asked = self.begun
        stop = self.here.sent
        # As a last resort what was asked in between and never answered may leave, too.
        is_last_resort = self.chance.random() < 0.3
        while stop < asked and (messages[stop].role is Role.TOOL or (is_last_resort and not messages[stop].pinned)):
            stop += 1
        if step := step_of(self.made, messages[: self.here.sent], asked, messages[self.here.sent : stop]):
            if step.dropped:
                length = step.dropped[-1][1]
                unanswered = self.here.unanswered_questions(length)
                if not unanswered:
                    self.sum_up(length)
                untold = self.here.unsent_errors(length)
                step = step.model_copy(update={"untold": untold, "unanswered": unanswered})
            self.here.compact(step)
        for index in range(self.here.sent, len(self.here.messages)):
            message = self.here.messages[index]
            part = message.parts[0]
            # An error stands nowhere else.
            is_cut = (
                not part.is_error if isinstance(part, ToolResultPart) else index < self.begun and not message.pinned
            )
            if is_cut and len(cuttable_text(part)) > 100 and self.chance.random() < 0.2:
                shorter = cut_part(part, len(cuttable_text(part)) - 260)
                self.here.shorten(index, 0, shorter)

    @property
    def begun(self) -> int:
        """Index of what is asked now."""
        return len(self.here.messages) - len(self.here.since(self.asked))

    def fail(self) -> None:
        """What is asked is taken back, whatever left the prompt for it."""
        for _ in range(self.chance.choice((0, 1, 2))):
            self.shorten()
            if self.chance.random() < 0.7:
                self.call()
        self.here.cut(self.asked)
        self.ever.pop()

    def continue_as_new(self) -> None:
        """Go on in another execution, with what the one before knew."""
        here = self.here
        steps = (*here.earlier, *here.steps)
        self.here = Transcript(
            HEAD,
            here.messages,
            after="" if here.steps else here.after,
            standing=1,
            kept=here.kept,
            known=here.sent,
            cut=here.cut_parts,
            earlier=steps,
        )
        assert self.here.count == here.count
        self.told.go_on(RebuiltTranscript(HEAD, here.messages, known=here.sent))
        self.cached = None if here.steps else self.cached

    def sum_up(self, length: int) -> None:
        """A call for a summary, as `ModelCalls` makes it."""
        here, question = self.here, Message.user("Sum it up.")
        base = min(length, here.sent)
        about: dict[str, Any] = {
            "base": base,
            "tail": (*here.tail()[: length - base], question),
            "compactions": here.steps,
        }
        call = ModelCall(transcript="desk", turn=self.turn + 1, model="a/b", choice=0, summary=True, **about)
        assert self.told.to_sum_up(call) == [*here.messages[:length], question]

    def call(self) -> ModelCall:
        """A call as `ModelCalls` makes it."""
        here = self.here
        call = ModelCall(
            transcript="desk",
            turn=self.turn + 1,
            model="a/b",
            choice=self.chance.choice((0, 0, 1)),
            base=here.sent,
            after=here.after if here.sent else "",
            tail=here.tail(),
            compactions=here.steps,
            earlier=here.earlier,
            cut=tuple(ref for ref in here.cut_parts if not ref.call_id),
            left=here.count - len(here.messages),
        )
        for step in self.told.new_steps(call):
            for part in step.untold:
                self.told.answered(part)
        self.told.sent(call, {}, self.standing)
        self.told.unreported()
        sent = self.told.prompt(call.turn)
        assert sent.messages == (*here.messages,)
        # A worker that has the transcript in memory puts the same together.
        assert self.cached is None or len(self.cached.shortened(here.steps).messages) == call.base
        known = (
            self.cached.shortened(here.steps)
            if self.cached
            else Prefix.start(HEAD).extended(sent.messages[: call.base])
        )
        self.prompt = known.extended(sent.messages[call.base :])
        assert self.prompt.messages == sent.messages
        assert prompt_hash(self.prompt.chain, sent.model) == sent.hash
        return call

    def reply(self) -> None:
        """A call that is answered; some are made again, with a shorter prompt."""
        while self.chance.random() < 0.25:
            self.call()
            if self.chance.random() < 0.7:
                self.shorten()
        self.turn = self.call().turn
        message = self.made.replied()
        reply = ModelReply(id=f"r{self.turn}", message=message, model="a/b", prompt_hash="")
        self.here.add_reply(reply)
        self.cached = self.prompt.extended((message,)) if self.chance.random() < 0.9 else None
        self.told.replied(reply, self.turn, AT)
        self.ever.append(message)
        for result in self.made.results(message):
            (part,) = result.parts
            assert isinstance(part, ToolResultPart)
            if self.chance.random() < 0.2:
                # It was cut off: only what the model is told says so.
                self.add(Message(role=Role.TOOL, parts=(part.model_copy(update={"is_error": True}),)))
            else:
                self.add(result)
                self.told.answered(part)


@pytest.mark.parametrize("tail_part_bytes", [16_384, 60])
@pytest.mark.parametrize("seed", SEEDS)
def test_any_run(seed: int, tail_part_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where large parts are told by reference."""
    monkeypatch.setattr(policy, "TAIL_PART_BYTES", tail_part_bytes)
    run = Run(seed)
    run.ask()
    prompts: dict[int, tuple[Message, ...]] = {}
    for _ in range(15):
        if run.chance.random() < 0.5:
            run.shorten()
        run.reply()
        prompts[run.turn] = run.told.prompt(run.turn).messages
        untold = run.here.unsent_errors()
        told = [message for message in run.ever if not any(part in untold for part in message.parts)]
        assert run.told.snapshot() == (*told,), "the history has all of it"
        assert run.here.count == len(run.ever), "no position stands for two messages"
        if run.chance.random() < 0.2:
            run.continue_as_new()
        while not run.ever[-1].tool_calls and run.chance.random() < 0.6:
            run.ask()
            if run.chance.random() < 0.3:
                run.fail()
                if run.chance.random() < 0.3:
                    run.continue_as_new()
    assert {turn: run.told.prompt(turn).messages for turn in prompts} == prompts, "what is told later changes none"
