"""Tools that a provider runs itself, within a model call.

They stand among the functions of an agent, and are no functions: nothing of ours runs them, repeats them or can hold
them up. Where a model call is made again, so is what they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from .contract import Spec, arguments, as_tuple
from .errors import SpecError
from .mcp import McpRef

ProviderToolKind = Literal["web_search", "code_execution", "file_search", "mcp_connector"]
PROVIDER_TOOLS: Final[tuple[ProviderToolKind, ...]] = get_args(ProviderToolKind)
"""All kinds."""


class ProviderTool(Spec):
    """A tool that the model's provider runs itself.

    What it finds stands in the transcript and goes back to the same provider; another one is sent the answer alone.
    """

    kind: ProviderToolKind
    optional: bool = False
    """Whether the agent works without it where a model has no such tool, such as a fallback of another provider.
    Otherwise the call of such a model is an error."""

    @property
    def reserved(self) -> str:
        """The name by which providers know it, which no other tool of the agent may have."""
        return self.kind


class Location(Spec):
    """Where somebody who searches is, roughly."""

    city: str = ""
    region: str = ""
    country: str = ""
    """Two letters, as in ISO 3166-1, such as `DE`."""
    timezone: str = ""
    """As in the IANA database, such as `Europe/Berlin`."""

    def __init__(
        self, *, city: str = "", region: str = "", country: str = "", timezone: str = "", **unknown: Any
    ) -> None:
        self._construct(arguments(locals()))

    @field_validator("country")
    @classmethod
    def _code(cls, country: str) -> str:
        if country and not (len(country) == _COUNTRY_CHARS and country.isascii() and country.isalpha()):
            raise ValueError(f"{country!r} is not a country's two letters, such as 'DE'")
        return country.upper()


_COUNTRY_CHARS = 2


class WebSearch(ProviderTool):
    """Searches the web.

    Providers charge for each search; where the fee is known, `cost_usd` has it.
    """

    kind: Literal["web_search"] = "web_search"
    allowed_domains: tuple[str, ...] = ()
    """Nothing else is searched, such as `docs.python.org`. Without a scheme."""
    blocked_domains: tuple[str, ...] = ()
    """These are not searched. Not beside `allowed_domains`."""
    max_uses: int | None = Field(default=None, ge=1)
    """Most searches in one model call. None leaves the provider's own limit. Not every provider has one."""
    location: Location | None = None
    """Where the asker is, for what depends on that."""

    def __init__(
        self,
        *,
        allowed_domains: Sequence[str] = (),
        blocked_domains: Sequence[str] = (),
        max_uses: int | None = None,
        location: Location | None = None,
        optional: bool = False,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        for field in ("allowed_domains", "blocked_domains"):
            given[field] = as_tuple(given[field], f"WebSearch: {field}")
        self._construct(given)

    @field_validator("allowed_domains", "blocked_domains")
    @classmethod
    def _without_scheme(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for domain in domains:
            if not domain or "://" in domain or any(letter.isspace() for letter in domain):
                raise ValueError(f"{domain!r} is not a domain, such as 'docs.python.org'")
        return domains

    @model_validator(mode="after")
    def _one_list(self) -> WebSearch:
        if self.allowed_domains and self.blocked_domains:
            raise ValueError("allowed_domains and blocked_domains do not go together: give one of them")
        return self


class CodeExecution(ProviderTool):
    """Runs code that the model writes, in a container of the provider's."""

    kind: Literal["code_execution"] = "code_execution"

    def __init__(self, *, optional: bool = False, **unknown: Any) -> None:
        self._construct(arguments(locals()))


class FileSearch(ProviderTool):
    """Searches files that were uploaded to the provider."""

    kind: Literal["file_search"] = "file_search"
    stores: tuple[str, ...] = Field(min_length=1)
    """The provider's ids of what is searched, such as `vs_…`."""
    max_results: int | None = Field(default=None, ge=1, le=50)
    """Most results of one search. None leaves the provider's default."""

    def __init__(
        self, stores: Sequence[str], *, max_results: int | None = None, optional: bool = False, **unknown: Any
    ) -> None:
        self._construct({**arguments(locals()), "stores": as_tuple(stores, "FileSearch: stores")})


class McpConnector(ProviderTool):
    """Tools of an MCP server that the provider connects to itself.

    The server is one of the app's, `App(mcp={name: McpServer(url=…)})`: its address and its `Authorization` header
    stay on the worker, from where the provider gets them with each call. The provider has to reach it, so it is an
    `https://` address of the internet. Of what its tools do, nothing is recorded but what the provider tells; where
    that matters, name the tools as `"mcp:server"` instead, and the worker calls them.
    """

    kind: Literal["mcp_connector"] = "mcp_connector"
    server: str
    """Name of the server in the app."""
    tools: tuple[str, ...] = ()
    """The server's names of the tools that may be called; empty for all of them."""

    def __init__(self, server: str, *, tools: Sequence[str] = (), optional: bool = False, **unknown: Any) -> None:
        self._construct({**arguments(locals()), "tools": as_tuple(tools, "McpConnector: tools")})

    @field_validator("server")
    @classmethod
    def _known_form(cls, server: str) -> str:
        try:
            McpRef.check_server(server)
        except SpecError as error:
            raise ValueError(str(error)) from None
        return server

    @property
    @override
    def reserved(self) -> str:
        return f"{self.kind}:{self.server}"


AnyProviderTool = Annotated[WebSearch | CodeExecution | FileSearch | McpConnector, Field(discriminator="kind")]
