"""A chat with the support of a shop: an agent with two tools, which goes on from what was said before.

sostenuto chat examples/chat.py:app support
"""

import os
from typing import Literal

from sostenuto import Agent, App, ToolError, tool

ORDERS = {
    "A-1042": "Order A-1042, a lamp, is on its way with PostNord and arrives on 1 December.",
    "A-1077": "Order A-1077, a desk, was delivered by DHL on 12 November.",
}
HOURS = {
    "Lisbon": "The shop in Lisbon is open from Monday to Saturday, from 10 to 19 o'clock.",
    "Porto": "The shop in Porto is open from Tuesday to Saturday, from 9 to 18 o'clock.",
}


@tool(effect="read")
async def order_status(order_id: str) -> str:
    """Tell where an order is and when it arrives."""
    if order_id not in ORDERS:
        raise ToolError(f"there is no order {order_id}; there are {', '.join(ORDERS)}")
    return ORDERS[order_id]


@tool(effect="read")
async def opening_hours(city: Literal["Lisbon", "Porto"]) -> str:
    """Tell when the shop in a city is open."""
    return HOURS[city]


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


support = Agent(
    name="support",
    instructions="You are the support of a furniture shop. Answer in one or two sentences, from what the tools say.",
    model=_model(),
    tools=[order_status, opening_hours],
)
app = App(support)
