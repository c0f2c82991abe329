"""The context of the workflow's run, which its nested runs inherit.

It stands in the memo, once; activities that need it ask the server for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from temporalio import workflow

from ..contracts import limits, names
from ..contracts.context.values import context_memo


def has_context() -> bool:
    """Return whether the run has a context."""
    return names.CONTEXT_MEMO in workflow.memo()


def own_context() -> dict[str, JsonValue]:
    """Return the run's context, as JSON; empty where it has none."""
    return dict(workflow.memo().get(names.CONTEXT_MEMO) or {})


def memo_bytes() -> int:
    """Return how many bytes of a message that memo takes."""
    return limits.written_bytes(own_context()) if has_context() else 0


def inherited_memo() -> Mapping[str, Any]:
    """Return what a nested run, or a further execution, has in its memo of this one's."""
    return context_memo(own_context())
