"""A support desk: a router sends each question to the right specialist.

That is the one whose tools can answer it.

sostenuto run examples/support_desk.py:app desk "Where is order A-1042?"
"""

import os
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel

from sostenuto import Agent, App, Approval, Budget, Injection, Pii, Route, Router, Secrets, ToolError, tool


class Order(BaseModel):
    item: str
    status: Literal["packed", "on its way", "delivered"]
    carrier: str
    expected: date


class Invoice(BaseModel):
    item: str
    total: str
    paid_by: str


ORDERS = {
    "A-1042": Order(item="lamp", status="on its way", carrier="PostNord", expected=date(2026, 12, 1)),
    "A-1077": Order(item="desk", status="delivered", carrier="DHL", expected=date(2026, 11, 12)),
}
INVOICES = {
    "A-1042": Invoice(item="lamp", total="59.00 EUR", paid_by="card ending in 4711"),
    "A-1077": Invoice(item="desk", total="349.00 EUR", paid_by="bank transfer"),
}
MANUAL = """
# The lamp flickers
An old dimmer makes the lamp flicker. Plug it into a socket without one.
# The lamp stays dark
Hold the switch for five seconds. If the lamp stays dark, the fuse in its plug is blown.
# The desk wobbles
Tighten the four bolts under the desk top with the key from the box.
"""


@tool(effect="read")
async def order_status(order_id: str) -> Order:
    """Tell where an order is and when it arrives."""
    if order_id not in ORDERS:
        raise ToolError(f"there is no order {order_id}; there are {', '.join(ORDERS)}")
    return ORDERS[order_id]


@tool(effect="read")
async def invoice(order_id: str) -> Invoice:
    """Tell what an order cost and how it was paid."""
    if order_id not in INVOICES:
        raise ToolError(f"there is no invoice of {order_id}; there are {', '.join(INVOICES)}")
    return INVOICES[order_id]


@tool(effect="idempotent", retries=3)
async def stop_refund(order_id: str, result: str) -> str:
    """Undo a refund that is not paid out yet: it is what a run does that is cancelled with --compensate."""
    return f"The refund of {order_id} is stopped. It was: {result}"


@tool(effect="once", approval=Approval(group="billing", expires=timedelta(days=2)), compensate=stop_refund)
async def refund(order_id: str) -> str:
    """Give the money for an order back."""
    if order_id not in INVOICES:
        raise ToolError(f"there is no invoice of {order_id}; there are {', '.join(INVOICES)}")
    return f"{INVOICES[order_id].total} go back to the customer's {INVOICES[order_id].paid_by}."


@tool(effect="read", fast=True)
async def search_manual(query: str) -> str:
    """Find what the manual says about a problem with a product."""
    chapters = MANUAL.strip().split("\n# ")
    return max(chapters, key=lambda chapter: sum(word.strip("?.,!") in chapter for word in query.lower().split()))


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


BRIEF = "Answer the customer in one or two sentences, from what the tools say."
shipping = Agent(name="shipping", model=_model(), instructions=BRIEF, tools=[order_status])
billing = Agent(name="billing", model=_model(), instructions=BRIEF, tools=[invoice, refund])
repairs = Agent(name="repairs", model=_model(), instructions=BRIEF, tools=[search_manual])

desk = Router(
    name="desk",
    routes=[
        Route(
            shipping,
            description="Where an order is, and when it is delivered.",
            examples=["Where is my parcel?", "Has order A-1 been sent?"],
        ),
        Route(
            billing,
            description="Invoices, prices and payments.",
            examples=["What did I pay for order A-1?", "Was my card charged?", "Give me my money back."],
        ),
        Route(
            repairs,
            description="Products that do not work as they should.",
            examples=["My chair is broken.", "The lamp does not turn on."],
        ),
    ],
    strategy="embedding",
    # No question is worth more than this, whatever a model takes it for.
    budget=Budget(tokens=50_000, turns=12),
)
# What customers say of themselves stands in no history, and what tools return orders nobody about.
app = App(desk, guardrails=[Pii(allowed=["help@example.com"]), Secrets(), Injection()])
