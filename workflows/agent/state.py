"""What an agent at work knows.

Its gates read and write it, its result is made of it, and it is carried on whole when the workflow continues as new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...contracts.collection.citation import Attribution, Citation, best_sentence
from ...contracts.guardrails.any_guardrail import AnyGuardrail
from ...contracts.limits import written_bytes
from ...contracts.mcp import McpTool
from ...contracts.message import Message
from ...contracts.model import ANY_TOOL, Model
from ...contracts.specs.agent import Agent
from ...contracts.tool import ToolDefinition
from ...contracts.wire.memory.compaction import KeptMessages
from ...contracts.wire.model_call import ModelReply
from ...contracts.wire.run import Carried, Rejected, Result, Status
from .. import policy
from ..knowledge.found import FoundPassages
from ..memory.token_count import TokenCount
from ..tally import Tally
from .transcript import Transcript

_MOST_ASKED_BYTES = 1_000_000
"""Largest head that a model call asks for: a larger one could not be sent in an answer."""


@dataclass(slots=True)
class AgentState:
    """One agent in one conversation."""

    transcript: Transcript
    tally: Tally
    """What it used, with what it started."""
    found: FoundPassages
    """What was found in its workflow and above: its answer may cite that alone."""
    mcp: tuple[McpTool, ...] = ()
    """Its tools of MCP servers, as their catalogues had them when the run began."""
    head_stands: bool = False
    """Whether the run's input has the head of the transcript, and that is too large to be said again."""
    replies: int = 0
    """Model calls of its own that were answered."""
    replies_before: int = 0
    """How many of them before what it is asked now. Limits are of one question."""
    begins: int = 0
    """Index of the message that it is asked now."""
    questions: int = 0
    """How many messages it was asked in this execution, those that were taken back as well."""
    choice: int = 0
    """Index of the model in use, among the agent's model and its fallbacks."""
    room: int = 1
    """How many times an adapter's own limit of output tokens the next answer may have."""
    without: tuple[str, ...] = ()
    """Features that the model in use was found to refuse."""
    tool_choice: str = ""
    """What the model has to call yet: `required` for any tool, or the name of one."""
    first_tool_choice: str = ""
    """The same, of what it is asked next."""
    repairs: int = 0
    """How often an answer was asked for again."""
    repeats: int = 0
    """How many replies in a row asked for the same calls, the last one included."""
    rejected: list[Rejected] = field(default_factory=list)
    """Answers that were asked for again."""
    forgot: bool = False
    """Whether it has had memories forgotten since it was asked."""
    tokens: TokenCount = field(default_factory=TokenCount)
    """What a provider has told of the length of all that the last reply knows."""
    degraded: list[Model] = field(default_factory=list)
    """The models that it went on with, one after the other, as a budget was not enough for those before."""
    windows: dict[str, int] = field(default_factory=dict)
    """Most tokens of a prompt and its answer, by `provider/model`, as far as they are known."""
    refused: dict[str, int] = field(default_factory=dict)
    """About how many tokens a prompt had that was refused as too long, since it was asked last, by `provider/model`."""

    @classmethod
    def begun(
        cls,
        agent: Agent,
        messages: Iterable[Message],
        found: FoundPassages,
        tools: Iterable[ToolDefinition] = (),
        *,
        after: str,
        standing: int = 0,
        head_stands: bool = False,
        tally: Tally | None = None,
        kept: KeptMessages | None = None,
        guardrails: tuple[AnyGuardrail, ...] = (),
    ) -> AgentState:
        """Return the state of an agent that has not asked its model yet.

        Args:
            agent: Whose state.
            messages: What it begins with.
            found: What was found in its workflow, to which its searches add.
            tools: What only its run knows: tools of MCP servers, and those that hand the conversation over.
            after: What its transcript comes after until there is a reply.
            standing: How many of the messages stand in the history already.
            head_stands: Whether the run's input has what all its model calls share.
            tally: Takes in what it uses, where it works for something else.
            kept: Where the messages stand in the whole conversation, where some have left the prompt.
            guardrails: What its answers and calls have to pass.
        """
        tools = tuple(tools)
        # What a conversation is continued from ends with a reply under another head: no worker's cache may find that.
        head = agent.head_with(*tools).guarded(guardrails)
        transcript = Transcript(head, messages, after=after, standing=standing, texts=found.texts, kept=kept)
        head_stands = head_stands and policy.TAIL_PART_BYTES < written_bytes(transcript.head) < _MOST_ASKED_BYTES
        return cls(
            transcript,
            tally or Tally(),
            found,
            mcp=_of_servers(tools),
            tokens=TokenCount(is_detailed=agent.memory is not None),
            head_stands=head_stands,
            tool_choice=agent.tool_choice,
            first_tool_choice=agent.tool_choice,
        )

    @classmethod
    def resumed(
        cls,
        agent: Agent,
        carried: Carried,
        found: FoundPassages,
        tools: Iterable[ToolDefinition],
        guardrails: tuple[AnyGuardrail, ...] = (),
    ) -> AgentState:
        """Return the state in which an earlier execution of the workflow left off."""
        tools = tuple(tools)
        transcript = Transcript(
            agent.head_with(*tools).guarded(guardrails),
            carried.messages,
            after=carried.after,
            standing=len(carried.messages[:1]),
            kept=carried.kept,
            known=carried.known,
            cut=carried.cut,
            earlier=carried.steps,
        )
        transcript.tells_less = carried.tells_less
        found.know(carried.passages)
        return cls(
            transcript=transcript,
            tally=Tally(carried.totals, carried.turns + carried.nested_turns),
            found=found,
            mcp=_of_servers(tools),
            replies=carried.turns,
            choice=carried.choice,
            room=carried.room,
            without=carried.without,
            tool_choice=carried.tool_choice,
            first_tool_choice=agent.tool_choice,
            repairs=carried.repairs,
            repeats=carried.repeats,
            rejected=list(carried.rejected),
            forgot=carried.forgot,
            tokens=TokenCount(carried.counted, is_detailed=agent.memory is not None),
            degraded=[*carried.degraded],
            windows=dict(carried.windows),
        )

    def asked(self, message: Message) -> None:
        """Take in what it is asked next: limits and sums begin anew."""
        self.questions += 1
        self.begins = self.transcript.count
        self.transcript.add(message, stands=True)
        self.tally = Tally()
        self.replies_before = self.replies
        self.choice, self.without = 0, ()
        self.degraded, self.refused = [], {}
        self.repairs = self.repeats = 0
        self.tool_choice = self.first_tool_choice
        self.rejected = []
        self.forgot = False

    def take_back(self) -> None:
        """Forget what it was asked, and with what it was told since."""
        self.transcript.cut(self.begins)

    @property
    def instead(self) -> Model | None:
        """The model that is asked in place of any other, for want of budget."""
        return self.degraded[-1] if self.degraded else None

    def carried(self, places: Mapping[str, int], whole: Tally | None = None) -> Carried:
        """Return all of it as the next execution of the workflow is given it.

        Args:
            places: How often each place of the workflow was used.
            whole: What all that it was asked used, where that is not what its own tally has.
        """
        tally = whole or self.tally
        return Carried(
            messages=tuple(self.transcript.messages),
            # What a worker remembers of the last reply is not what is left of it.
            after="" if self.transcript.steps else self.transcript.after,
            kept=self.transcript.kept,
            known=self.transcript.sent,
            cut=self.transcript.cut_parts,
            steps=(*self.transcript.earlier, *self.transcript.steps),
            tells_less=self.transcript.tells_less,
            windows=self.windows,
            turns=self.replies,
            nested_turns=tally.turns - self.replies,
            totals=tally.totals,
            choice=self.choice,
            room=self.room,
            without=self.without,
            tool_choice=self.tool_choice,
            repairs=self.repairs,
            repeats=self.repeats,
            mcp=self.mcp,
            places=dict(places),
            rejected=tuple(self.rejected),
            forgot=self.forgot,
            counted=self.tokens.counted,
            degraded=tuple(self.degraded),
            passages=tuple(self.found.passages.values()),
        )

    def cited(self, answer: Mapping[str, Any], attribution: Attribution) -> tuple[Citation, ...]:
        """Return what the claims of an answer rest on."""
        found, known = [], self.found.passages
        for claim in answer.get("claims") or ():
            for passage in (known[one] for one in claim["passages"] if one in known):
                quote, start, end = best_sentence(claim["text"], passage)
                found.append(
                    Citation(
                        claim=claim["text"],
                        passage=passage.id,
                        source=passage.source,
                        title=passage.title,
                        page=passage.page,
                        headings=passage.headings,
                        quote=quote,
                        start=start,
                        end=end,
                        attribution=attribution,
                    )
                )
        return tuple(found)

    def take(self, reply: ModelReply) -> None:
        """Take in what the model answered."""
        self.replies += 1
        self.room = reply.room
        self.without += reply.without
        self.windows |= reply.windows
        if any(self.tool_choice in (ANY_TOOL, call.name) for call in reply.message.tool_calls):
            self.tool_choice = ""
        self.tally.reply(reply)
        self.transcript.add_reply(reply)

    def result(self, status: Status, reason: str = "", *, output: Any = None) -> Result:
        """Return a result of this status.

        One that did not complete has the last words of the model as its output.
        """
        if status is not Status.COMPLETED:
            output = Message.last_words(self.transcript.since(self.begins))
        result = self.tally.result(status, reason, output=output)
        untold = (*self.transcript.left_errors, *self.transcript.unsent_errors())
        return result.model_copy(update={"rejected": tuple(self.rejected), "untold": untold})


def _of_servers(tools: Iterable[ToolDefinition]) -> tuple[McpTool, ...]:
    return tuple(tool for tool in tools if isinstance(tool, McpTool))
