"""Runs a prompt: one model call, asked again where its answer is wrong."""

from __future__ import annotations

from ...contracts.errors import SpecError
from ...contracts.specs.prompt import Prompt
from ...contracts.wire.run import Result, Status
from ..host import Host
from ..scope import Scope


async def run_prompt(host: Host, prompt: Prompt, scope: Scope) -> Result:
    """Return what a model answers to a prompt."""
    try:
        message = scope.render(prompt.template, host.found.texts)
    except SpecError as error:
        return Result(status=Status.FAILED, reason=f"template: {error}")
    return await host.ask(prompt.asker, scope.path, message)
