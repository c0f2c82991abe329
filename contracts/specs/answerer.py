"""What runnables have that call a model for an answer of their own.

The answer's form, what it has to pass, and which words other libraries have for their fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import PrivateAttr, TypeAdapter
from typing_extensions import override

from ..contract import OutT_co
from .node import Node
from .output import Validator, output_type

_SAMPLING: Final = "it is the model's: model=Model('provider/model', {})"
_ANSWERER: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("output_type", "output_schema", "result_type", "response_format", "response_model", "structured_output"),
        "write output=",
    ),
    **dict.fromkeys(
        ("system", "system_prompt", "system_message", "role", "goal", "backstory", "developer"), "write instructions="
    ),
    **dict.fromkeys(("llm", "model_name", "chat_model", "client"), "write model='provider/model'"),
    **dict.fromkeys(("max_tokens", "max_output_tokens"), _SAMPLING.format("max_output_tokens=…")),
    **dict.fromkeys(("retries", "max_retries", "retry_policy"), _SAMPLING.format("retries=…")),
    **{name: _SAMPLING.format(f"{name}=…") for name in ("temperature", "seed", "stop", "timeout", "fallbacks")},
    **dict.fromkeys(("model_settings", "top_p", "top_k"), _SAMPLING.format("temperature=…, options={…}")),
    **dict.fromkeys(("result_validators", "output_validators"), "write validators=[a function]"),
    **dict.fromkeys(("input_guardrails", "output_guardrails", "guards"), "write guardrails=[Pii(), Judge(…), …]"),
    **dict.fromkeys(
        ("checkpointer", "session", "history"),
        "a run keeps its own context, and a conversation of many turns is client.chat(…)",
    ),
}

_MEMORY_WORDS: Final = (
    *("context_window", "context_management", "max_context_tokens", "token_limit", "memory_window"),
    *("max_history", "max_messages", "history_processors", "trim_messages", "truncation"),
    *("compaction", "compact", "summarization", "summarize", "summary"),
)

WORDS_OF_AGENT: Final[Mapping[str, str]] = {
    **_ANSWERER,
    **dict.fromkeys(_MEMORY_WORDS, "write memory=Memory(window='80%', strategy='summary')"),
    **dict.fromkeys(("prompt", "template"), "write instructions=; one question without tools is Prompt(template=…)"),
    **dict.fromkeys(("max_iterations", "max_iter", "max_steps", "recursion_limit", "usage_limits"), "write max_turns="),
    **dict.fromkeys(
        ("handoffs", "handoff", "sub_agents", "managed_agents", "agents"),
        "write Team(style='handoff', members=[…]), or give agents to call in tools=[…]",
    ),
    **dict.fromkeys(("functions", "toolsets", "mcp_servers"), "give them in tools="),
    **dict.fromkeys(
        ("deps_type", "deps", "context_schema", "context_type"),
        "the type of a run's own values is context=, and what tools share is made by App(lifespan=…)",
    ),
}
"""What to write in place of words that others have for the fields of an agent."""

WORDS_OF_PROMPT: Final[Mapping[str, str]] = {
    **_ANSWERER,
    **dict.fromkeys(("prompt", "text", "messages"), "write template="),
    "tools": "a prompt has none: write Agent(…, tools=[…])",
    "memory": "a prompt is one question: a conversation that may grow long is an Agent(…, memory=Memory())",
}
"""Of a prompt."""

WORDS_OF_TEAM: Final[Mapping[str, str]] = {
    **_ANSWERER,
    **dict.fromkeys(_MEMORY_WORDS, "write memory=Memory(window='80%', strategy='summary')"),
    **dict.fromkeys(
        ("leader", "lead", "manager", "manager_llm", "supervisor", "coordinator", "planner", "orchestrator"),
        "the team itself leads: write model= and instructions=",
    ),
    **dict.fromkeys(("agents", "participants", "crew", "workers", "nodes"), "write members="),
    **dict.fromkeys(
        ("process", "strategy", "mode", "pattern"), "write style='delegate', 'handoff', 'debate' or 'plan'"
    ),
    **dict.fromkeys(("rounds", "max_turns", "max_iterations", "max_iter", "max_steps"), "write max_rounds="),
    "tools": "a team has none: give them to its members",
    "tasks": "tasks in a fixed order are the steps of a Chain; a team is told its task when it runs",
}
"""Of a team."""


class Answerer(Node[OutT_co]):
    """A runnable that knows its answer's type and the functions that check it.

    In this process only: neither can be sent.
    """

    _output_type: TypeAdapter[Any] | None = PrivateAttr(default=None)
    _checks: dict[str, Validator] = PrivateAttr(default_factory=dict)

    def _know(self, output: Any, checks: Mapping[str, Validator | None]) -> None:
        """Keep what the constructor was given and JSON cannot hold."""
        self._output_type = output_type(output)
        self._checks = {name: check for name, check in checks.items() if check}

    def __eq__(self, other: object) -> bool:
        # One that was read back from its history equals the one that was sent, which also has functions.
        return isinstance(other, type(self)) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @property
    @override
    def checks(self) -> Mapping[str, Callable[..., Any]]:
        return self._checks

    @property
    @override
    def output_type(self) -> TypeAdapter[Any] | None:
        return self._output_type
