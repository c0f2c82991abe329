"""The loop that we are measured against.

An agent on Temporal as people write it by hand, carefully.

The whole message list is the input of each model call, as in every tutorial and integration of today. Must not use
anything of ours but the scripted model.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import activity, workflow

from benchmarks.load import INSTRUCTIONS, ScriptedModel, read
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts.message import Message, Role, TextPart
from sostenuto.contracts.model import Model

_SAID = Message(role=Role.ASSISTANT, parts=(TextPart(text=""),))


class ChatToolCall(BaseModel):
    """One call that the model asks for."""

    id: str
    name: str
    arguments: dict[str, Any]


class ChatMessage(BaseModel):
    """One message in the form of the chat completions API."""

    role: str
    content: str = ""
    tool_calls: list[ChatToolCall] = []
    tool_call_id: str | None = None


class ChatRequest(BaseModel):
    """Input of a model call."""

    model: str
    instructions: str
    messages: list[ChatMessage]
    tools: list[dict[str, Any]]


class PageRequest(BaseModel):
    """Input of a tool call."""

    number: int
    size: int


class NaiveRun(BaseModel):
    """Input of the workflow."""

    model: str
    question: str
    tools: list[dict[str, Any]]


@activity.defn(name="naive_page")
async def naive_page(request: PageRequest) -> str:
    """Return the text of a page."""
    return await read(request.number, request.size)


class NaiveModel:
    """The model call."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    @activity.defn(name="naive_model")
    async def call(self, request: ChatRequest) -> ChatMessage:
        """Return the model's answer to all messages so far."""
        turn = sum(message.role == "assistant" for message in request.messages)
        prompt = ModelRequest(Model(request.model), request.instructions, (_SAID,) * turn)
        message = (await self._model.complete(prompt)).message
        calls = [
            ChatToolCall(id=f"call_{turn}_{i}", name=c.name, arguments=c.arguments)
            for i, c in enumerate(message.tool_calls)
        ]
        return ChatMessage(role="assistant", content=message.text, tool_calls=calls)


@workflow.defn
class NaiveAgent:
    """Ask, call tools, ask again."""

    @workflow.run
    async def run(self, run: NaiveRun) -> str:
        """Ask and call tools until the model answers; return the answer."""
        messages = [ChatMessage(role="user", content=run.question)]
        while True:
            request = ChatRequest(model=run.model, instructions=INSTRUCTIONS, messages=messages, tools=run.tools)
            reply = await workflow.execute_activity_method(
                NaiveModel.call, request, start_to_close_timeout=timedelta(minutes=5)
            )
            messages.append(reply)
            if not reply.tool_calls:
                return reply.content
            for call in reply.tool_calls:
                content = await workflow.execute_activity(
                    naive_page, PageRequest(**call.arguments), start_to_close_timeout=timedelta(minutes=1)
                )
                messages.append(ChatMessage(role="tool", content=content, tool_call_id=call.id))
