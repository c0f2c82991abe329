"""What a process that serves an app logs of calls and workflows that failed.

A line for what was foreseen; for what was not, the traceback from the app's own code on. Must not decide anything.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from ..activities.call.failure import CallFailure, told
from ..activities.call.own_code import own_traceback, raised_at
from ..contracts import names
from ..contracts.text import encodable, one_line, printable
from ..history.events.stalls import with_refusals_explained

_IDENTIFIER: Final = "__temporal_error_identifier"
_REMEMBERED: Final = 1_000
_REASON_CHARS: Final = 500

_Memory = OrderedDict[tuple[str, ...], tuple[tuple[str, ...], int]]
"""How each call failed last, and how often so."""


def tell_failures(*, unforeseen_alone: bool = False) -> None:
    """Have this process log failures in the words of this module.

    It does so to the records of the Temporal SDK.

    Args:
        unforeseen_alone: Whether to leave out what somebody else tells: what was foreseen, and what happened again.
    """
    for name in ("temporalio.activity", "temporalio.worker._workflow_instance", "temporalio.worker._workflow"):
        logger = logging.getLogger(name)
        for earlier in [one for one in logger.filters if isinstance(one, FailureLines)]:
            logger.removeFilter(earlier)
        logger.addFilter(FailureLines(unforeseen_alone=unforeseen_alone))
    # The failure itself is told.
    logging.getLogger("temporalio.worker.workflow_sandbox._restrictions").setLevel(logging.ERROR)


class FailureLines(logging.Filter):
    """Rewrites the records of failures, and drops those that say nothing new.

    Args:
        unforeseen_alone: See `tell_failures`.
    """

    def __init__(self, *, unforeseen_alone: bool) -> None:
        super().__init__()
        self._alone = unforeseen_alone
        self._memory: _Memory = OrderedDict()
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record; return whether it is logged."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        try:
            tell = self._teller(record)
            return True if tell is None else tell(record, error)
        except Exception:  # noqa: BLE001 - a call must not fail for how its failure is told, whatever the error does
            return True

    def _teller(self, record: logging.LogRecord) -> Callable[[logging.LogRecord, BaseException], bool] | None:
        match getattr(record, _IDENTIFIER, ""):
            case "ActivityFailure":
                return self._call
            case "WorkflowTaskFailure":
                return self._workflow
        return self._activation if record.msg.startswith("Failed handling activation") else None

    def _call(self, record: logging.LogRecord, error: BaseException) -> bool:
        about = _details(record, "temporal_activity")
        if isinstance(error, asyncio.CancelledError):
            # Its run has ended, or the worker ends: nothing went wrong.
            _rewrite(
                record, f"{about('workflow_id')}: {about('activity_type')} ({about('activity_id')}) was stopped", None
            )
            return not self._alone
        kind = error.type if isinstance(error, ApplicationError) else None
        unforeseen = _unforeseen(error)
        key = (about("workflow_id"), about("activity_id"))
        times = self._times(key, raised_at(unforeseen) if unforeseen else (kind or "", _reason(error)))
        again = times > 1
        if (self._alone and (not unforeseen or again)) or (kind == names.NOT_SERVED and again):
            return False
        said = f"{key[0]}: {about('activity_type')} ({key[1]}) failed{_attempt(about('attempt'), error)}"
        hide = error.hide if isinstance(error, CallFailure) else None
        said = f"{said}{', as before' if again else ''}: {_reason(error)}"
        _rewrite(record, said, None if again else unforeseen, hide)
        return True

    def _workflow(self, record: logging.LogRecord, error: BaseException) -> bool:
        about = _details(record, "temporal_workflow")
        said = f"{about('workflow_id')}: the code of {about('workflow_type')} failed, and is tried again"
        return self._stalled(record, error, (about("workflow_id"), about("run_id")), said)

    def _activation(self, record: logging.LogRecord, error: BaseException) -> bool:
        run = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
        said = f"a workflow (its execution is {run}) cannot go on, and is tried again"
        return self._stalled(record, error, (run,), said)

    def _stalled(self, record: logging.LogRecord, error: BaseException, key: tuple[str, ...], said: str) -> bool:
        times = self._times(key, raised_at(error))
        if times > 1 and self._alone:
            return False
        again = f", for the {times}th time here" if times > 3 else ", as before" if times > 1 else ""
        _rewrite(record, f"{said}{again}: {_reason(error)}", None if times > 1 else error)
        return True

    def _times(self, key: tuple[str, ...], how: tuple[str, ...]) -> int:
        """Return how often a call has failed in this way without another one between."""
        with self._lock:
            before, times = self._memory.pop(key, (how, 0))
            self._memory[key] = (how, times + 1 if before == how else 1)
            if len(self._memory) > _REMEMBERED:
                self._memory.popitem(last=False)
            return self._memory[key][1]


def _details(record: logging.LogRecord, name: str) -> Callable[[str], str]:
    details: dict[str, Any] = getattr(record, name, {})
    return lambda field: str(details.get(field, ""))


def _unforeseen(error: BaseException) -> BaseException | None:
    """Return what nobody had foreseen, where it is that."""
    if isinstance(error, CallFailure):
        return error.unforeseen
    return None if isinstance(error, ApplicationError) else error


def _attempt(attempt: str, error: BaseException) -> str:
    final = isinstance(error, ApplicationError) and error.non_retryable
    return "" if final and attempt == "1" else f", attempt {attempt}"


def _reason(error: BaseException) -> str:
    if not isinstance(error, ApplicationError):
        return printable(one_line(with_refusals_explained(told(error)), _REASON_CHARS))
    # What is of a tool or not served says what it is in its own words.
    named = error.type and error.type not in (names.TOOL_FAILED, names.NOT_SERVED)
    told_of = f"{error.type}: {error.message}" if named else error.message
    return printable(one_line(told_of, _REASON_CHARS))


def _rewrite(
    record: logging.LogRecord, message: str, error: BaseException | None, hide: Callable[[str], str] | None = None
) -> None:
    record.msg, record.args = message, ()
    record.exc_info = None
    if error is not None:
        # What an error says may be anybody's, with escape codes that a terminal obeys.
        traceback = encodable(own_traceback(error))
        lines = with_refusals_explained(hide(traceback) if hide else traceback).splitlines()
        record.exc_text = "\n".join(printable(line.expandtabs()) for line in lines)
