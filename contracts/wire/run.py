"""What starts a run, what its next execution is given, and what it comes to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import (
    FieldSerializationInfo,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    field_serializer,
    field_validator,
)
from pydantic_core import to_json

from ..collection.citation import Citation
from ..contract import Contract, OutT_co, Typed
from ..control.budget import Budget, Envelope
from ..control.usage import Usage
from ..guardrails.any_guardrail import AnyGuardrail, every_guardrail
from ..head import Head
from ..limits import RAW
from ..mcp import McpTool
from ..message import Message, PartRef, ToolResultPart
from ..model import Model
from ..packed import unpack, written_packed
from ..specs.runnable import Runnable
from ..tool import ToolDefinition
from .control.compensation import Compensation, TakenEffects
from .control.top_up import CarriedBudget, TakenTopUp
from .guardrails.decision import GuardrailDecision
from .memory.calls import Remembering
from .memory.compaction import Compaction, KeptMessages
from .retrieval import Passage
from .totals import Totals, Unsettled


class Status(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    REFUSED = "refused"
    """The model declined to answer."""
    EXHAUSTED = "exhausted"
    """A limit was reached."""
    CANCELLED = "cancelled"
    FAILED = "failed"


THE_RUN_WAS_CANCELLED = "the run was cancelled"
"""Reason of what a cancel ended."""
ANSWER_WAS_CUT = "the answer was cut at the output limit"
"""Reason of what completed with the beginning of an answer."""


def was_cut(status: Status, reason: str) -> bool:
    """Return whether what ended so is the beginning of an answer that was cut."""
    return status is Status.COMPLETED and reason == ANSWER_WAS_CUT


class Rejected(Contract):
    """An answer that was wrong."""

    text: str
    reasons: tuple[str, ...]


class StepResult(Contract):
    """What a step of a chain, a branch or a member came to."""

    status: Status
    output: Any = None
    """What it said, as in `Result`; of one that did not complete, its last words. None of a search, whose passages
    stand in the history once."""
    reason: str = ""
    passages: tuple[str, ...] = ()
    """Ids of the passages that it found, where it is a search."""
    rejected: tuple[Rejected, ...] = ()
    """The answers that were asked for again, with the reasons."""


class Counted(Contract):
    """What a provider has told of the length of a transcript."""

    tokens: int = 0
    """Tokens up to the last reply, that included; 0 where nobody has told."""
    model: str = ""
    """`provider/model` that counted them: others count otherwise."""
    head: int = 0
    """Those of what stands before the messages."""
    messages: tuple[int, ...] = ()
    """Those of each message, where something may leave the prompt."""
    density: float = 0.0
    """Most tokens of a byte that were counted so far."""
    loose: tuple[int, ...] = ()
    """Indices of those messages of which nobody has told it yet: they took the place of others."""


class Carried(Contract):
    """What an agent takes along when its workflow continues as new."""

    messages: tuple[Message, ...]
    """Packed: the server writes an input twice, where one execution ends and where the next one begins."""
    after: str
    """Id of the last reply."""
    turns: int
    totals: Totals
    choice: int = 0
    """Which model of `Model.choices` is in use."""
    room: int = 1
    """How many times an adapter's own limit of output tokens the next answer may have."""
    without: tuple[str, ...] = ()
    """Features that the model in use was found to refuse."""
    tool_choice: str = ""
    """What the model has to call yet: `required` for any tool, or the name of one."""
    repairs: int = 0
    """How often an answer was asked for again."""
    repeats: int = 0
    """How many turns in a row asked for the same calls."""
    mcp: tuple[McpTool, ...] = ()
    """Its tools of MCP servers, as their catalogues had them when the run began."""
    nested_turns: int = 0
    """Model calls of the runs that it started, which `totals` has too."""
    places: dict[str, int] = {}
    """How often each place of a nested run was used."""
    rejected: tuple[Rejected, ...] = ()
    """Answers that were asked for again."""
    counted: Counted = Counted()
    degraded: tuple[Model, ...] = ()
    """The models that it went on with, one after the other, as a budget was not enough for those before."""
    budgets: tuple[CarriedBudget, ...] = ()
    """Its budgets, the innermost first."""
    top_ups: tuple[TakenTopUp, ...] = ()
    """The last top-ups: one that is sent again is taken once."""
    passages: tuple[Passage, ...] = ()
    """What its searches found. Packed, as the messages are."""
    granted: tuple[str, ...] = ()
    """Tools that somebody said yes to for the rest of the run, in alphabetical order."""
    effects: TakenEffects = TakenEffects()
    """What it did and has not undone. Packed, as the messages are."""
    compensated: Compensation | None = None
    """What was undone in runs nested in it."""
    kept: KeptMessages | None = None
    """Where the messages stand in the whole conversation, where some have left the prompt."""
    known: int | None = None
    """How many of the messages the last reply knows, which may have left the prompt itself. None: those up to it."""
    cut: tuple[PartRef, ...] = ()
    """Parts behind those of which the model is told less than was said, each with the digest of the whole."""
    tells_less: bool = False
    """Whether any of the messages tells less than was said, or left what the conversation began with."""
    steps: tuple[Compaction, ...] = ()
    """What left the prompt since the last reply, of which the next call is to tell."""
    windows: dict[str, int] = {}
    """Most tokens of a prompt and its answer, by `provider/model`, as far as they are known."""
    forgot: bool = False
    """Whether memories were forgotten since it was asked."""
    remembering: Remembering | None = None
    """What its long-term memory takes along, where it has one."""
    sealed: dict[str, str] = {}
    """Originals of what guardrails redacted, as ciphertext, by placeholder."""
    tainted: bool = False
    """Whether untrusted text was read."""

    @field_serializer("messages", "passages", "effects", mode="wrap", when_used="json")
    def _pack(self, messages: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo) -> Any:
        return written_packed(messages, handler, info)

    _unpack = field_validator("messages", "passages", "effects", mode="before")(unpack)


class Continuation(Contract):
    """The conversation that a run continues.

    It is the transcript of another run of the same tree.
    """

    run_id: str
    """Id of that run. Its newest execution is meant."""
    path: str
    """Which of its transcripts."""
    passages: bool = False
    """Whether what its searches found is wanted, too: the answer cites."""


class RunInput(Contract):
    """Input of the run workflow."""

    runnable: Runnable
    message: Message | None = None
    """What it is asked. None only where it takes over a conversation as it stands."""
    before: tuple[Message, ...] = ()
    """What was said before, as whoever started it knows. Packed, where it stands in a history above."""
    carried: Carried | None = None
    path: str = ""
    """Its own place in the runnable tree. Empty for the root, which is at its name."""
    call_id: str = ""
    """Id of the tool call, in the run that started this one, that this run answers; empty where it answers none."""
    continues: Continuation | None = None
    transfers: tuple[ToolDefinition, ...] = ()
    """Tools by which it may hand the conversation over to another member of its team."""
    offload: bool = False
    """Whether the client and the workers keep large payloads outside the history."""
    passages: tuple[Passage, ...] = ()
    """What was found above it and its answers may cite. Packed, as they stand in the history above."""
    budget: Budget | None = None
    """What whoever started it allows, beside the budget of the runnable itself."""
    envelope: Envelope | None = None
    """What the run that started this one allows."""
    leaves_memo: bool = False
    """Whether it leaves in its memo what no worker is needed to show, and a cancelled one ends as Temporal's Canceled.
    Not of what a version before 0.3 began."""
    compact: bool = False
    """Whether the result, where it completes, is to be without its steps: who started it needs what it came to, and
    what came before stands in its own history."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What goes in and out of it has to pass beside its own guardrails: those of its app, and of what it is nested
    in."""
    screened: bool = False
    """Whether whoever sent the message had what redacts look at it."""
    decisions: tuple[GuardrailDecision, ...] = ()
    """What guardrails decided of the message, before it was sent."""
    sealed: dict[str, str] = {}
    """Originals of what was redacted in the message, as ciphertext, by placeholder."""
    tainted: bool = False
    """Whether the message may have untrusted text."""

    _packed: str = PrivateAttr("")

    def with_packed(self, runnable: str) -> RunInput:
        """Return this input, in which the runnable is written as that text.

        The text is its own to make once, where many are started with one runnable: packing takes milliseconds.
        """
        packed = self.model_copy()
        packed._packed = runnable  # noqa: SLF001 - its own
        return packed

    @field_serializer("passages", mode="wrap", when_used="json")
    def _pack_passages(
        self, passages: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo
    ) -> Any:
        return written_packed(passages, handler, info)

    @field_serializer("runnable", mode="wrap", when_used="json")
    def _pack(self, runnable: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo) -> Any:
        return self._packed if self._packed and info.context != RAW else handler(runnable)

    _unpack = field_validator("runnable", "passages", mode="before")(unpack)

    @property
    def head(self) -> Head | None:
        """What all model calls of the runnable itself share, see `Node.head_with`.

        Of an agent with MCP servers it is whole only once `carried` has their tools.
        """
        head = self.runnable.head_with(*(self.carried.mcp if self.carried else ()), *self.transfers)
        return head.guarded(every_guardrail(self.guardrails, self.runnable.guardrails)) if head else None


class Result(Typed[OutT_co], Contract):
    """What a run came to. Also of a run that ended early: then with all that it has."""

    status: Status
    if TYPE_CHECKING:
        output: OutT_co = None  # type: ignore[assignment]
    else:
        output: Any = None
    """Text, or JSON that fits the output schema. Through a client that knows the output type, a value of it: that of
    a run that did not complete is its last words, or None, whatever a type checker says."""
    reason: str = ""
    """Why it ended so, where the status alone does not tell."""
    turns: int = 0
    """Model calls that were answered."""
    usage: Usage = Usage()
    cost_usd: float = 0.0
    """US dollars, of the calls whose price is known."""
    unpriced_calls: int = 0
    """Model calls whose price is not known."""
    unsettled: Unsettled | None = None
    """What is charged to budgets for calls of which nobody knows what they cost."""
    exhausted: str = ""
    """Which limit of a budget it ended at: `usd`, `tokens`, `turns` or `seconds`."""
    steps: dict[str, StepResult] = {}
    """What the steps of a chain, the branches of parallel work or the members of a team came to, by name. Of parallel
    work whose output has what its branches came to, only those that did not complete."""
    rejected: tuple[Rejected, ...] = ()
    """The answers that were asked for again, with the reasons."""
    citations: tuple[Citation, ...] = ()
    """What the claims of a `Cited` output rest on, in their order."""
    passages: tuple[str, ...] = ()
    """Ids of the passages that the output has, where it is what a search found."""
    transfer: str = ""
    """The member of its team that it hands the conversation over to."""
    untold: tuple[ToolResultPart, ...] = ()
    """Errors of tool calls that came too late to be told to the model, and so stand nowhere else in the history. Empty
    in the client's result, whose messages have them."""
    messages: tuple[Message, ...] = ()
    """The transcript. Empty in the history, where it already stands; filled in by the client."""
    compensated: Compensation | None = None
    """What became of what it did, where that was to be undone. None: it was not."""
    effects: TakenEffects = TakenEffects()
    """What it did and has not undone, for the run that started it. Empty in the client's result."""
    ended_unheard: bool = False
    """Whether it was ended from outside, as by a terminate, so that nobody has told what it spent."""
    sealed: dict[str, str] = {}
    """Originals of what was redacted in it, as ciphertext, by placeholder. Empty in the client's result, which has the
    originals where it has the keys."""
    tainted: bool = False
    """Whether untrusted text was read for it, for the run that started it. False in the client's result."""

    @property
    def is_cut(self) -> bool:
        """Whether the output is the beginning of an answer that was cut."""
        return was_cut(self.status, self.reason)

    def typed(self, output_type: TypeAdapter[Any] | None) -> Result:
        """Return it with a value of a type as its output, where it completed.

        Args:
            output_type: The type. None: it is not known.

        Raises:
            ValidationError: The output is no value of that type.
        """
        if output_type is None or self.status is not Status.COMPLETED:
            return self
        # As JSON, in which strict types take what they themselves wrote.
        return self.model_copy(update={"output": output_type.validate_json(to_json(self.output))})

    @property
    def totals(self) -> Totals:
        """What the run used, with all that is nested in it."""
        return Totals(
            usage=self.usage, cost_usd=self.cost_usd, unpriced_calls=self.unpriced_calls, unsettled=self.unsettled
        )
