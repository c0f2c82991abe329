"""Examples of what people write: models, tools and every kind of runnable."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sostenuto import (
    Agent,
    Chain,
    CodeExecution,
    Collection,
    Effect,
    FileSearch,
    Location,
    McpConnector,
    Model,
    Parallel,
    Price,
    Prompt,
    Retrieve,
    Route,
    Router,
    Rule,
    Step,
    Team,
    WebSearch,
)
from sostenuto.contracts.collection.collection import SearchTool
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.tool import ToolSpec

DIGEST = "cd" * 32
SCHEMA = OutputSchema(name="City", json_schema={"type": "object", "properties": {"name": {"type": "string"}}})
CITED = OutputSchema(name="Cited", json_schema={"type": "object"}, cited=True)
WRAPPED = OutputSchema(
    name="int", json_schema={"type": "object", "properties": {"value": {"type": "integer"}}}, wrapped=True
)
TOOL = ToolSpec(
    name="look",
    description="Look.",
    parameters={"type": "object"},
    effect=Effect.READ,
    fast=True,
    timeout=timedelta(seconds=3),
    retries=2,
)
MODEL = Model(
    "anthropic/claude",
    fallbacks=[Model("openai/gpt", temperature=0.5)],
    retries=2,
    fallback_after=timedelta(seconds=5),
    temperature=0.0,
    max_output_tokens=100,
    reasoning="high",
    timeout=timedelta(seconds=30),
    seed=7,
    stop=["END"],
    service_tier="flex",
    options={"metadata": {"user_id": "u"}},
)
LOCATION = Location(city="Berlin", region="BE", country="DE", timezone="Europe/Berlin")
SEARCH = WebSearch(allowed_domains=["docs.python.org"], max_uses=3, location=LOCATION, optional=True)
BLOCKING = WebSearch(blocked_domains=["example.com"])
PROVIDER_TOOLS = (
    SEARCH,
    CodeExecution(optional=True),
    FileSearch(["vs_1"], max_results=5, optional=True),
    McpConnector("tracker", tools=["find"], optional=True),
)
PROMPT = Prompt(
    name="facts",
    template="The facts of {input} for {audience}, as {{json}}",
    model=MODEL,
    instructions="Be brief.",
    output=WRAPPED,
    validators=["no_prices"],
    max_repairs=1,
    description="Finds facts.",
)
AGENT = Agent(
    name="support",
    instructions="Be kind.",
    model=MODEL,
    tools=[TOOL, PROMPT, "mcp:git", "mcp:files/read", *PROVIDER_TOOLS],
    output=SCHEMA,
    validators=["no_prices"],
    tool_choice="required",
    parallel_tool_calls=False,
    max_turns=5,
    max_repairs=1,
    max_repeats=4,
    description="Helps.",
)


def read_mail(data: bytes, uri: str) -> str:
    """Read a mail."""
    return f"{uri}: {data.decode()}"


HANDBOOK = Collection(
    "handbook",
    description="How we work.",
    embedding="openai/text-embedding-3-small",
    rerank="none",
    fields={"team": str, "year": int, "kind": Literal["a", "b"]},
    loaders={".eml": read_mail},
    partition="tenant",
    chunk_tokens=100,
    limit=5,
    candidates=20,
    prices={"openai/text-embedding-3-small": Price(input=0.02, output=0)},
)
SEARCHER = Agent(
    name="searcher",
    model="local/m",
    tools=[
        SearchTool(
            HANDBOOK, name="find", description="Find.", limit=3, filters={"team": "core", "kind": "{context.kind}"}
        )
    ],
)
RETRIEVE = Retrieve(
    "found",
    HANDBOOK,
    query="{input} for {audience}",
    limit=3,
    filters={"team": "{team}", "year": {"from": 2024}},
    rewrite="multi-query",
    model=MODEL,
    description="Finds what the handbook says.",
)
BILLING = Agent(name="billing", model="local/m", description="Invoices and refunds.")
TECHNICAL = Agent(name="technical", model="local/m", instructions="You mend things.")
STEP = Step(BILLING, name="review", input="Review {facts} of {input}")
CHAIN = Chain(name="digest", steps=[PROMPT, STEP], inputs=["audience"], description="Facts, then a review.")
RULE = Rule(
    min_chars=1,
    max_chars=1000,
    pattern="refund|invoice",
    metadata={"tier": ["gold", 1, None]},
    context={"plan": "pro"},
    known={"plan": "pro"},
)
ROUTE = Route(
    BILLING,
    name="money",
    description="All about money.",
    examples=["Where is my money?"],
    when=RULE,
)
CHEAP = Route(TECHNICAL, max_difficulty=0.5, max_tokens=1000)
ROUTER = Router(
    name="desk",
    routes=[BILLING, TECHNICAL],
    strategy="model",
    model=MODEL,
    threshold=0.25,
    default="technical",
    description="Sends where it belongs.",
)
RULED = Router(name="by_rules", routes=[ROUTE, TECHNICAL], strategy="rules", default="technical")
CHEAPEST = Router(name="by_cost", routes=[CHEAP, BILLING], strategy="complexity")
OPINIONS = Parallel(
    name="opinions",
    branches=[BILLING, TECHNICAL],
    limit=1,
    join="vote",
    judge=Agent(name="judge", model="local/m"),
    min_completed=1,
    description="Two opinions.",
)
PAGES = Parallel(name="pages", each=BILLING, over="pages", limit=5, reducer=TECHNICAL, min_completed=0)
PLANNED = Team(
    name="research",
    members=[CHAIN.steps[1].run, ROUTER],
    style="plan",
    model=MODEL,
    instructions="At most three tasks.",
    output=SCHEMA,
    validators=["no_prices"],
    max_rounds=2,
    limit=4,
    description="Finds out.",
)
WRITTEN = Team(
    name="report",
    members=[TECHNICAL],
    style="plan",
    model=MODEL,
    writer=Agent(name="writer", model="local/m"),
)
DEBATE = Team(name="debate", members=[BILLING, TECHNICAL], style="debate", judge=OPINIONS)
HANDOFF = Team(name="front", members=[BILLING, TECHNICAL], style="handoff", entry="technical")
DELEGATING = Team(name="lead", members=[PLANNED, CHAIN, OPINIONS], model="local/m")

SPECS: tuple[Contract, ...] = (
    *(SCHEMA, WRAPPED, CITED, TOOL, MODEL, PROMPT, AGENT, STEP, CHAIN, RULE, ROUTE, CHEAP, ROUTER, RULED, CHEAPEST),
    *(OPINIONS, PAGES, PLANNED, WRITTEN, DEBATE, HANDOFF, DELEGATING),
    *(LOCATION, *PROVIDER_TOOLS, BLOCKING),
    *(HANDBOOK, *SEARCHER.searches, SEARCHER, RETRIEVE),
)
