"""An id names one question: the same one, however it is written, gives the run, and another one is refused."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client as TemporalClient
from temporalio.converter import PayloadCodec

from sostenuto import Agent, Client, Message, Prompt, SetupError, SpecError
from sostenuto.connection.connect import connect

AGENT = Agent(name="asked", model="scripted/m")
FIELDS = Prompt(name="fields", template="{a} {b}", model="scripted/m")


@workflow.defn
class Takes:
    @workflow.run
    async def run(self, value: Any) -> str:
        return str(value)


@workflow.defn
class TakesBytes:
    @workflow.run
    async def run(self, value: bytes) -> str:
        return str(value)


ASKED = Message.user("How is 7?")
SAID = [Message.user("first"), Message.user("second")]
LARGE = "a" * 400_000


@pytest.mark.parametrize(
    ("what", "first", "same", "others"),
    [
        (AGENT, "How is 7?", "How is 7?", ["How is 8?", ["How is 7?", "8?"], LARGE]),
        (AGENT, LARGE, LARGE, ["b" * 400_000, "small"]),
        (AGENT, [*SAID, ASKED], [*SAID, ASKED], [[*reversed(SAID), ASKED], [*SAID[:1], ASKED], "How is 7?"]),
        (
            FIELDS,
            {"a": "1", "b": ["x", "y"]},
            {"b": ["x", "y"], "a": "1"},
            [{"a": "1", "b": ["y", "x"]}, {"a": 1, "b": []}],
        ),
        (FIELDS, {"a": "1", "b": {"x", "y"}}, {"a": "1", "b": ["x", "y"]}, [{"a": "1", "b": {"x"}}]),
        (Takes, {"a": 1, "b": [2, 3]}, {"b": [2, 3], "a": 1}, [{"a": True, "b": [2, 3]}, {"a": 1, "b": [3, 2]}, LARGE]),
        (Takes, {"a": ["y", "x"]}, {"a": {"x", "y"}}, [{"a": {"x"}}]),
        (Takes, float("nan"), float("nan"), [1.0]),
        (TakesBytes, b"1", b"1", [b"1.0"]),
    ],
    ids=["text", "large", "messages", "fields", "set", "code-first", "code-first-set", "nan", "bytes"],
)
async def test_the_same_question(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, what: Any, first: Any, same: Any, others: list[Any]
) -> None:
    connected = await connect(temporal.service_client.config.target_host, payload_dir=tmp_path)
    client = Client(connected, task_queue=task_queue, redis_url="")
    run = await client.start(what, first, id=task_queue)
    assert (await client.start(what, same, id=task_queue)).id == run.id
    for other in others:
        with pytest.raises(SpecError, match="was started already, and was asked something else"):
            await client.start(what, other, id=task_queue)


class Codec(PayloadCodec):
    """Encodes the same otherwise each time, as one that encrypts does."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"x"}, data=os.urandom(8) + one.SerializeToString()) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(one.data[8:]) for one in payloads]


async def test_an_encrypted_question(temporal: TemporalClient, task_queue: str) -> None:
    config = temporal.config()
    config["data_converter"] = replace(temporal.data_converter, payload_codec=Codec())
    client = Client(TemporalClient(**config), task_queue=task_queue, redis_url="")
    run = await client.start(AGENT, "How is 7?", id=task_queue, context={"user": "anna"})
    assert (await client.start(AGENT, "How is 7?", id=task_queue, context={"user": "anna"})).id == run.id
    with pytest.raises(SpecError, match="was asked something else"):
        await client.start(AGENT, "How is 8?", id=task_queue, context={"user": "anna"})
    other = await Client(temporal, task_queue=task_queue, redis_url="").get(run.id)
    with pytest.raises(
        SetupError, match=f"the context of '{run.id}' cannot be read here .*: connect with the data conv"
    ):
        await other.context()


async def test_a_large_question_that_cannot_be_read_here(
    temporal: TemporalClient, task_queue: str, tmp_path: Path
) -> None:
    """Whoever does not know where it is kept gets the run, as it is."""
    connected = await connect(temporal.service_client.config.target_host, payload_dir=tmp_path)
    run = await Client(connected, task_queue=task_queue, redis_url="").start(AGENT, LARGE, id=task_queue)
    assert (
        await Client(temporal, task_queue=task_queue, redis_url="").start(AGENT, "small", id=task_queue)
    ).id == run.id
