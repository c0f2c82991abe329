"""What a workflow starts is packed once, however often it is started."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, Message
from sostenuto.contracts.packed import pack
from sostenuto.contracts.wire.places import Place
from sostenuto.contracts.wire.run import RunInput
from sostenuto.workflows import nested_run
from sostenuto.workflows.interpreter import Interpreter

LONG = Agent(name="long", model="scripted/m", instructions="Say no word too many. " * 500)
OTHER = LONG.model_copy(update={"instructions": "Say as many as you like. " * 500})


def test_a_spec_is_packed_once_for_all_that_are_started_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[Any] = []

    def counting(written: Any) -> Any:
        packed.append(written)
        return pack(written)

    monkeypatch.setattr(nested_run, "pack", counting)
    host = Interpreter(Place("map"))
    inputs = [RunInput(runnable=LONG, message=Message.user("Go."), path=f"map/long[{n}]") for n in range(1_000)]
    texts = {host.packed.of(one).model_dump_json().partition('"path"')[0] for one in inputs}
    assert (len(texts), len(packed)) == (1, 1)
    assert "bz2:" in texts.pop()
    other = host.packed.of(inputs[0].model_copy(update={"runnable": OTHER}))
    assert RunInput.model_validate_json(other.model_dump_json()).runnable == OTHER
    assert len(packed) == 2
