"""A code-first workflow: loops and conditions around models, tools and agents.

All of it is durable.

sostenuto run examples/code_first.py:app ReadInbox support
"""

import asyncio
import os
from typing import Literal

from pydantic import BaseModel
from temporalio import workflow

from sostenuto import Agent, App, ToolError, tool
from sostenuto.workflows import ask, call_tool, run

MAILBOXES = {
    "support": [
        ["The desk is beautiful, thank you!", "The lamp flickers since yesterday."],
        ["My desk wobbles, what can I do?", "I love the colour of the new lamp."],
    ],
}


class Inbox(BaseModel):
    praise: int = 0
    answers: dict[str, str] = {}


@tool(effect="read", fast=True)
async def fetch_page(mailbox: str, number: int) -> list[str]:
    """Fetch a page of a mailbox; an empty one where there are no more."""
    if mailbox not in MAILBOXES:
        raise ToolError(f"there is no mailbox {mailbox!r}; there are: {', '.join(MAILBOXES)}")
    pages = MAILBOXES[mailbox]
    return pages[number] if number < len(pages) else []


@tool(effect="read")
async def search_manual(query: str) -> str:
    """Find what the manual says about a problem with a product."""
    if "wobble" in query:
        return "Tighten the four bolts under the desk top."
    return "Plug the lamp into a socket without a dimmer."


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


# Workflow code must not read the environment: what it decides by has to be the same in every replay.
MODEL = _model()
repairs = Agent(name="repairs", model=MODEL, instructions="Answer from the manual.", tools=[search_manual])
KINDS = "praise: the customer is happy and thanks us.\nproblem: something is broken or does not work."


@workflow.defn
class ReadInbox:
    """Reads a mailbox page by page, and answers each message that tells of a problem."""

    @workflow.run
    async def run(self, mailbox: str) -> Inbox:
        """Read the mailbox to its end."""
        inbox, number = Inbox(), 0
        while page := await call_tool(fetch_page, mailbox=mailbox, number=number):
            kinds = await asyncio.gather(
                *(ask(MODEL, text, instructions=KINDS, output=Literal["praise", "problem"]) for text in page)
            )
            problems = [text for text, kind in zip(page, kinds, strict=True) if kind.output == "problem"]
            inbox.praise += len(page) - len(problems)
            if problems:
                answers = await asyncio.gather(*(run(repairs, text) for text in problems))
                inbox.answers |= {text: str(answer.output) for text, answer in zip(problems, answers, strict=True)}
            number += 1
        return inbox


app = App(repairs, tools=[fetch_page], workflows=[ReadInbox])
