"""The app: what a worker serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from ..collection.collection import Collection
from ..context.filling import check_names
from ..context.values import check_type
from ..contract import as_tuple, brief, option_names, unknown_field
from ..control.approval import Approval, check_approval
from ..control.undoing import check_undoing, undoing_of
from ..errors import SpecError
from ..guardrails.any_guardrail import check_guardrails
from ..guardrails.custom import Check, Custom
from ..guardrails.guardrail import Guardrail
from ..mcp import McpRef, McpServer
from ..tool import Tool
from .node import Node, cannot_run, check_distinct, check_tree
from .output import Validator, named_validators
from .runnable import Runnable

_UNNAMED = "write App(one, another): what runs is given without a name"
_ELSEWHERE = dict.fromkeys(("agent", "agents", "runnable", "runnables", "chains", "teams", "prompts"), _UNNAMED)
"""What to write in place of words that people may expect."""

AppLifespan = Callable[["App"], AbstractAsyncContextManager[Any]]
"""Makes what an app's tools share, and closes it."""


class App:
    """What a worker serves, found as `module:app`.

    Runnables, tools, MCP servers and workflows.

    Args:
        *runnables: What can be run by name. Everything nested in them is served too.
        tools: Further tools, for runs whose agents name them, and for `call_tool`.
        validators: Further validators, by their function names.
        mcp: MCP servers by the name that agents refer to them by, as `"mcp:name"`.
        collections: Further collections, for `search` and `sostenuto ingest`. Those that its runnables search are
            served too.
        workflows: Classes of your own, made by `@workflow.defn`, that call `run`, `ask`, `search` and `call_tool`.
        context: Type of the context of its runs, of those agents, too, that name none: a pydantic model, a dataclass or
            a TypedDict.
        lifespan: Makes what its tools share, such as a database's connections, once in each worker, and closes it when
            the worker ends: a function under `@asynccontextmanager` that takes the app and yields it. Tools have it as
            `ctx.resources`.
        approvals: What it takes before tools run, by the names that tools and servers say: `@tool(approval="refunds")`.
        guardrails: What goes in and out of all that it runs has to pass.

    Raises:
        SpecError: Two runnables, different tools or different validators share a name, a runnable contains itself or
            refers to an MCP server that is not there, or something else was passed.
    """

    if not TYPE_CHECKING:

        def __new__(cls, *_: Any, **given: Any) -> App:
            """Check that there are such settings.

            Raises:
                SpecError: There is not; says what to write.
            """
            known = option_names(cls.__init__)
            for name in given:
                if name not in known:
                    raise SpecError(unknown_field("App", name, known, _ELSEWHERE.get(name, "")))
            return super().__new__(cls)

    def __init__(
        self,
        *runnables: Runnable,
        tools: Iterable[Tool[..., Any]] = (),
        validators: Iterable[Validator] = (),
        mcp: Mapping[str, McpServer] | None = None,
        collections: Iterable[Collection] = (),
        workflows: Iterable[type] = (),
        context: Any = None,
        lifespan: AppLifespan | None = None,
        approvals: Mapping[str, Approval] | None = None,
        guardrails: Iterable[Guardrail] = (),
    ) -> None:
        self.lifespan, self.context = _lifespan(lifespan), _context(context)
        self.runnables: dict[str, Runnable] = {}
        self.tools: dict[str, Tool[..., Any]] = {}
        self.validators: dict[str, Validator] = {}
        self.mcp: dict[str, McpServer] = _servers({} if mcp is None else mcp)
        self.collections: dict[str, Collection] = {}
        self.workflows: tuple[type, ...] = _classes(workflows)
        self.approvals: dict[str, Approval] = _approvals({} if approvals is None else approvals)
        self.guardrails = check_guardrails(guardrails, "App: guardrails")
        self.custom_checks: dict[str, Check] = {}
        self._add_checks(self.guardrails, "App: guardrails")
        self._check_approvals_of_servers()
        for index, collection in enumerate(as_tuple(collections, "App: collections")):
            if not isinstance(collection, Collection):
                raise SpecError(
                    f"App: collections[{index}]: {brief(collection)} is not a collection: write Collection('name')"
                )
            self._add_collection(collection, f"App: collections[{index}]")
        for index, runnable in enumerate(runnables):
            self._add_runnable(runnable, f"App: argument {index + 1}")
        for index, tool in enumerate(as_tuple(tools, "App: tools")):
            if not isinstance(tool, Tool):
                raise SpecError(
                    f"App: tools[{index}]: {brief(tool)} is not a tool: pass a function decorated with @tool"
                )
            self._add_tool(tool, f"App: tools[{index}]")
        for name, validator in named_validators(validators, "App: validators").items():
            if validator is None:
                raise SpecError(f"App: validators: {name!r} is a name: pass the function that has it")
            self._add_validator(name, validator, "App: validators")
        for tool in self.tools.values():
            if undoing := undoing_of(tool, self.tools, f"App: tool {tool.spec.name!r}"):
                check_undoing(tool, undoing, f"App: tool {tool.spec.name!r}")

    def _add_runnable(self, runnable: Runnable, where: str) -> None:
        if not isinstance(runnable, Node):
            raise SpecError(f"{where}: {cannot_run(runnable)}")
        if runnable.name in self.runnables:
            raise SpecError(f"{where}: there is already a runnable named {runnable.name!r}")
        check_tree(runnable)
        self.runnables[runnable.name] = runnable
        for inside, node in runnable.places():
            place = f"{where}: {inside} ({node.name})" if inside else f"{where} ({node.name})"
            node.works_for(self.context)
            node.guarded_by(self.guardrails)
            self._add_checks(node.guardrails, f"{place}: guardrails")
            check_names(node, place)
            for tool in node.functions:
                self._add_tool(tool, place)
            for name, validator in node.checks.items():
                self._add_validator(name, validator, place)
            for collection in node.collections():
                self._add_collection(collection, place)
            self._check_servers(node, place)

    def _add_tool(self, tool: Tool[..., Any], where: str) -> None:
        known = self.tools.setdefault(tool.spec.name, tool)
        if known is not tool:
            raise SpecError(f"{where}: there is already another tool named {tool.spec.name!r}: give one a name=")
        self._add_checks(tool.spec.guardrails, f"{where}: tool {tool.spec.name!r}: guardrails")
        if tool.spec.asks:
            arguments = tool.spec.parameters.get("properties", {})
            check_approval(tool.spec.asks, self.approvals, arguments, f"{where}: tool {tool.spec.name!r}")
        if known.compensate and not isinstance(known.compensate, str):
            self._add_tool(known.compensate, f"{where}: tool {tool.spec.name!r}: compensate")

    def _add_validator(self, name: str, validator: Validator, where: str) -> None:
        if self.validators.setdefault(name, validator) is not validator:
            raise SpecError(f"{where}: there is already another validator named {name!r}: rename one")

    def _add_checks(self, guardrails: Iterable[Guardrail], where: str) -> None:
        for one in guardrails:
            if not isinstance(one, Custom) or not one.check:
                continue
            if self.custom_checks.setdefault(one.function, one.check) is not one.check:
                raise SpecError(f"{where}: there is already another function named {one.function!r}: rename one")

    def _add_collection(self, collection: Collection, where: str) -> None:
        known = self.collections.setdefault(collection.name, collection)
        if known != collection or known.functions != collection.functions:
            raise SpecError(f"{where}: there is already another collection named {collection.name!r}: rename one")

    def _check_approvals_of_servers(self) -> None:
        for name, server in self.mcp.items():
            for tool, approval in server.approvals():
                check_approval(approval, self.approvals, None, f"App: mcp[{name!r}]: approval[{tool!r}]")

    def _check_servers(self, node: Node, where: str) -> None:
        refs = node.mcp_refs()
        named = [(repr(text), ref.server) for text, ref in refs]
        for text, server in [*named, *((f"McpConnector({name!r})", name) for name in node.connectors())]:
            if server not in self.mcp:
                known = ", ".join(sorted(self.mcp)) or "none"
                raise SpecError(
                    f"{where}: tools: {text}: the app has no MCP server {server!r} (it has: {known}): "
                    f"name it in App(mcp={{{server!r}: McpServer(...)}})"
                )
        for name in node.connectors():
            if not self.mcp[name].url:
                raise SpecError(
                    f"{where}: tools: McpConnector({name!r}): a provider cannot start a command: give the server an "
                    f"https:// address by url=, or let the worker call it, as 'mcp:{name}'"
                )
        try:
            check_distinct((repr(text), self.mcp[ref.server].prefix + ref.tool) for text, ref in refs if ref.tool)
        except ValueError as error:
            raise SpecError(f"{where}: tools: {error}: give one of the servers a prefix=") from None

    def __iter__(self) -> Iterator[Runnable]:
        return iter(self.runnables.values())

    def walk(self) -> Iterator[Node]:
        """Yield every runnable, nested ones too."""
        for runnable in self:
            yield from runnable.walk()

    def runnable(self, name: str) -> Runnable:
        """Return the runnable of that name.

        Raises:
            SpecError: There is no such runnable; names those that there are.
        """
        if name not in self.runnables:
            known = ", ".join(sorted(self.runnables)) or "none"
            raise SpecError(f"the app has no runnable named {name!r}; it has: {known}")
        return self.runnables[name]


def _servers(servers: Mapping[str, McpServer]) -> dict[str, McpServer]:
    if not isinstance(servers, Mapping):
        raise SpecError(
            f"App: mcp: {brief(servers)} is not a dict of servers by name: write {{'name': McpServer(...)}}"
        )
    for name, server in servers.items():
        try:
            McpRef.check_server(name)
        except SpecError as error:
            raise SpecError(f"App: mcp: {error}") from None
        if not isinstance(server, McpServer):
            raise SpecError(
                f"App: mcp[{name!r}]: {brief(server)} is not a server: "
                "write McpServer(command=...) or McpServer(url=...)"
            )
    return dict(servers)


def _approvals(approvals: Mapping[Any, Any]) -> dict[str, Approval]:
    if not isinstance(approvals, Mapping):
        raise SpecError(f"App: approvals: {brief(approvals)} is not a dict by name: write {{'name': Approval(...)}}")
    for name, approval in approvals.items():
        if not isinstance(name, str) or not name.strip():
            raise SpecError(f"App: approvals: {name!r} is not a name")
        if not isinstance(approval, Approval) or approval.policy:
            raise SpecError(f"App: approvals[{name!r}]: {brief(approval)} is not an approval: write Approval(...)")
    return dict(approvals)


def _lifespan(lifespan: AppLifespan | None) -> AppLifespan | None:
    if lifespan is not None and not callable(lifespan):
        raise SpecError(
            f"App: lifespan: {brief(lifespan)} is no function: write one under @asynccontextmanager that takes the "
            "app, and yields what its tools share"
        )
    return lifespan


def _context(context: Any) -> Any:
    if context is not None:
        check_type(context, "App")
    return context


def _classes(workflows: Iterable[type]) -> tuple[type, ...]:
    given = as_tuple(workflows, "App: workflows")
    for index, workflow in enumerate(given):
        if not isinstance(workflow, type):
            raise SpecError(
                f"App: workflows[{index}]: {brief(workflow)} is not a class: pass one made by @workflow.defn"
            )
    return given
