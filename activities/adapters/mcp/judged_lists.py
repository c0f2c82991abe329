"""A transport under the SDK, in which each tool of a list is judged by itself.

The SDK checks a list of tools as a whole: one that is wrong would cost all others. So a list is judged before the SDK
sees it, and what was found goes along in its `_meta`. Must not decide what a list comes to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final

from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCRequest, JSONRPCResponse, ListToolsResult

from ....contracts.wire.mcp_call import ToolFault
from ...mcp_session import ListedTool
from .listed_tool import judged
from .schema_keywords import kind_of

_JUDGED: Final = "sostenuto/judged"
_LIST: Final = "tools/list"
_REST_OF_A_PAGE: Final = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
"""What the protocol of 2026 wants of a page besides its tools. We keep no page, and those before it know none of it."""


@asynccontextmanager
async def judged_lists(transport: Transport) -> AsyncIterator[tuple[_Incoming, _Outgoing]]:
    """Open a transport whose lists of tools the SDK can read, whatever is in them."""
    async with transport as (incoming, outgoing):
        asked: set[str] = set()
        yield _Incoming(incoming, asked), _Outgoing(outgoing, asked)


def judgement(page: ListToolsResult) -> tuple[list[ListedTool], list[ToolFault]]:
    """Return the tools of a page that can be used, and what is wrong with it.

    Those that the SDK left out of the page are among them: the protocol of 2026 forbids some.
    """
    found = (page.meta or {}).get(_JUDGED, {})
    tools = [ListedTool(**tool) for tool in found.get("tools", ())]
    return tools, [ToolFault.model_validate(fault) for fault in found.get("faults", ())]


class _Outgoing:
    """What goes to the server, of which the requests for tools are remembered."""

    def __init__(self, stream: Any, asked: set[str]) -> None:
        self._stream = stream
        self._asked = asked

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        if isinstance(message, JSONRPCRequest) and message.method == _LIST:
            self._asked.add(str(message.id))
        await self._stream.send(item)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> _Outgoing:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Incoming:
    """What comes from the server, with each of its lists of tools judged."""

    def __init__(self, stream: Any, asked: set[str]) -> None:
        self._stream = stream
        self._asked = asked

    @property
    def last_context(self) -> Context | None:
        """The context of whoever sent the last item, where the transport knows it."""
        context: Context | None = getattr(self._stream, "last_context", None)
        return context

    async def receive(self) -> SessionMessage | Exception:
        return await self._judged(await self._stream.receive())

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> _Incoming:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return await self._judged(await self._stream.__anext__())

    async def __aenter__(self) -> _Incoming:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _judged(self, item: SessionMessage | Exception) -> SessionMessage | Exception:
        if not isinstance(item, SessionMessage):
            return item
        message = item.message
        if not isinstance(message, JSONRPCResponse) or str(message.id) not in self._asked:
            return item
        self._asked.discard(str(message.id))
        # In a thread: a long list takes a while, in which nobody else is to be held up.
        result = await asyncio.to_thread(_judged_page, message.result)
        return SessionMessage(message.model_copy(update={"result": result}), item.metadata)


def _judged_page(result: dict[str, Any]) -> dict[str, Any]:
    """Return a page that the SDK reads, in place of one that it may not."""
    entries = result.get("tools")
    if not isinstance(entries, list):
        return {**_REST_OF_A_PAGE, **result}  # the SDK says what is wrong with it
    tools, faults = judged(entries)
    cursor = result.get("nextCursor")
    if cursor is not None and not isinstance(cursor, str):
        faults.append(ToolFault.of(f"what comes after a page whose nextCursor is {kind_of(cursor)}", left_out=True))
        cursor = None
    told = {"tools": [asdict(tool) for tool in tools], "faults": [fault.model_dump(mode="json") for fault in faults]}
    page = {**_REST_OF_A_PAGE, "tools": [_for_sdk(tool) for tool in tools], "_meta": {_JUDGED: told}}
    return page if cursor is None else {**page, "nextCursor": cursor}


def _for_sdk(tool: ListedTool) -> dict[str, Any]:
    """Return what the SDK needs to know of a tool.

    That is which of its arguments the protocol wants as headers.
    """
    return {"name": tool.name, "inputSchema": tool.parameters}
