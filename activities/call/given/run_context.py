"""The context of the run that a call belongs to.

It stands once in the run, and not in its calls: the server is asked for it, once for each run that this worker meets.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue
from temporalio import activity
from temporalio.service import RPCError

from ....contracts import names
from ....contracts.context.values import TENANT_VALUE, typed_context

_MOST_KEPT: Final = 2_000
_ATTEMPTS: Final = 4


class ContextUnreadable(Exception):  # noqa: N818 - it is told, and is no fault of whoever made the call
    """The context of the run cannot be had now; says why."""

    @property
    def may_pass(self) -> bool:
        """Whether a further attempt may have it."""
        return activity.info().attempt < _ATTEMPTS


@dataclass(frozen=True, slots=True)
class RunContext:
    """The context of one run."""

    values: dict[str, JsonValue]
    """As JSON. Empty where there is none."""

    @property
    def tenant(self) -> str:
        """Whom the run is for; empty where it is nobody's."""
        whose = self.values.get(TENANT_VALUE)
        return whose if isinstance(whose, str) else ""

    def typed(self, kind: Any) -> Any:
        """Return it as a value of a type.

        As a dict where there is none, and None where there is no context.

        Raises:
            ValueError: It is no value of that type; says what is wrong with which.
        """
        return typed_context(kind, self.values) if self.values else None


NO_CONTEXT: Final = RunContext({})


class RunContexts:
    """The contexts of the runs whose calls this worker makes.

    Args:
        kind: The type that they have in the app. None: it names none.
    """

    def __init__(self, kind: Any = None) -> None:
        self.kind = kind
        self._kept: OrderedDict[str, RunContext] = OrderedDict()
        self._asking: dict[str, asyncio.Future[RunContext]] = {}

    async def own(self, *, is_there: bool) -> RunContext:
        """Return the context of the run that the activity belongs to.

        Args:
            is_there: Whether it has one, as its workflow says: else nobody is asked.

        Raises:
            ContextUnreadable: The server does not say.
        """
        execution = activity.info().workflow_run_id or ""
        if not is_there:
            return NO_CONTEXT
        if execution in self._kept:
            self._kept.move_to_end(execution)
            return self._kept[execution]
        asking = self._asking.get(execution)
        if asking is None:
            # Of its own: many calls of a run begin at once, and one that is cancelled takes no other with it.
            asking = asyncio.ensure_future(_ask())
            self._asking[execution] = asking
            asking.add_done_callback(lambda done: self._keep(execution, done))
        return await asyncio.shield(asking)

    def _keep(self, execution: str, asked: asyncio.Future[RunContext]) -> None:
        self._asking.pop(execution, None)
        if asked.cancelled() or asked.exception():
            return
        self._kept[execution] = asked.result()
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


async def _ask() -> RunContext:
    info = activity.info()
    handle = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    try:
        found: dict[str, JsonValue] = await (await handle.describe()).memo_value(names.CONTEXT_MEMO, {})
    except RPCError as error:
        raise ContextUnreadable(f"the context of its run cannot be read: {error.message}") from error
    except Exception as error:
        raise ContextUnreadable(f"the context of its run cannot be read ({type(error).__name__}: {error})") from error
    return RunContext(dict(found or {}))
