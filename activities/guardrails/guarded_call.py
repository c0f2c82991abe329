"""What stands between a tool and what the history is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from ...contracts.errors import ToolError
from ...contracts.guardrails.any_guardrail import every_guardrail
from ...contracts.message import Message, Role
from ...contracts.tool import Tool
from ...contracts.wire.guardrails.decision import GuardedFailure, GuardrailDecision, Verdict, of_verdict, withheld
from ...contracts.wire.places import root_run_id
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from ..call.failure import CallFailure
from .screening import Guards
from .texts import changed_json, changed_message

_Report = Callable[[Any], None]


class GuardedCall:
    """One tool call, all of which goes through guardrails: result, errors, progress.

    Args:
        guards: What guardrails need of this worker.
        invocation: The call.
        tool: What is called; None where it is no function of the app.
    """

    def __init__(self, guards: Guards, invocation: ToolInvocation, tool: Tool[..., Any] | None = None) -> None:
        self._scope = root_run_id(activity.info().workflow_id or "")
        self._guards = guards
        self._given = invocation
        self._opens = tool is not None and tool.spec.pii
        guardrails = every_guardrail(invocation.guardrails, tool.spec.guardrails if tool else ())
        self._screen = guards.screen(guardrails, "tool_result", self._scope)
        self._opened: dict[str, str] = {}

    def check(self) -> None:
        """Check that this worker has what the guardrails take.

        Raises:
            NotServedError: It has not; says what it lacks.
        """
        if self._screen:
            self._screen.check()

    @property
    def is_idle(self) -> bool:
        """Whether nothing has to be looked at."""
        return self._screen is None and not self._opens

    def invocation(self) -> ToolInvocation:
        """Return the call as the tool is given it, which may be with originals.

        Raises:
            ToolError: They cannot be had here; says why.
        """
        if not self._opens or not self._given.sealed:
            return self._given
        from .vault.restoring import restored  # noqa: PLC0415 - it takes a library that workflows do without

        found = restored(self._given.arguments, self._given.sealed, self._guards.keys)
        if found.unopened:
            raise ToolError(
                f"it was not run: it takes originals, and this worker cannot open {', '.join(found.unopened)}: set "
                "SOSTENUTO_VAULT_KEYS to the keys that sealed them"
            )
        self._opened = {original: placeholder for placeholder, original in found.originals.items()}
        return self._given.model_copy(update={"arguments": found.value})

    def report(self, report: _Report) -> _Report:
        """Return what reports progress, without what is taken out of results."""
        if self.is_idle:
            return report
        return lambda progress: report(self._hidden(progress))

    def text(self, text: str) -> str:
        """Return a text without what is taken out of results."""
        text = self._closed(text, "")
        return self._screen.hidden(text) if self._screen else text

    async def output(self, output: ToolOutput, name: str) -> ToolOutput:
        """Return a result as it may be told."""
        if self.is_idle:
            return output
        message = Message(role=Role.TOOL, parts=(output.as_result(self._given.call_id, name),))
        if self._opened:
            message = changed_message(message, self._closed)
        if self._screen is None:
            return _with(output, message)
        passed = await self._screen.message(message)
        decisions = self._decisions()
        told: dict[str, Any] = {"decisions": decisions, "sealed": dict(self._screen.sealed)}
        if passed is None:
            content = withheld(of_verdict(decisions, Verdict.BLOCKED)[0])
            return output.model_copy(update={"content": content, "attachments": (), "incomplete": content, **told})
        return _with(output, passed, **told)

    async def failed(self, error: ApplicationError) -> ApplicationError:
        """Return a failure as it may be told, in logs as well.

        Its last detail is what was decided of it.
        """
        if self.is_idle:
            return error
        text, details = self._closed(error.message, ""), error.details
        if self._screen:
            passed = await self._screen.text(text)
            decisions = self._decisions()
            text = withheld(of_verdict(decisions, Verdict.BLOCKED)[0]) if passed is None else passed
            details = (*details, GuardedFailure(decisions=decisions, sealed=dict(self._screen.sealed)))
        made = CallFailure(
            text,
            *details,
            type=error.type,
            non_retryable=error.non_retryable,
            next_retry_delay=error.next_retry_delay,
        )
        if isinstance(error, CallFailure):
            made.unforeseen, made.hide = error.unforeseen, self.text
        # Not its traceback: the frames name the error that it was made of.
        return made

    def _decisions(self) -> tuple[GuardrailDecision, ...]:
        found = self._screen.decisions if self._screen else ()
        return tuple(one.model_copy(update={"call_id": self._given.call_id}) for one in found)

    def _hidden(self, progress: Any) -> Any:
        return changed_json(progress, lambda text, _: self.text(text))

    def _closed(self, text: str, field: str) -> str:  # noqa: ARG002 - as those that change texts take it
        for original, placeholder in self._opened.items():
            text = text.replace(original, placeholder)
        return text


def _with(output: ToolOutput, message: Message, **told: Any) -> ToolOutput:
    [result] = message.parts
    return output.model_copy(
        update={"content": result.content, "attachments": result.attachments, **told}  # type: ignore[union-attr]
    )
