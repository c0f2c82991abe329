"""How the parts of a `Run` and of a `Chat` reach what runs."""

from __future__ import annotations

from abc import abstractmethod

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionDescription


class Reachable:
    """What all parts of a `Run` or a `Chat` know of it."""

    id: str
    _temporal: TemporalClient

    @abstractmethod
    async def _newest(self) -> WorkflowExecutionDescription:
        """Return what the server says of its newest execution."""
