"""Anthropic, by the Messages API: must not retry, keeps no state of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anthropic
import httpx2

from .....contracts.model import Model
from ....model_adapter import Completion, ModelRequest, OnDelta
from ...bounded_http import HOOKS
from ..asking.prepared import prepared
from ..deadline import Begun, call_seconds, deadline
from ..failures import check_stream, missing_key
from ..profiles.known import Profiles
from ..refused_feature import noted
from .answer import MessagesAnswer
from .errors import ANTHROPIC_FAILURES, anthropic_error
from .provider_tools import beta_header
from .request import continued, messages_request

_MOST_PAUSES = 10
"""So often one answer goes on after a pause."""
_BASE_URL = "https://api.anthropic.com"


class AnthropicAdapter:
    """Anthropic's models.

    Args:
        api_key: The key. None: every call says which variable is to be set.
        base_url: Another address that speaks the Messages API. None: Anthropic's own.
        provider: The name that it goes by.
        api_key_env: Environment variable of the key, to be named in errors.
        connect_seconds: Longest wait for a connection.
        profiles: What its models accept. Default: what is known of Anthropic's.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        provider: str = "anthropic",
        api_key_env: str = "ANTHROPIC_API_KEY",
        connect_seconds: float = 10.0,
        profiles: Profiles | None = None,
    ) -> None:
        self.provider = provider
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._base_url = base_url or _BASE_URL
        self._connect_seconds = connect_seconds
        self._profiles = profiles or Profiles("anthropic")
        self._client: anthropic.AsyncAnthropic | None = None

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Send the request and return the model's whole answer, streamed inside.

        Raises:
            ModelError: The call failed; its class says what to do about it.
        """
        wire = prepared(request, self._profiles)
        body = messages_request(request, self.provider, wire)
        betas = beta_header(wire.hosted)
        begun = Begun()
        async with deadline(request.model, begun):
            try:
                answer = await self._answer(body, request.model, betas, on_delta, begun)
                for _ in range(_MOST_PAUSES):
                    if not answer.paused:
                        break
                    # The provider's own tools have not ended: what is there goes back, and the answer goes on.
                    further = continued(body, answer.message, self.provider, wire)
                    rest = await self._answer(further, request.model, betas, on_delta, begun)
                    answer = answer.followed_by(rest)
                if answer.paused:
                    answer = replace(
                        answer, note="the provider's own tools wanted to go on for longer than is waited for"
                    )
                return wire.restored(answer)
            except ANTHROPIC_FAILURES as error:
                found = anthropic_error(error, request.model, self._api_key_env, self._api_key)
                begun.mark(found)
                raise noted(found, error, body, request, self._api_key) from None

    async def _answer(
        self, body: dict[str, Any], model: Model, betas: dict[str, str], on_delta: OnDelta | None, begun: Begun
    ) -> Completion:
        timeout = httpx2.Timeout(call_seconds(model), connect=self._connect_seconds)
        # The body goes as it is: given as arguments, the SDK would walk the whole transcript to transform it.
        stream = await self._connected().messages.create(
            model="", max_tokens=0, messages=(), stream=True, extra_body=body, extra_headers=betas, timeout=timeout
        )
        async with stream:
            check_stream(stream.response)
            answer = begun.watched(MessagesAnswer(on_delta))
            async for event in stream:
                answer.take(event)
        return answer.completion(self.provider, stream.response.headers.get("request-id", ""))

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    def _connected(self) -> anthropic.AsyncAnthropic:
        if not self._api_key:
            raise missing_key(self._api_key_env)
        if self._client is None:
            http = anthropic.DefaultAsyncHttpxClient(event_hooks=HOOKS)
            self._client = anthropic.AsyncAnthropic(
                api_key=self._api_key, base_url=self._base_url, max_retries=0, http_client=http
            )
        return self._client
