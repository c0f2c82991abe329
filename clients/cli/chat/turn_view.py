"""Shows one turn of a chat, so that in the end its answer stands there once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....activities.guardrails.vault.placeholders import PLACEHOLDER
from ....contracts.collection.citation import Citation
from ....contracts.wire.chats.chat_event import TurnFinished
from ....contracts.wire.control.approval_event import ApprovalDecided, ApprovalRequested
from ....contracts.wire.control.budget_event import BudgetSpent, BudgetToppedUp, BudgetWarned
from ....contracts.wire.event import (
    Event,
    FallbackUsed,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RetrievalResponded,
    RouteChosen,
    RunStalled,
    ToolRequested,
    ToolResponded,
    ToolsFaulty,
)
from ....contracts.wire.guardrails.guardrail_event import GuardrailDecided
from ....contracts.wire.live import LiveItem, Retract, StreamItem, Token
from ....contracts.wire.memory.memory_event import MemoryCompacted, MemoryEvent
from ....contracts.wire.run import Status
from ..follow import foot
from ..footnotes import footnotes, with_notes
from ..spoken import Spoken
from ..step_lines import line
from ..step_tree import StepTree
from .screen import Screen

_TOLD = (
    ApprovalDecided
    | ApprovalRequested
    | BudgetSpent
    | BudgetToppedUp
    | BudgetWarned
    | FallbackUsed
    | GuardrailDecided
    | MemoryEvent
    | MemberStarted
    | MemoryCompacted
    | RetrievalResponded
    | RouteChosen
    | RunStalled
    | ToolRequested
    | ToolResponded
    | ToolsFaulty
)
"""Events that have a line of their own."""
_VOID = "(that is void)"


class TurnView:
    """What is shown of one turn.

    The words of the answer are shown as they come where they can be taken back; elsewhere the answer comes whole.

    Args:
        screen: Where.
        speaks: Whether what a model says at a place is the answer.
    """

    def __init__(self, screen: Screen, speaks: Callable[[str], bool]) -> None:
        self._screen = screen
        self._speaks = speaks
        self._said = ""
        """What was shown of the message that is under way."""
        self._before = ""
        """The message before that, which the model ended by calling tools."""
        # One has the lines that are told, and names their places; the other knows what is waited for.
        self._told, self._all = StepTree(), StepTree("the chat")
        self._spoken = Spoken()

    def take(self, item: StreamItem) -> None:
        """Show what happens in the turn, but for its end."""
        is_answer = self._screen.shows_words and self._speaks(item.path)
        if is_answer and isinstance(item, Token) and item.kind == "text":
            self._more(item.text)
            return
        if is_answer:
            self._on_answer(item)
        self._spoken.take(item)
        if not isinstance(item, LiveItem):
            self._tell(item)
        self.wait()

    def wait(self) -> None:
        """Show what is waited for."""
        self._screen.set_foot(foot(self._all, self._spoken))

    def finish(self, finished: TurnFinished, citations: Sequence[Citation] = ()) -> None:
        """Show what the turn came to.

        Args:
            finished: Its end.
            citations: What its output rests on.
        """
        self._screen.clear_foot()
        output = finished.output
        stands = isinstance(output, str) and output != "" and output in (self._said, self._before)
        if stands and citations:
            self._screen.answer(footnotes(citations))
        elif not stands and output is not None:
            if PLACEHOLDER.search(self._said):
                # It is the same, with what was redacted.
                self._screen.end_line()
                self._said = ""
            self._take_back()
            self._screen.answer(with_notes(output, citations))
        self._screen.end_line()
        if (finished.status is not Status.COMPLETED or finished.reason) and (text := line(finished)):
            self._screen.say(text)

    def _on_answer(self, item: StreamItem) -> None:
        match item:
            case Retract() | ModelRequested():
                # Where it is asked again after an answer, that one could not be used.
                self._take_back()
            case ModelResponded():
                if not self._said:
                    self._more(item.message.text)
                if item.message.tool_calls:
                    self._screen.end_line()
                    self._before, self._said = self._said, ""
            case _:
                pass

    def _more(self, text: str) -> None:
        self._screen.write(text)
        self._said += text

    def _take_back(self) -> None:
        if self._said:
            self._screen.end_line()
            self._screen.aside(_VOID)
            self._said = ""

    def _tell(self, event: Event) -> None:
        self._all.lines(event)
        # That a member has completed shows in what comes of it.
        has_failed = isinstance(event, MemberFinished) and event.status is not Status.COMPLETED
        if has_failed or isinstance(event, _TOLD):
            for text in self._told.lines(event):
                self._screen.aside(text)
