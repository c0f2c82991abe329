"""An agent that answers from this project's documentation, and says which passages its answer rests on.

It is what `sostenuto demo` runs.

sostenuto dev examples/ask_docs.py:app
sostenuto ingest docs README.md docs/
sostenuto run --no-worker examples/ask_docs.py:app ask "What happens to a run when its worker dies?"
"""

import os

from sostenuto import Agent, App, Cited, Collection


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


docs = Collection("docs", description="The documentation of Sostenuto.")
ask = Agent(
    name="ask",
    instructions="Search the documentation, and answer from the passages that you find, in one or two sentences.",
    model=_model(),
    tools=[docs.search],
    output=Cited,
)
app = App(ask, collections=[docs])
