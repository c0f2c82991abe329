"""The app: what a worker serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .errors import SpecError
from .mcp import McpRef, McpServer
from .node import Node, check_tree
from .output import Validator
from .runnable import Runnable
from .tool import Tool


class App:
    """Runnables, tools, MCP servers and workflows that a worker serves, found as `module:app`.

    Args:
        *runnables: What can be run by name. Everything nested in them is served too.
        tools: Further tools, for runs whose agents name them, and for `call_tool`.
        validators: Further validators, by their function names.
        mcp: MCP servers by the name that agents refer to them by, as `"mcp:name"`.
        workflows: Classes of your own, made by `@workflow.defn`, that call `run`, `ask` and `call_tool`.

    Raises:
        SpecError: Two runnables, different tools or different validators share a name, a runnable contains itself or
            refers to an MCP server that is not there, or something else was passed.
    """

    def __init__(
        self,
        *runnables: Runnable,
        tools: Iterable[Tool[..., Any]] = (),
        validators: Iterable[Validator] = (),
        mcp: Mapping[str, McpServer] | None = None,
        workflows: Iterable[type] = (),
    ) -> None:
        self.runnables: dict[str, Runnable] = {}
        self.tools: dict[str, Tool[..., Any]] = {}
        self.validators: dict[str, Validator] = {}
        self.mcp: dict[str, McpServer] = _servers(mcp or {})
        self.workflows: tuple[type, ...] = tuple(workflows)
        for index, runnable in enumerate(runnables):
            self._add_runnable(runnable, f"App: argument {index + 1}")
        for index, tool in enumerate(tools):
            if not isinstance(tool, Tool):
                raise SpecError(f"App: tools[{index}]: {tool!r} is not a tool: decorate it with @tool")
            self._add_tool(tool, f"App: tools[{index}]")
        for index, validator in enumerate(validators):
            self._add_validator(validator.__name__, validator, f"App: validators[{index}]")

    def _add_runnable(self, runnable: Runnable, where: str) -> None:
        if not isinstance(runnable, Node):
            raise SpecError(
                f"{where}: {runnable!r} cannot be run: pass an Agent, Prompt, Chain, Router, Parallel or Team"
            )
        if runnable.name in self.runnables:
            raise SpecError(f"{where}: there is already a runnable named {runnable.name!r}")
        check_tree(runnable)
        self.runnables[runnable.name] = runnable
        for node in runnable.walk():
            place = f"{where} ({node.name})"
            for tool in node.functions:
                self._add_tool(tool, place)
            for name, validator in node.checks.items():
                self._add_validator(name, validator, place)
            self._check_servers(node, place)

    def _add_tool(self, tool: Tool[..., Any], where: str) -> None:
        known = self.tools.setdefault(tool.spec.name, tool)
        if known is not tool:
            raise SpecError(f"{where}: there is already another tool named {tool.spec.name!r}: give one a name=")

    def _add_validator(self, name: str, validator: Validator, where: str) -> None:
        if self.validators.setdefault(name, validator) is not validator:
            raise SpecError(f"{where}: there is already another validator named {name!r}: rename one")

    def _check_servers(self, node: Node, where: str) -> None:
        for text in getattr(node, "mcp", ()):
            server = McpRef.parse(text).server
            if server not in self.mcp:
                known = ", ".join(sorted(self.mcp)) or "none"
                raise SpecError(
                    f"{where}: tools: {text!r}: the app has no MCP server {server!r} (it has: {known}): "
                    f"name it in App(mcp={{{server!r}: McpServer(...)}})"
                )

    def __iter__(self) -> Iterator[Runnable]:
        return iter(self.runnables.values())

    def walk(self) -> Iterator[Node]:
        """Every runnable, nested ones too."""
        for runnable in self:
            yield from runnable.walk()

    def runnable(self, name: str) -> Runnable:
        """The runnable of that name.

        Raises:
            SpecError: There is none; names those that there are.
        """
        if name not in self.runnables:
            known = ", ".join(sorted(self.runnables)) or "none"
            raise SpecError(f"the app has no runnable named {name!r}; it has: {known}")
        return self.runnables[name]


def _servers(servers: Mapping[str, McpServer]) -> dict[str, McpServer]:
    for name, server in servers.items():
        if not isinstance(server, McpServer):
            raise SpecError(f"App: mcp[{name!r}]: {server!r} is no McpServer(command=...) or McpServer(url=...)")
        if McpRef.parse(f"mcp:{name}").tool:
            raise SpecError(f"App: mcp[{name!r}]: a server's name has no slash")
    return dict(servers)
