"""Each gate alone: what it lets pass, what it ends with, and that all it remembers stands in the state."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, Status
from sostenuto.contracts.message import Message, Role, TextPart, ToolCallPart
from sostenuto.contracts.specs.agent_tools import TRANSFER
from sostenuto.contracts.wire.model_call import ModelReply, StopReason
from sostenuto.contracts.wire.places import Place
from sostenuto.workflows.agent.gate_order import gates_of
from sostenuto.workflows.agent.gates import Gate, OutputCheck, Refusal, Repeats, Transfers, TurnLimit
from sostenuto.workflows.agent.state import AgentState
from sostenuto.workflows.interpreter import Interpreter
from sostenuto.workflows.knowledge.found import FoundPassages


def agent(**options: Any) -> Agent:
    return Agent(name="a", model="scripted/any", **options)


def state_of(**options: Any) -> AgentState:
    return AgentState.begun(agent(**options), [Message.user("Hello")], FoundPassages(), after="0:a", standing=1)


def reply(text: str = "", *calls: str, stop: StopReason = StopReason.END, errors: tuple[str, ...] = ()) -> ModelReply:
    parts = (
        *([TextPart(text=text)] if text else []),
        *(ToolCallPart(id=f"c{index}", name=name) for index, name in enumerate(calls)),
    )
    message = Message(role=Role.ASSISTANT, parts=parts)
    return ModelReply(id="r", message=message, model="m", prompt_hash="", stop=stop, output_errors=errors)


async def after_model(gate: Gate, state: AgentState, one: ModelReply) -> Any:
    state.take(one)
    return await gate.after_model(state, one)


async def test_a_gate_lets_everything_pass_unless_it_says_otherwise() -> None:
    state, one, gate = state_of(), reply("x", "look"), Gate()
    call = one.message.tool_calls[0]
    answers = [
        await gate.before_model(state),
        await gate.after_model(state, one),
        await gate.before_tool(state, call, one),
        await gate.after_tools(state, one),
    ]
    assert answers == [None] * 4


async def test_turn_limit() -> None:
    gate, state = TurnLimit(agent(max_turns=2)), state_of()
    state.take(reply("one"))
    assert await gate.before_model(state) is None
    state.take(reply("two"))
    ended = await gate.before_model(state)
    assert ended is not None
    assert (ended.status, ended.output) == (Status.EXHAUSTED, "two")
    assert ended.reason == "the agent used all of its 2 turns"


async def test_repeats_are_answered_with_an_error_and_then_end_the_agent() -> None:
    gate, state = Repeats(agent(max_repeats=2)), state_of()
    blocked, ended = [], []
    for _ in range(4):
        one = reply("", "look")
        ended.append(await after_model(gate, state, one))
        blocked.append(await gate.before_tool(state, one.message.tool_calls[0], one) is not None)
    assert blocked == [False, True, True, True]
    assert [result and result.status for result in ended] == [None, None, None, Status.EXHAUSTED]
    assert ended[3].reason == "the model asked for the same calls 4 times in a row: look"


async def test_other_calls_and_answers_end_a_row_of_repeats() -> None:
    gate, state = Repeats(agent(max_repeats=2)), state_of()
    rows = []
    for one in (reply("", "look"), reply("", "look"), reply("", "find"), reply("x"), reply("y"), reply("", "look")):
        await after_model(gate, state, one)
        rows.append(state.repeats)
    assert rows == [1, 2, 1, 1, 1, 1]


async def test_refusal() -> None:
    ended = await after_model(Refusal(), state_of(), reply("No.", stop=StopReason.REFUSAL))
    assert (ended.status, ended.reason, ended.output) == (Status.REFUSED, "No.", "No.")
    silent = await after_model(Refusal(), state_of(), reply("", stop=StopReason.REFUSAL))
    assert silent.reason == "the model declined to answer"
    assert await after_model(Refusal(), state_of(), reply("Yes.")) is None


async def test_output_check_asks_again_and_then_gives_up() -> None:
    gate, state = OutputCheck(agent(max_repairs=1, validators=["polite"])), state_of()
    goes_on = []
    for one in (reply("fine"), reply("bad", errors=("too short", "rude"))):
        assert await after_model(gate, state, one) is None
        goes_on.append(state.transcript.has_unsent)
    assert goes_on == [False, True]
    assert "too short; rude" in state.transcript.messages[-1].text
    ended = await after_model(gate, state, reply("worse", errors=("rude",)))
    assert (ended.status, ended.reason) == (Status.FAILED, "the answer does not pass its validators: rude")
    assert [(one.text, one.reasons) for one in ended.rejected] == [("bad", ("too short", "rude")), ("worse", ("rude",))]


async def test_transfers_go_to_the_first_member_that_is_named() -> None:
    gate, state = Transfers([f"{TRANSFER}b", f"{TRANSFER}c"]), state_of()
    one = reply("Bye.", "look", f"{TRANSFER}b", f"{TRANSFER}c")
    state.take(one)
    look, to_b, to_c = [await gate.before_tool(state, call, one) for call in one.message.tool_calls]
    assert look is None
    assert to_b is not None
    assert to_c is not None
    assert (to_b.content, to_b.is_error) == ("The conversation is handed over to b.", False)
    assert (to_c.content, to_c.is_error) == ("Not done: the conversation goes to b.", True)
    ended = await gate.after_tools(state, one)
    assert ended is not None
    assert (ended.status, ended.transfer, ended.output) == (Status.COMPLETED, "b", "Bye.")
    assert await gate.after_tools(state, reply("", "look")) is None


HOST = (Interpreter(Place("tester")), Place("tester"))


@pytest.mark.parametrize("gate", gates_of(agent(), (), *HOST), ids=lambda gate: type(gate).__name__)
async def test_a_gate_remembers_nothing_itself(gate: Gate) -> None:
    before = dict(vars(gate))
    state = state_of()
    for one in (reply("", "look"), reply("", "look"), reply("bad", errors=("rude",)), reply("fine")):
        await gate.before_model(state)
        await after_model(gate, state, one)
        for call in one.message.tool_calls:
            await gate.before_tool(state, call, one)
        await gate.after_tools(state, one)
    assert vars(gate) == before


async def test_all_that_gates_remember_is_carried_to_the_next_execution() -> None:
    state = state_of()
    gates = gates_of(agent(), (), *HOST)
    for one in (reply("", "look"), reply("bad", errors=("rude",)), reply("", "find"), reply("", "find")):
        state.take(one)
        for gate in gates:
            await gate.after_model(state, one)
    again = AgentState.resumed(agent(), state.carried({"a/b": 2}), FoundPassages(), ())
    assert again.carried({"a/b": 2}) == state.carried({"a/b": 2})
    assert (again.repeats, again.repairs, again.replies, len(again.rejected)) == (2, 1, 4, 1)
