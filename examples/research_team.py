"""A research team: a planner, members that work at the same time, and a writer.

The planner gives out tasks; the writer makes one report of what the members find.

sostenuto run examples/research_team.py:app research "Report on the finances, logistics and quality of Brightwater."
"""

import os
from typing import Literal

from pydantic import BaseModel

from sostenuto import Agent, App, Prompt, Team, tool

Supplier = Literal["Aldermoor", "Brightwater"]


class Accounts(BaseModel):
    revenue_2025: str
    profit_2025: str
    debt: str


class Deliveries(BaseModel):
    orders_2025: int
    on_time: str
    longest_delay: str


ACCOUNTS = {
    "Aldermoor": Accounts(revenue_2025="12.4 million EUR", profit_2025="0.9 million EUR", debt="1.1 million EUR"),
    "Brightwater": Accounts(revenue_2025="8.2 million EUR", profit_2025="0.2 million EUR", debt="5.6 million EUR"),
}
DELIVERIES = {
    "Aldermoor": Deliveries(orders_2025=148, on_time="91 %", longest_delay="12 days"),
    "Brightwater": Deliveries(orders_2025=203, on_time="98 %", longest_delay="3 days"),
}
TESTS = {
    "Aldermoor": ["In January 40 of 1,000 pumps leaked.", "In June 9 of 1,000 pumps leaked."],
    "Brightwater": ["In March 2 of 1,000 pumps leaked.", "In September none of 1,000 pumps leaked."],
}


@tool(effect="read")
async def accounts(supplier: Supplier) -> Accounts:
    """Look up the accounts of a supplier: revenue, profit and debt."""
    return ACCOUNTS[supplier]


@tool(effect="read")
async def punctuality(supplier: Supplier) -> Deliveries:
    """Look up how many orders of a supplier came on time."""
    return DELIVERIES[supplier]


@tool(effect="read")
async def quality_tests(supplier: Supplier) -> list[str]:
    """Look up the results of our quality tests of a supplier's goods."""
    return TESTS[supplier]


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


FACTS = "Answer from what your tool says, with the figures, in one or two sentences."
finances = Agent(
    name="finances",
    description="Finances of a supplier: revenue, profit and debt.",
    model=_model(),
    instructions=FACTS,
    tools=[accounts],
)
logistics = Agent(
    name="logistics",
    description="How punctually a supplier delivers.",
    model=_model(),
    instructions=FACTS,
    tools=[punctuality],
)
quality = Agent(
    name="quality",
    description="Quality of a supplier's goods in tests.",
    model=_model(),
    instructions=FACTS,
    tools=[quality_tests],
)
writer = Prompt(
    name="writer",
    template="Write a short report that answers the request from the findings, with their figures.\n\n{input}",
    model=_model(),
)
research = Team(
    name="research",
    style="plan",
    members=[finances, logistics, quality],
    model=_model(),
    max_rounds=1,
    writer=writer,
)
app = App(research)
