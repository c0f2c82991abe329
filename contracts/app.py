"""The app: what a worker serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .agent import Agent
from .errors import SpecError
from .tool import Tool


class App:
    """Runnables and tools that a worker serves, found as `module:app`.

    Args:
        *runnables: What can be run by name. Their tools are served too.
        tools: Further tools, for runs whose agents name them.

    Raises:
        SpecError: Two runnables or two different tools share a name, or something else was passed.
    """

    def __init__(self, *runnables: Agent, tools: Iterable[Tool[..., Any]] = ()) -> None:
        self.runnables: dict[str, Agent] = {}
        self.tools: dict[str, Tool[..., Any]] = {}
        for index, runnable in enumerate(runnables):
            self._add_runnable(runnable, f"App: argument {index + 1}")
        for index, tool in enumerate(tools):
            if not isinstance(tool, Tool):
                raise SpecError(f"App: tools[{index}]: {tool!r} is not a tool: decorate it with @tool")
            self._add_tool(tool, f"App: tools[{index}]")

    def _add_runnable(self, runnable: Agent, where: str) -> None:
        if not isinstance(runnable, Agent):
            raise SpecError(f"{where}: {runnable!r} cannot be run: pass an Agent")
        if runnable.name in self.runnables:
            raise SpecError(f"{where}: there is already a runnable named {runnable.name!r}")
        self.runnables[runnable.name] = runnable
        for tool in runnable.functions:
            self._add_tool(tool, f"{where} ({runnable.name})")

    def _add_tool(self, tool: Tool[..., Any], where: str) -> None:
        known = self.tools.setdefault(tool.spec.name, tool)
        if known is not tool:
            raise SpecError(f"{where}: there is already another tool named {tool.spec.name!r}: give one a name=")

    def __iter__(self) -> Iterator[Agent]:
        return iter(self.runnables.values())

    def runnable(self, name: str) -> Agent:
        """The runnable of that name.

        Raises:
            SpecError: There is none; names those that there are.
        """
        if name not in self.runnables:
            known = ", ".join(sorted(self.runnables)) or "none"
            raise SpecError(f"the app has no runnable named {name!r}; it has: {known}")
        return self.runnables[name]
