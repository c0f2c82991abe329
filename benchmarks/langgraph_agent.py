"""The benchmark's agent under LangGraph, with and without OpenInference's instrumentation.

Knows nothing of this project.

Run by `benchmarks.telemetry --langgraph PYTHON` in an environment of its own:

    python langgraph_agent.py ENDPOINT TURNS ROUNDS RESULT_BYTES

Prints one JSON object a run: `kind` (`none` or `full`), `ms` and `cpu_ms` per turn.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pydoc_data.topics import topics
from typing import Any

from langchain_core.language_models import BaseChatModel  # type: ignore[import-not-found]
from langchain_core.messages import AIMessage  # type: ignore[import-not-found]
from langchain_core.outputs import ChatGeneration, ChatResult  # type: ignore[import-not-found]
from langchain_core.tools import tool  # type: ignore[import-not-found]
from langgraph.checkpoint.memory import InMemorySaver  # type: ignore[import-not-found]
from langgraph.graph import START, MessagesState, StateGraph  # type: ignore[import-not-found]
from langgraph.prebuilt import ToolNode, tools_condition  # type: ignore[import-not-found]
from openinference.instrumentation.langchain import LangChainInstrumentor  # type: ignore[import-not-found]
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_BOOK = "".join(topics.values())


class Scripted(BaseChatModel):  # type: ignore[misc]
    """Asks for one page after the other, then answers."""

    turns: int
    size: int

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[Any], *_: Any, **__: Any) -> Any:
        number = sum(isinstance(message, AIMessage) for message in messages)
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        if number < self.turns:
            call = {"name": "page", "args": {"number": number, "size": self.size}, "id": f"call_{number}"}
            said = AIMessage("", tool_calls=[call], usage_metadata=usage)
        else:
            said = AIMessage("The sea is wide.", usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=said)])

    async def _agenerate(self, messages: list[Any], *_: Any, **__: Any) -> Any:
        return self._generate(messages)


@tool  # type: ignore[untyped-decorator]
async def page(number: int, size: int) -> str:
    """Read a page."""
    begin = number * size % (len(_BOOK) - size)
    return _BOOK[begin : begin + size]


def _agent(turns: int, size: int) -> Any:
    model = Scripted(turns=turns, size=size)

    async def ask(state: Any) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", ask)
    graph.add_node("tools", ToolNode([page]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=InMemorySaver())


async def _time(agent: Any, turns: int, name: str) -> dict[str, float]:
    config = {"configurable": {"thread_id": name}, "recursion_limit": 4 * turns + 10}
    begin, cpu = time.perf_counter(), time.process_time()
    result = await agent.ainvoke({"messages": [("user", "What do the pages say?")]}, config)
    if result["messages"][-1].content != "The sea is wide.":
        raise RuntimeError("it came to no answer")
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    return {"ms": 1e3 * seconds / turns, "cpu_ms": 1e3 * cpu_seconds / turns}


def main() -> None:
    """Measure by turns."""
    endpoint, turns, rounds, size = sys.argv[1], *map(int, sys.argv[2:5])
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    agent, instrumentor = _agent(turns, size), LangChainInstrumentor()
    asyncio.run(_time(agent, turns, "first"))
    for number in range(rounds):
        for kind in ("none", "full") if number % 2 == 0 else ("full", "none"):
            if kind == "full":
                instrumentor.instrument(tracer_provider=provider)
            timed = asyncio.run(_time(agent, turns, f"{kind}-{number}"))
            if kind == "full":
                provider.force_flush()
                instrumentor.uninstrument()
            print(json.dumps({"kind": kind, **timed}), flush=True)


if __name__ == "__main__":
    main()
