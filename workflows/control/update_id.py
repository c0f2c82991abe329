"""The id of the update that is being taken."""

from __future__ import annotations

from temporalio import workflow


def update_id() -> str:
    """Return the id of the update that is being taken; empty where none is."""
    update = workflow.current_update_info()
    return update.id if update else ""
