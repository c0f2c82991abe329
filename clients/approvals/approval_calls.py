"""The part of a run and of a chat that is about calls that wait for a person."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue
from pydantic_core import PydanticSerializationError, to_jsonable_python
from temporalio.client import Client

from ...contracts import limits
from ...contracts.contract import brief
from ...contracts.control.approval import LEAST_HASH_CHARS
from ...contracts.errors import SpecError
from ...contracts.wire.control.approval_event import PendingApproval
from ...contracts.wire.control.decision import Decided, Decision, DecisionKind
from ...history.reading.tree import RunAddress, TreePart, part_at
from ..calls.reachable import Reachable
from ..rpc_errors import translate_rpc_errors
from .decisions import send_decision


class ApprovalCalls(Reachable):
    """The part of a `Run` and of a `Chat` that is about what waits for a person."""

    async def approvals(self) -> tuple[PendingApproval, ...]:
        """Return the calls that wait for a person, the oldest first.

        In it, and in what is nested in it.

        Read from the histories: it asks nothing of the run, and needs no worker.

        Raises:
            SpecError: There is no such run.
            SetupError: The server is away, or denies access.
        """
        return tuple(sorted(pending_in(await self._parts()), key=lambda one: one.since))

    async def _parts(self) -> list[TreePart]:
        """Return its workflows that have not ended."""
        with translate_rpc_errors(f"run {self.id!r}"):
            newest = await self._newest()
            # What waits belongs to what the newest execution was last told.
            root = RunAddress(self.id, (newest.run_id,))
            return [part async for part in _at_work(self._temporal, root)]

    async def approve(
        self,
        call_id: str,
        *,
        by: str,
        note: str = "",
        hash: str = "",
        path: str | None = None,
        for_rest: bool = False,
    ) -> Decided:
        """Say yes to a call that waits: it is made as it stands.

        Args:
            call_id: Id of the call, as `approvals` and the events have it.
            by: Who says so. It is recorded as it is given, and checked by nothing.
            note: Why.
            hash: Of the call that was looked at, or the first characters of it, at least 8. Default: whatever it is.
            path: Its place, where several calls have that id.
            for_rest: Whether the yes is for this tool for the rest of the run, where its approval grants that.

        Returns:
            How many more people have to say yes, and the hash of the call.

        Raises:
            SpecError: No such call waits, it was decided or has expired, or the decision is none; says why.
            SetupError: The server is away, denies access, or no worker takes it.
        """
        return await self._decide(
            call_id, DecisionKind.APPROVE, by=by, note=note, hash=hash, path=path, for_rest=for_rest
        )

    async def deny(self, call_id: str, *, by: str, note: str = "", hash: str = "", path: str | None = None) -> Decided:
        """Say no to a call that waits: it is not made.

        The model is told so, with the note.

        Args:
            call_id: Id of the call.
            by: Who says so, as for `approve`.
            note: Why, for the model too.
            hash: Of the call that was looked at, as for `approve`.
            path: Its place, where several calls have that id.

        Raises:
            SpecError: As for `approve`.
            SetupError: As for `approve`.
        """
        return await self._decide(call_id, DecisionKind.DENY, by=by, note=note, hash=hash, path=path)

    async def edit(
        self,
        call_id: str,
        arguments: Mapping[str, JsonValue],
        *,
        by: str,
        note: str = "",
        hash: str = "",
        path: str | None = None,
    ) -> Decided:
        """Let a call that waits be made with other arguments.

        They are checked as those of the model were. Both versions stand in the history, and the model is told of it.
        Where several people have to say yes, this is the first yes to the changed call.

        Args:
            call_id: Id of the call.
            arguments: All of them, as JSON.
            by: Who says so, as for `approve`.
            note: Why.
            hash: Of the call that was looked at, as for `approve`.
            path: Its place, where several calls have that id.

        Raises:
            SpecError: As for `approve`, or the arguments do not fit the tool.
            SetupError: As for `approve`.
        """
        given = _json("arguments", arguments)
        if not isinstance(given, dict):
            raise SpecError(f"edit: {brief(arguments)} are no arguments: pass a dict of them all, by their names")
        return await self._decide(call_id, DecisionKind.EDIT, by=by, note=note, hash=hash, path=path, arguments=given)

    async def answer(
        self,
        call_id: str,
        answer: JsonValue,
        *,
        by: str,
        note: str = "",
        hash: str = "",
        path: str | None = None,
    ) -> Decided:
        """Say what a call that waits comes to, or answer a question: nothing runs.

        Args:
            call_id: Id of the call.
            answer: What the model is told, as text or JSON.
            by: Who says so, as for `approve`.
            note: Why. The model is not told.
            hash: Of the call that was looked at, as for `approve`.
            path: Its place, where several calls have that id.

        Raises:
            SpecError: As for `approve`, or the answer is none of a question's options.
            SetupError: As for `approve`.
        """
        return await self._decide(
            call_id, DecisionKind.ANSWER, by=by, note=note, hash=hash, path=path, answer=_json("answer", answer)
        )

    async def _decide(
        self, call_id: str, kind: DecisionKind, *, path: str | None, hash: str, **said: object
    ) -> Decided:
        call = _named(self.id, await self._parts(), call_id, path)
        if hash and len(hash) < LEAST_HASH_CHARS:
            raise SpecError(
                f"call {call_id!r}: hash={hash!r} is too short to tell it: give {LEAST_HASH_CHARS} characters"
            )
        if hash and not call.hash.startswith(hash.lower()):
            raise SpecError(
                f"call {call_id!r} of run {self.id!r}: hash={hash[:80]!r} is not that of the call as it is "
                f"now, {call.hash}: look at it once more"
            )
        # The call that was looked at is the one that is decided, whatever comes between.
        decision = Decision.model_validate(
            {"path": call.path, "call_id": call_id, "kind": kind, "hash": call.hash, **said}
        )
        came = await send_decision(self._temporal, call.run_id, decision)
        return came if came.hash else came.model_copy(update={"hash": call.hash})


def pending_in(some: Iterable[TreePart]) -> Iterator[PendingApproval]:
    """Yield the calls that wait in workflows of a tree."""
    for part in some:
        yield from part.projection.approvals.pending(part.place.workflow_id)


async def _at_work(temporal: Client, root: RunAddress) -> AsyncIterator[TreePart]:
    """Yield the workflows of a tree that have not ended, the root first."""
    places = deque([root])
    while places:
        part = await part_at(temporal, places.popleft())
        if part and part.projection.result is None:
            yield part
            places.extend(nested for nested in part.nested() if nested.path in part.projection.members)


def _named(run_id: str, some: Sequence[TreePart], call_id: str, path: str | None) -> PendingApproval:
    waiting = [*pending_in(some)]
    found = [one for one in waiting if one.call_id == call_id and path in (None, one.path)]
    if len(found) > 1:
        places = ", ".join(repr(one.path) for one in found)
        raise SpecError(f"run {run_id!r}: several calls {call_id!r} wait, at {places}: say which by path=")
    if found:
        return found[0]
    settled = {key: how for part in some for key, how in part.projection.approvals.settled.items()}
    how = next((how for (at, one), how in settled.items() if one == call_id and path in (None, at)), "")
    if how:
        raise SpecError(f"run {run_id!r}: call {call_id!r} waits no more: {how}")
    if not some:
        raise SpecError(f"run {run_id!r} has ended, and nothing waits in it")
    those = ", ".join(f"{one.call_id!r} ({one.tool} at {one.path!r})" for one in waiting) or "none"
    where = "" if path is None else f" at {path!r}"
    raise SpecError(f"run {run_id!r}: no call {call_id!r}{where} waits for a person; those that do: {those}")


def _json(what: str, value: object) -> JsonValue:
    try:
        plain: JsonValue = to_jsonable_python(value, inf_nan_mode="strings")
    except (PydanticSerializationError, ValueError) as error:
        raise SpecError(f"{what}: {brief(value)} is not JSON: {error}") from None
    if limits.is_too_deep(plain):
        raise SpecError(f"{what}: it is nested deeper than {limits.MAX_DEPTH} levels")
    return plain
