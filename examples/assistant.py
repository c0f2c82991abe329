"""A personal assistant that remembers across chats: what you say of yourself in one, it knows in the next.

sostenuto dev examples/assistant.py:app
sostenuto chat examples/assistant.py:app assistant --context '{"user": "anna"}'
sostenuto memory list people --scope user:anna

What is worth remembering is found by rules: English sentences about yourself, such as "I live in Berlin" or "I don't
like tea any more". With SOSTENUTO_EXTRACT=provider/model a model finds it, in any words and language: not the small
local one, which keeps rubbish. "Forget where I live" deletes nothing here: that takes `tools=["forget"]` and a model
that is capable of calling it; `sostenuto memory forget people --scope user:anna --yes` deletes all.
"""

import os

from sostenuto import Agent, App, Collection, LongTerm


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


people = Collection("people", description="What the assistant knows of people.")
assistant = Agent(
    name="assistant",
    instructions="You are a personal assistant. Answer in one or two sentences, from what you know of the user.",
    model=_model(),
    long_term=LongTerm(
        people,
        scope="user:{context.user}",
        extract=os.environ.get("SOSTENUTO_EXTRACT", "rules"),
    ),
)
app = App(assistant)
