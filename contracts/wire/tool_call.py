"""One tool call: what it is given, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from ..contract import Contract
from ..guardrails.any_guardrail import AnyGuardrail
from ..message import FilePart, ImagePart, ToolResultPart
from .guardrails.decision import GuardrailDecision
from .places import Place


class UndoneCall(Contract):
    """The call that another one undoes."""

    path: str
    """Its place in the runnable tree."""
    call_id: str
    key: str
    """Its idempotency key."""

    @property
    def words(self) -> str:
        """Place and id of it in one."""
        return Place(self.path).tool_call(self.call_id)


class ToolInvocation(Contract):
    """Input of one tool call."""

    call_id: str
    reply: str
    """Id of the model's reply that asks for the call: tells it from the call of the same id in another run, or in
    another branch of this one after a reset. Of a call without a model, Temporal's run id of the workflow, as it was
    before any reset: the call of that number is the same call in every branch."""
    arguments: dict[str, JsonValue] = {}
    context: bool = False
    """Whether the run has a context, which the tool may ask for."""
    permitted: bool = False
    """Whether the run has asked for whatever approval it knows of. A worker whose tool has one makes no other call."""
    edited: bool = False
    """Whether a person changed the arguments, which the model is then told."""
    undoes: UndoneCall | None = None
    """The call that it undoes; None of one that undoes nothing."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What its result has to pass, beside what the tool itself has."""
    sealed: dict[str, str] = {}
    """Of a tool that is given originals: those of the placeholders in its arguments, as ciphertext."""

    def key_in(self, run_id: str) -> str:
        """Return its idempotency key, as a call of the run of that id."""
        return f"{self.undoes.key}:undo" if self.undoes else f"{run_id}:{self.reply}:{self.call_id}"


class ToolOutput(Contract):
    """Output of one tool call."""

    content: str = ""
    """Text or JSON text for the model, at most `MAX_TOOL_OUTPUT_BYTES`."""
    attachments: tuple[ImagePart | FilePart, ...] = ()
    incomplete: str = ""
    """Why the content is not what the tool returned, although it ran; empty where it is."""
    decisions: tuple[GuardrailDecision, ...] = ()
    """What guardrails decided of the result."""
    sealed: dict[str, str] = {}
    """Originals of what they redacted, as ciphertext, by placeholder."""

    def as_result(self, call_id: str, name: str) -> ToolResultPart:
        """Return what the model is told of the call."""
        return ToolResultPart(call_id=call_id, name=name, content=self.content, attachments=self.attachments)


def not_permitted(name: str) -> str:
    """Return what a model is told of a call for which nobody was asked.

    Its run knows of no approval, and the worker does.
    """
    return (
        f"{name} was not run: it takes an approval by now, and this run began before it did. It can be called in a run "
        "that begins anew."
    )


def edited_words(arguments: Mapping[str, JsonValue]) -> str:
    """Return what a model is told of a call whose arguments a person changed."""
    return f"A person changed the arguments before it ran, to {json.dumps(dict(arguments), ensure_ascii=False)}."


def outcome_unknown(name: str) -> str:
    """Return what a model is told of a `once` tool that was interrupted."""
    return (
        f"{name} was interrupted and will not be tried again. Whether it took effect is unknown: "
        "find that out before you do anything that depends on it."
    )
