"""Measures routing and choosing with the real embedder. `pytest -rP` on this file prints the figures of the docs."""

import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter
from temporalio.testing import ActivityEnvironment

from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.adapter import LocalAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest
from sostenuto.activities.routing.route import RouteActivities
from sostenuto.contracts.message import Message
from sostenuto.contracts.model import Model, OutputSchema
from sostenuto.contracts.specs.output import output_schema
from sostenuto.contracts.wire.route_call import RouteCall, RouteChoice
from sostenuto.workers.stack.llama_server import LlamaServer
from tests.integration.local.choice_cases import CASES
from tests.integration.local.routing_cases import DESKS, SHOP, Desk

pytestmark = pytest.mark.local_model

THRESHOLDS = (0.0, 0.3, 0.5, 0.7)


@pytest.fixture(scope="module")
async def adapter(llama: LlamaServer, embedder: MiniLmEmbedder) -> AsyncIterator[LocalAdapter]:
    local = LocalAdapter(base_url=llama.address, embedder=embedder)
    yield local
    await local.close()


async def routed(activities: RouteActivities, desk: Desk, text: str) -> RouteChoice:
    call = RouteCall(strategy="embedding", text=text, options=desk.options)
    return await ActivityEnvironment().run(activities.decide, call)


async def test_routing_by_meaning_is_right_as_often_as_the_docs_say(embedder: MiniLmEmbedder) -> None:
    """The temperature was set on every second input; the figures are of the others."""
    activities = RouteActivities(embedder, lambda *_: None)
    found: list[tuple[str, RouteChoice]] = []
    for desk in DESKS:
        held_out = desk.labelled()[1::2]
        found += [(wanted, await routed(activities, desk, text)) for text, wanted in held_out]
    inside = [(wanted, choice) for wanted, choice in found if wanted]
    outside = [choice for wanted, choice in found if not wanted]
    accepted = {}
    for threshold in THRESHOLDS:
        taken = [(wanted, choice.route) for wanted, choice in inside if choice.confidence >= threshold]
        right = sum(wanted == route for wanted, route in taken)
        strange = sum(choice.confidence >= threshold for choice in outside)
        accepted[threshold] = (right, len(taken) - right, strange)
        sys.stdout.write(
            f"threshold {threshold}: {right} of {len(inside)} right, {len(taken) - right} wrong, "
            f"{len(inside) - len(taken)} to the default; of {len(outside)} that belong nowhere {strange} taken\n"
        )
    assert accepted[0.0][0] >= 0.8 * len(inside)
    assert accepted[0.5][0] >= 0.65 * len(inside)
    assert accepted[0.5][2] <= 0.2 * len(outside)


async def test_a_decision_is_quick(embedder: MiniLmEmbedder) -> None:
    activities = RouteActivities(embedder, lambda *_: None)
    times = []
    for text, _ in SHOP.labelled()[:20]:
        started = time.perf_counter()
        await routed(activities, SHOP, text)
        times.append(time.perf_counter() - started)
    later = sorted(times[1:])[len(times) // 2]
    sys.stdout.write(f"first {times[0] * 1000:.0f} ms, later {later * 1000:.1f} ms\n")
    assert later < 5


def asked(question: str, output: Any, instructions: str = "") -> ModelRequest:
    schema = output if isinstance(output, OutputSchema) else output_schema(output, "test")
    return ModelRequest(
        model=Model("local/smollm2-135m"),
        instructions=instructions,
        messages=(Message.user(question),),
        output=schema,
    )


def value(completion: Completion) -> Any:
    return json.loads(completion.message.text)["value"]


async def test_a_choice_is_right_as_often_as_the_docs_say(adapter: LocalAdapter) -> None:
    right: Counter[str] = Counter()
    total = Counter(case.about for case in CASES)
    for case in CASES:
        completion = await adapter.complete(asked(case.question, Literal[case.values], case.instructions))
        right[case.about] += value(completion) == case.wanted
        assert completion.usage.total_tokens == 0
    for about in total:
        sys.stdout.write(f"{about}: {right[about]} of {total[about]}\n")
    sys.stdout.write(f"in all {right.total()} of {total.total()}\n")
    assert right.total() >= 0.8 * total.total()


CLASSIFIER = OutputSchema(
    name="route",
    json_schema={
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "Why, in one sentence."},
            "route": {"enum": [option.name for option in SHOP.options]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["reason", "route", "confidence"],
        "additionalProperties": False,
    },
)


async def test_it_classifies_with_a_confidence_and_a_reason(adapter: LocalAdapter) -> None:
    lines = (f"- {o.name}: {o.description} Such as: {json.dumps(o.examples)}" for o in SHOP.options)
    instructions = "Decide which route the message belongs to.\n\n" + "\n".join(lines)
    inside = [(text, route) for text, route in SHOP.labelled() if route]
    right = 0
    for text, route in inside:
        completion = await adapter.complete(asked(text, CLASSIFIER, instructions))
        answer = json.loads(completion.message.text)
        right += answer["route"] == route
        assert list(answer) == ["reason", "route", "confidence"]
        assert 0 <= answer["confidence"] <= 1
        assert answer["reason"].startswith(f"closest in meaning to {answer['route']}: ")
    sys.stdout.write(f"classified {right} of {len(inside)}\n")
    assert right >= 0.75 * len(inside)


class Colour(Enum):
    """An enum, which a schema refers to by name."""

    RED = "red"
    BLUE = "blue"


class Car(BaseModel):
    """A car."""

    colour: Colour
    wheels: int


@pytest.mark.parametrize("output", [Colour, list[Car], Car | None, int, list[Colour], Literal["x"]])
async def test_schemas_of_every_form_are_held_to(adapter: LocalAdapter, output: Any) -> None:
    schema = output_schema(output, "test")
    assert schema is not None
    assert schema.wrapped
    answer = value(await adapter.complete(asked("My car is blue and has 4 wheels.", output)))
    TypeAdapter(output).validate_json(json.dumps(answer))


async def test_the_rest_of_an_answer_is_written_around_the_choice(adapter: LocalAdapter) -> None:
    completion = await adapter.complete(asked("My car is blue and has 4 wheels.", Car))
    car = Car.model_validate_json(completion.message.text)
    assert car.colour is Colour.BLUE
    assert completion.usage.output_tokens > 0


async def test_a_choice_that_was_rejected_is_not_made_again(adapter: LocalAdapter) -> None:
    request = asked("What is this text about?\n\nThe striker scored twice.", Literal["sports", "politics"])
    first = await adapter.complete(request)
    again = Message.user("That answer does not fit. not that one. Answer again, all of it, corrected.")
    messages = (*request.messages, first.message, again)
    second = await adapter.complete(
        ModelRequest(model=request.model, instructions="", messages=messages, output=request.output)
    )
    assert (value(first), value(second)) == ("sports", "politics")
