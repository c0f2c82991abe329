"""Examples of guardrails."""

from __future__ import annotations

from sostenuto.contracts.contract import Contract
from sostenuto.contracts.guardrails.rules import Rules
from sostenuto.contracts.guardrails.schema import Schema


def guardrail_examples() -> tuple[Contract, ...]:
    """One of each kind."""
    return (
        Rules(
            name="house rules",
            at=["output", "tool_result"],
            on_failure="redact",
            on_error="closed",
            deny=[r"\bguarantee"],
            allow=["(?s).*"],
            max_chars=4_000,
            min_chars=2,
            languages=["en", "de"],
            urls=["*.example.com", "example.org/docs"],
        ),
        Schema(
            name="order",
            at="output",
            on_failure="retry",
            on_error="open",
            schema={"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        ),
    )
