"""Questions to a person from code-first workflows: `ask_person`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.contract import as_tuple, brief
from ...contracts.control.ask_person import AskPerson, question_arguments
from ...contracts.errors import SpecError
from ...contracts.wire.places import direct_call_id
from ..control.waiting_call import ApprovableCall
from .held import own_interpreter


async def ask_person(
    question: str,
    *,
    options: Sequence[str] = (),
    group: str = "",
    expires: timedelta | None = None,
    escalate_to: str = "",
) -> str:
    """Ask a person, and wait for the answer, for as long as that takes.

    It waits where approvals do: `Run.approvals`, `Run.answer` and `sostenuto answer` find it.

    Args:
        question: What to ask.
        options: The answers to choose from. Default: any answer will do.
        group: Who is asked. It is shown and can be looked for.
        expires: After so long nobody is waited for. Default: it waits for ever.
        escalate_to: The group to which it goes when it expires the first time; it then waits as long again.

    Raises:
        SpecError: There is no question, or the options are no texts.
        temporalio.exceptions.ApplicationError: It was denied, or nobody answered in time; of type `ToolFailed`, with a
            message that says which.
    """
    asked: Any = question
    if not isinstance(asked, str) or not asked.strip():
        raise SpecError(f"ask_person: {brief(question)} is no question: pass a text")
    given = as_tuple(options, "ask_person: options")
    if not all(isinstance(one, str) for one in given):
        raise SpecError("ask_person: options: each is a text")
    tool = AskPerson(group=group, expires=expires, escalate_to=escalate_to).spec
    interpreter = own_interpreter()
    call_id = direct_call_id(interpreter.use("call"))
    arguments = question_arguments(question, given)
    asked_of = ApprovableCall(tool, interpreter.root, call_id, arguments, direct=True)
    permit = await interpreter.approvals.permit(asked_of)
    if permit.answer is None:
        raise ApplicationError(permit.refused, type=names.TOOL_FAILED, non_retryable=True)
    return permit.answer
