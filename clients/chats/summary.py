"""One line about a chat, as the server's list of them has it."""

from __future__ import annotations

from datetime import datetime

from temporalio.client import WorkflowExecution, WorkflowExecutionStatus

from ...contracts import names
from ...contracts.contract import Contract
from ...workflows.search_attributes import COST_USD, RUNNABLE, TENANT, TOKENS
from ..summary import awaits_of

_OPEN = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)


class ChatSummary(Contract):
    """What is known of a chat without reading its history."""

    id: str
    title: str = ""
    """Empty until there is a first message."""
    runnable: str = ""
    """Name of what answers."""
    is_open: bool
    """Whether it takes messages."""
    tenant: str = ""
    """Whom it is for."""
    started_at: datetime
    """When its newest execution began: of a long chat, later than the chat itself."""
    ended_at: datetime | None = None
    awaits: str = ""
    """What its turn, or a run nested in it, waits for people for: `approval` or `top-up`; empty where for nothing."""
    cost_usd: float = 0.0
    """US dollars so far, of the turns that have ended."""
    tokens: int = 0
    """Tokens in and out so far, of the turns that have ended."""

    @classmethod
    async def of(cls, execution: WorkflowExecution) -> ChatSummary:
        """Return the summary of an execution that Temporal lists or describes."""
        found = execution.typed_search_attributes
        return cls(
            id=execution.id,
            title=str((await execution.memo()).get(names.CHAT_TITLE_MEMO) or ""),
            runnable=found.get(RUNNABLE) or "",
            is_open=execution.status in _OPEN,
            tenant=found.get(TENANT) or "",
            started_at=execution.start_time,
            ended_at=execution.close_time,
            awaits=awaits_of(execution),
            cost_usd=found.get(COST_USD) or 0.0,
            tokens=found.get(TOKENS) or 0,
        )
