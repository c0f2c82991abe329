"""A whole app: one tool, one agent.

sostenuto run examples/hello.py:app hello "How many days are left until 2030-01-01?"
"""

import os
from datetime import date

from sostenuto import Agent, App, tool


@tool(effect="read")
async def days_until(day: date) -> str:
    """Count the days from today until a day, which is written as YYYY-MM-DD."""
    return f"{(day - date.today()).days} days are left until {day}."


app = App(Agent(name="hello", model=os.environ.get("SOSTENUTO_MODEL", "local/smollm2-135m"), tools=[days_until]))
