"""Makes clients of OpenAI's SDK, for itself and for what speaks its protocols.

Must not retry.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import openai

from ..bounded_http import HOOKS

_OF_OPENAI = "OPENAI_CUSTOM_HEADERS"
_OF_EVERYBODY = frozenset({"host", "accept", "accept-encoding", "content-length", "content-type", "user-agent"})


def openai_client(*, api_key: str, base_url: str, follow_redirects: bool = True) -> openai.AsyncOpenAI:
    """Return a client of OpenAI."""
    http = openai.DefaultAsyncHttpxClient(event_hooks=HOOKS, follow_redirects=follow_redirects)
    return openai.AsyncOpenAI(api_key=api_key, base_url=base_url, max_retries=0, http_client=http)


def compatible_client(*, api_key: str | None, base_url: str, follow_redirects: bool = True) -> openai.AsyncOpenAI:
    """Return a client of a compatible server, which learns nothing that is OpenAI's.

    Args:
        api_key: The key. None: it wants none.
        base_url: Its address, up to and without the name of what is called.
        follow_redirects: Whether a call is sent on to where the server says.
    """
    sent = api_key or "none"  # the SDK insists on one
    return openai.AsyncOpenAI(
        api_key=sent,
        base_url=base_url,
        max_retries=0,
        # Given as None, the SDK takes OpenAI's from the environment: they are no one else's business.
        organization="",
        project="",
        admin_api_key="",
        http_client=openai.DefaultAsyncHttpxClient(event_hooks=_hooks(sent), follow_redirects=follow_redirects),
    )


def _hooks(api_key: str) -> dict[str, list[Callable[..., Awaitable[Any]]]]:
    """Return the hooks of the HTTP client.

    They take out what the SDK adds for OpenAI from the environment.
    """
    said = os.environ.get(_OF_OPENAI, "").split("\n")
    foreign = {line.partition(":")[0].strip().lower() for line in said if ":" in line} - _OF_EVERYBODY

    async def without(request: httpx2.Request) -> None:
        for name in foreign & {known.lower() for known in request.headers}:
            del request.headers[name]
        if "authorization" in foreign:
            request.headers["authorization"] = f"Bearer {api_key}"

    return {**HOOKS, "request": [*HOOKS["request"], without]}
