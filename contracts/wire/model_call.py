"""One model call: what is sent for it, and what comes back."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ..collection.citation import Attribution
from ..contract import Contract
from ..control.usage import Usage
from ..head import Head
from ..message import Message, PartRef
from ..model import Model
from .guardrails.decision import GuardrailDecision
from .memory.compaction import Compaction


class StopReason(StrEnum):
    """Why a model stopped."""

    END = "end"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    REFUSAL = "refusal"
    INTERRUPTED = "interrupted"
    """The call was cancelled in the middle of the answer, and what had come was wanted."""


NEARLY_SPENT: Final = 0.8
"""Which part of a limit is spent when a call tells of it."""


class Allowance(Contract):
    """What a model call under a budget may cost at most: so much is held for it."""

    usd: float = 0.0
    """US dollars."""
    tokens: int = 0
    """Tokens in and out."""
    output_tokens: int
    """Most tokens of the answer."""
    used: float = 0.0
    """Which part of the tightest limit was spent before it, from `NEARLY_SPENT` on. Else 0."""
    limit: str = ""
    """Which limit that is, if any: `usd`, `tokens` or `turns`, and whose."""


class ModelCall(Contract):
    """Input of one model call: only what its transcript gained since the call before."""

    transcript: str
    """Which of the workflow's transcripts: the path of its agent or prompt."""
    turn: int
    """From 1."""
    model: str
    """`provider/model` that is called."""
    choice: int = 0
    """Its place in `Model.choices`."""
    base: int = 0
    """How many messages came before `tail`."""
    after: str = ""
    """Id of the reply that ends those messages, empty at the start."""
    tail: tuple[Message, ...] = ()
    head: Head | None = None
    """Sent with the first call of a transcript, unless the run's input has it and it is large; else known from the
    worker's cache or the transcript query."""
    room: int = 1
    """How many times the adapter's own limit of output tokens the answer may have: the one before was cut at it."""
    without: tuple[str, ...] = ()
    """Features that the model was found to refuse in this run."""
    tool_choice: str = ""
    """What the model has to call: `required` for any tool, or the name of one; empty where it may choose."""
    keep: bool = False
    """Whether what it said is wanted where the call is cancelled in the middle of an answer."""
    context: bool = False
    """Whether the run has a context, which validators may ask for."""
    allowance: Allowance | None = None
    """What it may cost, where a budget limits that. An attempt of which nobody knows what it cost is then the last."""
    instead: Model | None = None
    """The model that is called in place of that choice: a budget is not enough for another."""
    last: bool = False
    """Whether it may call no tools: a budget is enough for no more than this answer."""
    compactions: tuple[Compaction, ...] = ()
    """What left the prompt since the reply `after`, in order. `base` counts what is left."""
    earlier: tuple[Compaction, ...] = ()
    """What left it before this execution, and since that reply: `after` is empty then, and `base` counts without it."""
    cut: tuple[PartRef, ...] = ()
    """Parts of `tail` that tell less than was said: their places in the prompt, and the digests of the whole."""
    left: int = 0
    """How many more messages the conversation has than the prompt."""
    replies_left: int = 0
    """How many messages of the model have left the prompt."""
    summary: bool = False
    """Whether it asks for a summary of the first `base` messages, in place of an answer: it calls no tools then."""
    windows: bool = False
    """Whether it is wanted how many tokens the models take."""


class CallEnd(Contract):
    """How a model call under a budget failed: the detail of its failure."""

    free: bool = False
    """Whether it certainly cost nothing."""
    again: bool = False
    """Whether another attempt may help."""


class ModelReply(Contract):
    """Output of one model call."""

    id: str
    """Unique id of this reply: names the transcript up to and including it."""
    message: Message
    model: str
    """`provider/model` as the provider reports it."""
    usage: Usage = Usage()
    cost_usd: float | None = None
    """US dollars. None where no price is known for the model; 0 for the local one."""
    stop: StopReason = StopReason.END
    prompt_hash: str
    """SHA-256 of the exact prompt, see `contracts.prompt_hash`."""
    output_errors: tuple[str, ...] = ()
    """Why the answer does not fit the output schema or what validators said of it; empty where it is good."""
    note: str = ""
    """What there is to say of an answer that is not quite as expected, such as an unknown stop reason."""
    room: int = 1
    """What the next call's `room` is to be: more where this answer was cut and there is more."""
    final: bool = False
    """Whether asking again for a better answer cannot help: it was cut at a limit that stays."""
    request_id: str = ""
    """The provider's own id of the request, for its support."""
    without: tuple[str, ...] = ()
    """Features that the model was found to refuse by this call, which was then made without them."""
    attribution: Attribution = Attribution.MODEL
    """How it was found what the claims of a `Cited` answer rest on."""
    windows: dict[str, int] = {}
    """Most tokens of a prompt and its answer, by `provider/model`, where that was wanted and is known."""
    decisions: tuple[GuardrailDecision, ...] = ()
    """What guardrails decided of the answer, and of the calls that it asks for."""
    sealed: dict[str, str] = {}
    """Originals of what they redacted, as ciphertext, by placeholder."""

    def tells_cost(self, *, priced: bool) -> bool:
        """Return whether the provider told what a budget has to know of the call.

        Args:
            priced: Whether the model has a price.
        """
        return self.cost_usd is not None or (not priced and self.usage.total_tokens > 0)
