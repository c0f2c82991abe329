"""What stands before the first message of a transcript."""

from __future__ import annotations

from .contract import Contract
from .guardrails.any_guardrail import AnyGuardrail
from .guardrails.guardrail import JudgedStage
from .model import Model, OutputSchema
from .provider_tool import AnyProviderTool
from .tool import ToolDefinition


class Head(Contract):
    """What stands before the first message of a transcript.

    It is the same in every call of a run, so it is sent once.
    """

    agent: str
    instructions: str = ""
    model: Model
    tools: tuple[ToolDefinition, ...] = ()
    provider_tools: tuple[AnyProviderTool, ...] = ()
    """Tools that the provider runs itself."""
    output: OutputSchema | None = None
    validators: tuple[str, ...] = ()
    """Names of the worker's functions that an answer has to pass."""
    parallel_tool_calls: bool = True
    """Whether the model may ask for several calls at once."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What its answers and the calls that it asks for have to pass."""
    judges: JudgedStage | None = None
    """What is judged, where it is asked for a judgement of a guardrail, whose name `agent` is."""

    def guarded(self, guardrails: tuple[AnyGuardrail, ...]) -> Head:
        """Return it with those of the guardrails that a model call looks to."""
        ours = tuple(one for one in guardrails if not one.of_model and {"output", "tool_call"} & {*one.at})
        return self.model_copy(update={"guardrails": ours}) if ours else self
