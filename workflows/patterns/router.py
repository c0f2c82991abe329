"""Runs a router: decides, on record, and runs the route."""

from __future__ import annotations

import json
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from ...activities.routing.route import RouteActivities
from ...contracts.model import Model, OutputSchema
from ...contracts.specs.agent import Agent
from ...contracts.specs.router import Route, Router
from ...contracts.wire.route_call import RouteCall, RouteChoice, RouteOption
from ...contracts.wire.run import Result, Status
from .. import policy
from ..host import Host
from ..scope import Scope
from ..tally import Tally


async def run_router(host: Host, router: Router, scope: Scope) -> Result:
    """Choose a route and run it."""
    tally = Tally()
    scope = scope.asked(scope.message)
    answer: Any = None
    unanswered = ""
    if router.model:
        loop = host.converse(_classifier(router, router.model), scope.path, [scope.message])
        said = tally.add(await loop.run())
        if said.status is Status.CANCELLED:
            return tally.result(said.status, said.reason)
        if said.status is Status.COMPLETED:
            answer = said.output
        else:
            unanswered = f"{said.status}: {said.reason}"
    try:
        choice = await _decide(router, scope, answer, unanswered)
    except FailureError as error:
        if is_cancelled_exception(error):
            return tally.cancelled()
        return tally.result(Status.FAILED, f"no route was chosen: {error.cause or error}")
    host.chose(scope.path, choice)
    route = next((route for route in router.routes if route.name == choice.route), None)
    if route is None:
        return tally.result(Status.FAILED, f"no route was chosen: {choice.reason}")
    result = tally.add(await host.run(route.run, scope.step(route.name)), route.name)
    reason = f"route {route.name!r}: {result.reason}" if result.reason else ""
    return tally.result(result.status, reason, output=result.output)


async def _decide(router: Router, scope: Scope, answer: Any, unanswered: str) -> RouteChoice:
    call = RouteCall(
        strategy=router.strategy,
        text=scope.message.text,
        options=tuple(_option(route) for route in router.routes),
        threshold=router.threshold,
        default=router.default,
        answer=answer,
        unanswered=unanswered,
    )
    return await workflow.start_local_activity_method(
        RouteActivities.decide, call, activity_id=scope.path.route_decision(), **policy.route_policy()
    )


def _option(route: Route) -> RouteOption:
    models = [model for node in route.run.walk() for model in node.models.values()]
    return RouteOption(
        name=route.name,
        description=route.description,
        examples=route.examples,
        when=route.when,
        max_difficulty=route.max_difficulty,
        max_tokens=route.max_tokens,
        model=models[0].name if models else "",
    )


def _classifier(router: Router, model: Model) -> Agent:
    names = [route.name for route in router.routes]
    schema = {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "Why, in one sentence."},
            "route": {"enum": names},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["reason", "route", "confidence"],
        "additionalProperties": False,
    }
    return Agent(
        name=router.name,
        model=model,
        instructions="Decide which route the message belongs to. Do not answer it.\n\n"
        + "\n".join(map(_line, router.routes)),
        output=OutputSchema(name="route", json_schema=schema),
    )


def _line(route: Route) -> str:
    examples = f" Such as: {json.dumps(list(route.examples), ensure_ascii=False)}" if route.examples else ""
    return f"- {route.name}: {route.description}{examples}"
