"""A chain that reads a lease: extract its terms, validate them, summarise it.

sostenuto run examples/document_chain.py:app lease - < examples/lease.txt
"""

import os
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from sostenuto import App, Chain, Prompt


class Terms(BaseModel):
    tenant: Annotated[str, Field(max_length=40)]
    begins: date
    ends: date
    rent: int
    """Pounds a month."""
    deposit: int
    """Pounds."""


def plausible(terms: Terms) -> list[str]:
    """Return what is wrong with the terms; the model is asked again, and told."""
    problems = []
    if terms.ends <= terms.begins:
        problems.append(f"it ends on {terms.ends}, which is not after it begins, {terms.begins}")
    if not 0 < terms.deposit <= 2 * terms.rent:
        problems.append(f"the deposit of {terms.deposit} is not between 0 and two months of rent, {2 * terms.rent}")
    return problems


def _model() -> str:
    if named := os.environ.get("SOSTENUTO_MODEL"):
        return named
    if os.environ.get("ANTHROPIC_API_KEY"):
        return "anthropic/claude-haiku-5-5"
    return "openai/gpt-5.4-mini" if os.environ.get("OPENAI_API_KEY") else "local/smollm2-135m"


terms = Prompt(
    name="terms",
    template="{input}\n\nWho is the tenant, when does the lease begin and end, and what are rent and deposit?",
    model=_model(),
    output=Terms,
    validators=[plausible],
)
summary = Prompt(
    name="summary",
    template="Summarise this lease in two sentences for the tenant.\n\n{input}",
    model=_model(),
)
lease = Chain(name="lease", steps=[terms, summary])
app = App(lease)
