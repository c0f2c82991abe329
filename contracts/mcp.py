"""MCP servers: how a worker reaches one, and what a run records of it.

Must not import an MCP library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from .context.values import what_lacks
from .control.approval import Approval
from .errors import SpecError
from .template import filled_value, wants_context
from .tool import DEFAULT_TIMEOUT, Effect, ToolSpec

_SERVER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_REF = re.compile(rf"mcp:({_SERVER})(?:/(\S+))?")
APPROVAL_CLASSES: Final = ("once", "write", "destructive", "all")
"""Which tools of a server somebody has to say yes to."""
_PREFIX = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_-]{0,31})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """How a worker reaches an MCP server.

    By a command that speaks on its standard streams, or by a URL.

    Lives on the worker alone and is not a contract: nothing here writes it into a history. Keys belong in `env` and
    `headers`, whose values error messages leave out; not into `args` and `url`. What a tool returns is not searched.

    Raises:
        SpecError: Not exactly one of `command` and `url` is given, or an option goes with the other one.
    """

    command: str = ""
    """Program to start, speaking MCP on its standard streams."""
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the few variables that a server gets of the worker's environment. `{context.user}` in a value is one of
    the run's context: each such context has a process of its own."""
    cwd: str | Path | None = None
    url: str = ""
    """Address of a streamable HTTP server."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request, such as `Authorization`. `{context.token}` in a value is one of the run's context: each
    such context has a session of its own."""
    timeout: timedelta = DEFAULT_TIMEOUT
    """Longest one call may take."""
    prefix: str = ""
    """Put before each tool's name, where two servers have tools of one name."""
    effects: Mapping[str, Effect | str] = field(default_factory=dict)
    """What happens when a tool runs twice, by the server's name of the tool; over what the server says of it."""
    approval: Approval | str | bool | Mapping[str, Approval | str | bool] = False
    """Which of its tools somebody has to say yes to: `once`, `write` (all that do not only look), `destructive` (as the
    server says) or `all`; or a dict from these, or the server's names of tools, to what it takes. What comes first in
    it counts, and a name before all."""

    def __post_init__(self) -> None:
        problem = next(_problems(self), "")
        if problem:
            raise SpecError(f"McpServer: {problem}")

    def approval_of(self, tool: str, effect: Effect, *, destructive: bool) -> Approval | None:
        """Return what it takes before one of its tools runs; None: nobody is asked.

        Args:
            tool: The server's name of it.
            effect: What happens when it runs twice.
            destructive: Whether the server calls it so.
        """
        given = _by_class(self.approval)
        if tool in given and tool not in APPROVAL_CLASSES:
            return Approval.of(given[tool], tool)
        of_class = {
            "once": effect is Effect.ONCE,
            "write": effect is not Effect.READ,
            "destructive": destructive,
            "all": True,
        }
        return next((Approval.of(said, name) for name, said in given.items() if of_class.get(name)), None)

    def approvals(self) -> Iterator[tuple[str, Approval]]:
        """Yield what its tools take, with the class or the tool that it is for."""
        for name, said in _by_class(self.approval).items():
            if approval := Approval.of(said, name):
                yield name, approval

    @property
    def named_tools(self) -> frozenset[str]:
        """The server's names of the tools that `effects` and `approval` name."""
        return frozenset(self.effects) | (frozenset(_by_class(self.approval)) - frozenset(APPROVAL_CLASSES))

    @property
    def wants_context(self) -> bool:
        """Whether how it is reached depends on the context of a run."""
        return any(wants_context(value) for value in (*self.env.values(), *self.headers.values()))

    def with_context(self, name: str, values: Mapping[str, JsonValue]) -> McpServer:
        """Return how it is reached for a run with this context.

        Args:
            name: What the app calls it.
            values: The context.

        Raises:
            SpecError: The context lacks a value, or has one that no header can have; names it.
        """

        def filled(field: str, value: str) -> str:
            try:
                made = filled_value(value, values)
            except KeyError as missing:
                raise SpecError(f"MCP server {name!r}: {field}: {what_lacks(missing.args[0], values)}") from None
            # It may be of anybody's making, and what comes after the end of a line is another header.
            if wants_context(value) and not made.isprintable():
                raise SpecError(f"MCP server {name!r}: {field}: the context's value has a line break or the like")
            if field.startswith("headers") and (problem := _no_header(made)):
                raise SpecError(f"MCP server {name!r}: {field}: with the context's value it {problem}")
            return made

        return replace(
            self,
            env={key: filled(f"env[{key!r}]", value) for key, value in self.env.items()},
            headers={key: filled(f"headers[{key!r}]", value) for key, value in self.headers.items()},
        )


@dataclass(frozen=True, slots=True)
class McpRef:
    """What `"mcp:server"` or `"mcp:server/tool"` means among the tools of an agent."""

    server: str
    tool: str = ""
    """The server's name of the one tool that is meant; empty for all of them."""

    @classmethod
    def parse(cls, text: str) -> McpRef:
        """Read a reference.

        Raises:
            SpecError: The text is not a reference.
        """
        match = _REF.fullmatch(text)
        if match is None:
            raise SpecError(f"{text!r} is not a tool: write 'mcp:server' or 'mcp:server/tool', or pass a function")
        return cls(match.group(1), match.group(2) or "")

    @staticmethod
    def check_server(name: object) -> None:
        """Check that a server of this name can be referred to.

        Raises:
            SpecError: The name cannot stand in a reference.
        """
        if not isinstance(name, str) or not re.fullmatch(_SERVER, name):
            raise SpecError(
                f"{name!r} is not a name of a server: use up to 64 letters, digits, '_', '-' and '.', and begin with a "
                "letter or digit"
            )

    def __str__(self) -> str:
        return f"mcp:{self.server}/{self.tool}" if self.tool else f"mcp:{self.server}"


class McpTool(ToolSpec):
    """A tool of an MCP server, as the catalogue of a run has it."""

    server: str
    tool: str
    """The server's own name of it; `name` is what the model calls it."""
    approval: bool = False
    """Whether the server calls it destructive: it asks for an approval where `McpServer.approval` says so."""


def _no_header(value: str) -> str:
    """Return why no request can have a header of that value; empty where it can."""
    if not value.isascii():
        return "has characters that are not ASCII, which no header can have"
    return "" if value == value.strip() and value.isprintable() else "has a line break, or white space at an end"


def _problems(server: Any) -> Iterator[str]:
    if bool(server.command) == bool(server.url):
        yield "give command= (with args=) or url=, exactly one of them"
    if not isinstance(server.command, str):
        yield f"command= is one program, not {server.command!r}: its arguments go into args="
    if isinstance(server.args, str) or not all(isinstance(arg, str) for arg in server.args):
        yield f"args= is a list of strings, not {server.args!r}"
    if server.url and not server.url.startswith(("http://", "https://")):
        yield f"url={server.url!r} is not an http:// or https:// address"
    if server.url and (server.args or server.env or server.cwd):
        yield "args=, env= and cwd= go with command=, not with url="
    if server.command and server.headers:
        yield "headers= goes with url=, not with command="
    if not isinstance(server.timeout, timedelta) or server.timeout <= timedelta(0):
        yield f"timeout= is a timedelta above 0, not {server.timeout!r}"
    if not _PREFIX.fullmatch(server.prefix):
        yield (f"prefix={server.prefix!r}: use up to 32 letters, digits, '_' and '-', and begin with a letter or '_'")
    yield from _problems_of_maps(server)
    yield from _problems_of_approval(server.approval)


def _problems_of_maps(server: Any) -> Iterator[str]:
    for name in ("env", "headers", "effects"):
        if not isinstance(getattr(server, name), Mapping):
            yield f"{name}= is a dict"
    for key, value in server.headers.items():
        # What is of the context is not there yet.
        if isinstance(value, str) and not wants_context(value) and (problem := _no_header(value)):
            yield f"headers[{key!r}] {problem}"
    known = [effect.value for effect in Effect]
    for tool, effect in server.effects.items():
        if effect not in known:
            yield f"effects[{tool!r}] is {effect!r}, not one of {', '.join(map(repr, known))}"


def _by_class(approval: Any) -> Mapping[str, Any]:
    """Return what tools take, by their names and classes."""
    if isinstance(approval, Mapping):
        return approval
    if isinstance(approval, str):
        return {approval: True}
    return {"all": approval} if approval else {}


def _problems_of_approval(approval: Any) -> Iterator[str]:
    classes = ", ".join(map(repr, APPROVAL_CLASSES))
    if isinstance(approval, str) and approval not in APPROVAL_CLASSES:
        yield f"approval={approval!r} is not one of {classes}: name an approval of the app by {{'once': {approval!r}}}"
        return
    for name, said in _by_class(approval).items():
        try:
            Approval.of(said, f"approval[{name!r}]")
        except SpecError as error:
            yield str(error)
