"""Whose words are the answer of a chat."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, Chain, Collection, Parallel, Prompt, Retrieve, Route, Router, Team
from sostenuto.clients.cli.chat.speakers import speaks_for
from sostenuto.contracts.specs.node import Node


def agent(name: str, **options: Any) -> Agent:
    return Agent(name=name, model="scripted/m", description="Does.", **options)


ANNA, BOB = agent("anna"), agent("bob")
TITLE = Prompt(name="title", template="{input}", model="scripted/m")
RATED = Prompt(name="rated", template="{input}", model="scripted/m", output=int)
LEAD = Team(name="lead", members=[ANNA], model="scripted/m")
PIPE = Chain(name="pipe", steps=[TITLE, ANNA])
DESK = Router(name="desk", routes=[Route(ANNA, name="a"), Route(PIPE)], model="scripted/m")
PARTED = Parallel(name="parted", branches=[ANNA, BOB])
HANDS = Team(name="hands", members=[ANNA, BOB], style="handoff")
JUDGED = Team(name="judged", members=[ANNA, BOB], style="debate", judge=TITLE)
PLANS = Team(name="plans", members=[ANNA], style="plan", model="scripted/m")


@pytest.mark.parametrize(
    ("runnable", "path", "speaks"),
    [
        (ANNA, "anna", True),
        (ANNA, "anna/turn", False),
        (ANNA, "bob", False),
        (agent("anna", tools=[BOB]), "anna/bob", False),
        (agent("anna", output=int), "anna", False),
        (LEAD, "lead", True),
        (LEAD, "lead/anna", False),
        (TITLE, "title", False),
        (TITLE, "title/turn", True),
        (TITLE, "title/turn#12", True),
        (RATED, "rated/turn", False),
        (PIPE, "pipe/turn/title", False),
        (PIPE, "pipe/turn#2/anna", True),
        (PIPE, "pipe/turn/anna/bob", False),
        (Chain(name="rates", steps=[ANNA, RATED]), "rates/turn/rated", False),
        (Chain(name="outer", steps=[TITLE, PIPE]), "outer/turn/pipe/anna", True),
        (Chain(name="outer", steps=[TITLE, PIPE]), "outer/turn/pipe/title", False),
        (DESK, "desk/turn", False),
        (DESK, "desk/turn/a", True),
        (DESK, "desk/turn/anna", False),
        (DESK, "desk/turn/pipe/anna", True),
        (PARTED, "parted/turn/anna", False),
        (HANDS, "hands/turn/bob#2", True),
        (JUDGED, "judged/turn/anna", False),
        (JUDGED, "judged/turn/title", True),
        (PLANS, "plans/turn", False),
        (Retrieve(name="find", collection=Collection("docs")), "find/turn", False),
    ],
)
def test_whose_words_are_the_answer(runnable: Node, path: str, speaks: bool) -> None:
    assert speaks_for(runnable, path) is speaks
