"""The scripted model: stateless, exhausted loudly, faulty on demand."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter, ScriptedCall, ScriptedStep
from sostenuto.activities.model_adapter import Delta, ModelRequest
from sostenuto.contracts.errors import InvalidRequest, ProviderUnavailable, RateLimited, SpecError, Timeout
from sostenuto.contracts.message import Message, Role, TextPart
from sostenuto.contracts.model import Model
from sostenuto.contracts.wire.model_call import StopReason


def _request(turn: int = 0, name: str = "scripted/any", timeout: timedelta = timedelta(minutes=1)) -> ModelRequest:
    messages = [Message.user("go")]
    for _ in range(turn):
        messages += [Message(role=Role.ASSISTANT, parts=(TextPart(text="so"),)), Message.user("on")]
    return ModelRequest(model=Model(name, timeout=timeout), instructions="", messages=tuple(messages))


async def test_the_turn_of_the_transcript_chooses_the_step() -> None:
    adapter = ScriptedAdapter([ScriptedStep(tool_calls=(ScriptedCall(name="look", arguments={"at": 1}),)), "done"])
    second = await adapter.complete(_request(1))
    first = await adapter.complete(_request(0))
    assert (first.stop, first.message.tool_calls[0].arguments) == (StopReason.TOOL_CALLS, {"at": 1})
    assert (second.stop, second.message.text) == (StopReason.END, "done")


async def test_an_exhausted_script_says_so() -> None:
    with pytest.raises(InvalidRequest, match="exhausted: turn 2 was asked for, and it has 1 step"):
        await ScriptedAdapter(["only"]).complete(_request(1))


async def test_each_model_may_have_its_own_steps() -> None:
    adapter = ScriptedAdapter({"bad": [ScriptedStep(error="QuotaExceeded")], "good": ["fine"]})
    assert (await adapter.complete(_request(name="scripted/good"))).message.text == "fine"
    with pytest.raises(InvalidRequest, match="steps for bad, good only"):
        await adapter.complete(_request(name="scripted/other"))


async def test_a_fault_may_pass_after_some_attempts() -> None:
    step = ScriptedStep(text="at last", error="RateLimited", retry_after_seconds=1.5, faulty_attempts=2)
    adapter = ScriptedAdapter([step])
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            await adapter.complete(_request())
        assert caught.value.retry_after == timedelta(seconds=1.5)
    assert (await adapter.complete(_request())).message.text == "at last"


async def test_a_step_that_dies_has_sent_half() -> None:
    deltas: list[Delta] = []
    with pytest.raises(ProviderUnavailable):
        await ScriptedAdapter([ScriptedStep(text="half of it", dies=True)]).complete(_request(), deltas.append)
    assert [delta.text for delta in deltas] == ["half "]


async def test_a_step_that_hangs_runs_into_the_timeout() -> None:
    with pytest.raises(Timeout, match=r"^no whole answer within 0\.095 s"):
        await ScriptedAdapter([ScriptedStep(hangs=True)]).complete(_request(timeout=timedelta(seconds=0.1)))


async def test_a_script_and_its_log_are_files(tmp_path: Path) -> None:
    script, log = tmp_path / "script.json", tmp_path / "log.jsonl"
    script.write_text(json.dumps({"any": [{"output": {"city": "Oslo"}}]}))
    adapter = ScriptedAdapter(script, log=log)
    for _ in range(2):
        assert json.loads((await adapter.complete(_request())).message.text) == {"city": "Oslo"}
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["turn"], line["messages"]) for line in lines] == [(0, 1), (0, 1)]


@pytest.mark.parametrize(
    ("step", "words"),
    [({"txt": "x"}, "did you mean 'text'"), ({"error": "Nope"}, "is none of RateLimited")],
)
def test_a_wrong_step_is_refused_by_its_place(step: dict[str, str], words: str) -> None:
    with pytest.raises(SpecError, match=f"step 1.*{words}"):
        ScriptedAdapter(["fine", step])
