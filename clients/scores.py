"""What people say of runs: stored with them, and sent on by their workers."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import Final

from temporalio.client import WorkflowExecution, WorkflowExecutionDescription
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from ..connection.tracing import span_of
from ..contracts import names
from ..contracts.errors import SpecError
from ..contracts.text import encodable, first_line, printable, shorten
from ..contracts.wire.feedback.score import Score, ScoreInput
from ..contracts.wire.places import score_id, scores_prefix
from ..history.reading.executions import first_execution
from ..history.reading.follow import read_start
from ..history.reading.tree import RunAddress, TreePart
from ..workflows.policy import TASK_TIMEOUT
from ..workflows.search_attributes import SUMMARY_CHARS
from .calls.reachable import Reachable
from .rpc_errors import translate_rpc_errors

_MOST_NAME_CHARS: Final = 100
_MOST_LABEL_CHARS: Final = 200
_MOST_BY_CHARS: Final = 200
_MOST_COMMENT_CHARS: Final = 4_000


class ScoreCalls(Reachable):
    """The part of a `Run` and of a `Chat` that is about what people say of it."""

    async def score(
        self,
        name: str,
        value: float | str,
        *,
        comment: str = "",
        by: str = "",
        turn: str | None = None,
        task_queue: str | None = None,
    ) -> Score:
        """Store what somebody says of it; its workers send that on.

        Returns once it is stored, be it under way or over, and whether or not a worker is there. A worker sends it to
        those destinations of its telemetry that take scores, and waits out that one is down: `Score.sent` tells.

        Args:
            name: What is judged, such as `helpful`.
            value: A number, `True` or `False`, or a label.
            comment: Why.
            by: Whose opinion it is. Another score by the same person under this name takes the place of this one.
            turn: Of a chat, the id of the message whose turn is judged. Default: the last that has ended.
            task_queue: Where the workers listen that send it. Default: where those of the run do.

        Raises:
            SpecError: Something of it is none, or there is no such run or turn.
            SetupError: The server is away, or denies access.
        """
        score = _checked(name, value, comment, by)
        with translate_rpc_errors(f"run {self.id!r}"):
            newest = await self._newest()
            score = score.model_copy(update={"turn": await self._turn(newest, turn)})
            await self._store(score, newest, task_queue or newest.task_queue or "")
        return score

    async def scores(self) -> tuple[Score, ...]:
        """Return what was said of it, the oldest first.

        A score that was stored just now may be missing for about a second. It is kept for as long as the server keeps
        what has ended, counted from when it was sent.

        Raises:
            SpecError: There is no such run.
            SetupError: The server is away, or denies access.
        """
        with translate_rpc_errors(f"run {self.id!r}"):
            prefix = scores_prefix(first_execution(await self._newest()))
            query = f"WorkflowType = '{names.SCORE_WORKFLOW}' AND WorkflowId STARTS_WITH '{prefix}'"
            newest: dict[str, WorkflowExecution] = {}
            async for row in self._temporal.list_workflows(query):
                known = newest.get(row.id)
                if known is None or row.start_time > known.start_time:
                    newest[row.id] = row
            found = [await _score_of(row) for row in newest.values()]
        return tuple(sorted(found, key=lambda score: score.at))

    async def _store(self, score: Score, newest: WorkflowExecutionDescription, task_queue: str) -> None:
        first = first_execution(newest)
        given = ScoreInput(
            score=score,
            run_id=self.id,
            first_execution=first,
            caller="" if score.turn else await self._caller(newest, first),
        )
        await self._temporal.start_workflow(
            names.SCORE_WORKFLOW,
            given,
            id=score_id(first, score.turn, score.name, score.by),
            task_queue=task_queue,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=first_line(f"{score.name} {score.value} of {self.id}", SUMMARY_CHARS),
            # Said a second time, so that a list of scores reads no histories.
            memo={names.SCORE_MEMO: score},
        )

    async def _turn(self, newest: WorkflowExecutionDescription, turn: str | None) -> str:
        """Return the id of the turn that is judged; empty of a run."""
        if newest.workflow_type != names.CHAT_WORKFLOW:
            if turn:
                raise SpecError(f"{self.id!r} is a run, and has no turns: leave turn= out")
            return ""
        projection = (await TreePart.read(self._temporal, RunAddress(self.id, [newest.run_id]))).projection
        turns = projection.chat.all
        if turn is None:
            ended = [one.id for one in turns if one.status]
            if not ended:
                raise SpecError(f"chat {self.id!r}: no turn has ended yet: score it when one has, or pass turn=")
            return ended[-1]
        if turn not in {one.id for one in turns}:
            raise SpecError(f"chat {self.id!r} has no turn of a message {shorten(turn, 40)!r}: `history` has them")
        return turn

    async def _caller(self, newest: WorkflowExecutionDescription, first: str) -> str:
        """Return the span in which the run was started; empty where there was none."""
        try:
            started = await read_start(self._temporal, self.id, first)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # Each execution passes it on.
            started = await read_start(self._temporal, self.id, newest.run_id)
        span = span_of(started.header.fields)
        return span.traceparent if span else ""


async def _score_of(row: WorkflowExecution) -> Score:
    memo = await row.memo()
    score = Score.model_validate(memo[names.SCORE_MEMO])
    return score.model_copy(update={"sent": memo.get(names.SCORE_SENT_MEMO) or {}})


def _checked(name: str, value: float | str, comment: str, by: str) -> Score:
    """Return a score that every tool takes.

    Raises:
        SpecError: Something of it is none; says what.
    """
    _check_text("name", name, _MOST_NAME_CHARS)
    if isinstance(value, str):
        _check_text("value", value, _MOST_LABEL_CHARS)
    if by:
        _check_text("by", by, _MOST_BY_CHARS)
    _check_comment(comment)
    return Score(name=name, value=_checked_value(value), comment=comment, by=by, at=datetime.now(UTC))


def _check_text(what: str, text: object, most: int) -> None:
    is_one = isinstance(text, str) and text.strip() and len(text) <= most and printable(encodable(text)) == text
    if not is_one:
        shown = shorten(ascii(text), 40)
        raise SpecError(f"score: {what}={shown} is none: it has 1 to {most} printable characters")


def _check_comment(text: object) -> None:
    if not isinstance(text, str) or len(text) > _MOST_COMMENT_CHARS or encodable(text) != text:
        raise SpecError(f"score: comment is to be a text in Unicode, of at most {_MOST_COMMENT_CHARS:,} characters")


def _checked_value(value: object) -> bool | float | str:
    if isinstance(value, bool | str):
        return value
    try:
        number = float(value) if isinstance(value, int | float) else None
    except OverflowError:
        number = None
    if number is None or not isfinite(number):
        shown = shorten(repr(value), 40)
        raise SpecError(f"score: value={shown} is none: pass a finite number, True or False, or a label")
    return number
