"""Asks a server for its tools, page by page.

Comes to an end, whatever the server answers. Must not judge a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from mcp import Client
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp.types import ListToolsResult

from ....contracts import limits
from ....contracts.wire.mcp_call import ToolFault
from ...mcp_session import ListedTool, Listing
from .judged_lists import judgement
from .listed_tool import listed_twice

_AS_MANY: Final = f"there are {limits.MAX_TOOLS:,} tools before it"


class FoundTools:
    """What a server has listed so far."""

    def __init__(self) -> None:
        self.pages = 0
        """How many pages it has, no two of which are the same."""
        self._tools: dict[str, ListedTool] = {}
        self._faults: dict[ToolFault, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether there are as many tools as a run is given."""
        return len(self._tools) >= limits.MAX_TOOLS

    def clear(self) -> None:
        """Forget everything, as the server is asked anew."""
        self.pages = 0
        self._tools.clear()
        self._faults.clear()

    def add(self, page: ListToolsResult) -> bool:
        """Add a page, and return whether it is another one than those before."""
        tools, faults = judgement(page)
        if tools and all(tool.name in self._tools for tool in tools) and all(fault in self._faults for fault in faults):
            return False
        self.pages += 1
        self._faults |= dict.fromkeys(faults)
        read = {tool.name for tool in page.tools}
        for tool in tools:
            if tool.name in self._tools:
                self._tell(listed_twice(tool.name))
            elif tool.name not in read:  # the protocol forbids its use
                why = find_invalid_x_mcp_header(tool.parameters) or "the SDK does not take it"
                self._tell(ToolFault.of(why, tool=tool.name, left_out=True))
            elif self.is_full:
                self._tell(ToolFault.of(_AS_MANY, tool=tool.name, left_out=True))
            else:
                self._tools[tool.name] = tool
        return True

    def cut(self, why: str) -> None:
        """Take note that there is more, which is not had."""
        self._tell(ToolFault.of(f"what comes after page {self.pages}: {why}", left_out=True))

    def ended(self, why: str) -> None:
        """Take note of an end that is none by the protocol."""
        self._tell(ToolFault.of(f"{why}: taken for its end"))

    def listing(self, redacted: Callable[[str], str]) -> Listing:
        """Return what was found, its faults without secrets."""
        faults = (
            fault.model_copy(update={"tool": redacted(fault.tool), "problem": redacted(fault.problem)})
            for fault in self._faults
        )
        return Listing(tuple(self._tools.values()), tuple(faults))

    def _tell(self, fault: ToolFault) -> None:
        self._faults[fault] = None


async def list_first_page(client: Client) -> None:
    """Ask for the first tools.

    The SDK then knows which of their arguments the protocol wants as headers.
    """
    if client.server_capabilities.tools is not None:
        await client.list_tools()


async def list_all(client: Client, found: FoundTools) -> None:
    """Add the server's tools to what was found, from all pages.

    What was found before a page fails is still there.
    """
    found.clear()
    if client.server_capabilities.tools is None:
        return
    cursor: str | None = None
    asked: set[str] = set()
    while True:
        page = await client.list_tools(cursor=cursor)
        if not found.add(page):
            found.ended(f"page {found.pages + 1} has the tools of those before")
            return
        cursor = page.next_cursor
        if cursor is None:
            return
        if why := _why_no_further(cursor, asked, found):
            found.cut(why)
            return
        asked.add(cursor)


def _why_no_further(cursor: str, asked: Container[str], found: FoundTools) -> str:
    """Return why no further page is asked for; empty where one is."""
    if cursor in asked:
        return "its cursor was that of a page before"
    if found.is_full:
        return _AS_MANY
    return "its list does not end" if found.pages >= limits.MAX_PAGES else ""
